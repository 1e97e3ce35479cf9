/**
 * Attacks associations of the embedded SCTP stack with mutated, replayed, reordered and truncated packets, and a registrar
 * with mutated messages.
 *
 *     scripts/fuzz                          a million packets of each kind
 *     scripts/fuzz --packets 10000000
 *     scripts/fuzz --kind blind --seed 42   one seed of one kind
 *
 * Kinds: blind (packets without the tag), tag (with it), flood (INITs), handshake and wild (the side that connects, without
 * and with its tag), icmp (made-up ICMP messages), replay (packets of a former association), stall (without the tag), registrar (messages of ASAP and ENRP).
 *
 * Every failure is printed with the seed that repeats it. Exit code 1 when there was one, or when the heap grew.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { blindCampaign, type CampaignReport, initFlood, tagCampaign } from "../tests/protocol/sctp/fuzz.ts";
import { registrarCampaign } from "../tests/protocol/registrar/fuzz.ts";
import {
  blindHandshakeCampaign,
  icmpCampaign,
  replayCampaign,
  stallCampaign,
  tagHandshakeCampaign,
} from "../tests/protocol/sctp/fuzz_attempts.ts";

const CAMPAIGNS: Readonly<
  Record<string, (seed: number, packets: number) => Pick<CampaignReport, "associations">>
> = {
  blind: blindCampaign,
  tag: tagCampaign,
  flood: initFlood,
  handshake: blindHandshakeCampaign,
  wild: tagHandshakeCampaign,
  icmp: icmpCampaign,
  replay: replayCampaign,
  stall: stallCampaign,
  registrar: registrarCampaign,
};

/** Packets of one seed. */
const ROUND = 20_000;

/** The heap may have grown so much at the end: what the compiler keeps, and no leak. */
const HEAP_GROWTH_OCTETS = 64 << 20;

const { values } = parseArgs({
  options: { packets: { type: "string" }, kind: { type: "string" }, seed: { type: "string" } },
});
const kinds = values.kind === undefined ? Object.keys(CAMPAIGNS) : [values.kind];
const wanted = Number(values.packets ?? 1_000_000);
let failures = 0;
for (const kind of kinds) {
  const campaign = CAMPAIGNS[kind];
  if (campaign === undefined) {
    throw new Error(`There is no kind ${kind}: ${Object.keys(CAMPAIGNS).join(", ")}`);
  }
  const first = Number(values.seed ?? 1);
  const rounds = values.seed === undefined ? Math.ceil(wanted / ROUND) : 1;
  const startedAt = performance.now();
  let associations = 0, heapBefore = 0;
  for (let round = 0; round < rounds; round++) {
    try {
      associations += campaign(first + round, ROUND).associations;
    } catch (error) {
      failures++;
      console.log(`FAILED: scripts/fuzz --kind ${kind} --seed ${first + round}\n`, error);
    }
    if (round === Math.min(2, rounds - 1)) heapBefore = process.memoryUsage().heapUsed;
  }
  const grown = process.memoryUsage().heapUsed - heapBefore;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const heap = `${(grown / 2 ** 20).toFixed(1)} MiB of heap more`;
  console.log(`${kind}: ${rounds * ROUND} packets, ${associations} associations, ${seconds} s, ${heap}`);
  if (grown > HEAP_GROWTH_OCTETS) failures++;
}
process.exitCode = failures > 0 ? 1 : 0;
