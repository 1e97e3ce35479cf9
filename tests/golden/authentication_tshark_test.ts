/** tshark looks at two stacks that authenticate what they say, and move while they say it. */
import assert from "node:assert/strict";
import { PcapRecorder, runScenario } from "../../protocol/sim/mod.ts";
import { hmacSha1, hmacSha256 } from "../protocol/sim/mac.ts";
import { tshark } from "./tshark.ts";

const SACK = 3, AUTH = 15, ASCONF_ACK = 128, RE_CONFIG = 130, ASCONF = 193;

/** A capture of an association whose client moves to new addresses, with DATA and SACK authenticated. */
function record(): Uint8Array {
  const recorder = new PcapRecorder();
  const talk = {
    messages: 60,
    intervalMs: 100,
    streams: 3,
    authenticated: [0, SACK],
    shutdown: "both",
  } as const;
  const result = runScenario(
    {
      seed: 5061,
      segments: 2,
      link: { loss: 0.05, delayMs: 10 },
      endpoint: { authentication: true, dynamicAddresses: true },
      client: { ...talk, reconfigureEveryMs: 700 },
      server: talk,
      moves: { count: 2, firstMs: 1000, everyMs: 2000, overlapMs: 1000, peerPrimary: true },
    },
    hmacSha256,
    (packet, fate, at) => {
      if (fate === "sent") recorder.record(packet, at);
    },
    hmacSha1,
  );
  assert.deepEqual([result.delivered, result.failed], [120, 0]);
  return recorder.finish();
}

Deno.test("tshark finds nothing wrong with AUTH, ASCONF and ASCONF-ACK, and AUTH stands before what needs it", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, record());

    const wrong = await tshark(
      path,
      "-o",
      "sctp.checksum:CRC 32c",
      "-Y",
      '_ws.malformed or sctp.checksum.status == "Bad" or _ws.expert.severity == "Error"',
    );
    const lines = await tshark(path, "-T", "fields", "-e", "sctp.chunk_type");
    const requests = await tshark(
      path,
      "-Y",
      `sctp.chunk_type == ${ASCONF}`,
      "-T",
      "fields",
      "-e",
      "sctp.parameter_type",
    );

    assert.deepEqual(wrong, []);
    const packets = lines.map((line) => line.split(",").map(Number));
    const types = new Set(packets.flat());
    for (const type of [AUTH, ASCONF, ASCONF_ACK, RE_CONFIG]) {
      assert.ok(types.has(type), `chunk type ${type}`);
    }
    for (const chunks of packets) {
      const first = chunks.findIndex((type) => [0, SACK, ASCONF, ASCONF_ACK].includes(type));
      const auth = chunks.indexOf(AUTH);
      assert.ok(first < 0 || (auth >= 0 && auth < first), chunks.join(" "));
    }
    for (const type of ["0xc001", "0xc002", "0xc004"]) assert.ok(requests.join().includes(type), type);
  } finally {
    await Deno.remove(path);
  }
});
