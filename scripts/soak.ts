/**
 * Runs made-up scenarios of the embedded SCTP stack in virtual time until it is told to stop, or something breaks.
 *
 *     scripts/soak                     a minute of scenarios, first seed by the clock
 *     scripts/soak --seconds 3600      an hour
 *     scripts/soak --seed 42           one scenario, told in full
 *     scripts/soak --seed 42 --pcap x.pcap --tamper 0.01
 *     scripts/soak --first 1 --count 1000
 *
 * Every failure is printed with the command that repeats it. Exit code 1 when there was one.
 */
import { createHmac } from "node:crypto";
import { parseArgs } from "node:util";
import { PcapRecorder, randomScenario, runScenario } from "../protocol/sim/mod.ts";
import { say, soak } from "./seeds.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    first: { type: "string" },
    count: { type: "string" },
    seconds: { type: "string" },
    pcap: { type: "string" },
    tamper: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

/** Runs one scenario; true when all was well. */
function run(seed: number, tell: boolean): boolean {
  const made = randomScenario(seed);
  const tampering = values.tamper === undefined ? undefined : Number(values.tamper);
  const scenario = tampering === undefined ? made : { ...made, tampering };
  const recorder = values.pcap === undefined ? undefined : new PcapRecorder();
  if (tell) say(JSON.stringify(scenario));
  const startedAt = performance.now();
  try {
    const result = runScenario(scenario, hmacSha256, (packet, fate, at) => {
      if (fate === "sent") recorder?.record(packet, at);
    });
    if (tell) say(JSON.stringify(result));
    const spentMs = performance.now() - startedAt;
    if (values.verbose || spentMs > 20_000) {
      say(
        `seed ${seed}: ${spentMs.toFixed(0)} ms wall, ${
          result.endedAtMs.toFixed(0)
        } ms virtual, ${result.packets} packets`,
      );
    }
    return true;
  } catch (error) {
    say(`FAILED ${error instanceof Error ? (tell ? error.stack : error.message) : String(error)}`);
    say(`  repeat: scripts/soak --seed ${seed}${tampering === undefined ? "" : ` --tamper ${tampering}`}`);
    return false;
  } finally {
    if (values.pcap !== undefined && recorder !== undefined) {
      Deno.writeFileSync(values.pcap, recorder.finish());
    }
  }
}

soak(values, run, (passed, failed) => `${passed} passed, ${failed} failed`);
