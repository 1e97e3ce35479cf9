/** tshark looks at what two stacks say to each other with partial reliability and interleaving. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { PcapRecorder, runScenario } from "../../protocol/sim/mod.ts";
import { tshark } from "./tshark.ts";

function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

/** A capture of a lossy association on which half of the messages may be given up. */
function record(interleaving: boolean): Uint8Array {
  const recorder = new PcapRecorder();
  const talk = { messages: 100, maxOctets: 8000, streams: 5, unordered: 0.3, limited: 0.7, scheduler: "rr" };
  const result = runScenario(
    {
      seed: 8260,
      link: { loss: 0.1, delayMs: 10 },
      endpoint: { interleaving, rto: { initialMs: 500, minMs: 200, maxMs: 2000 } },
      client: { ...talk, shutdown: "sent" },
      server: talk,
    },
    hmacSha256,
    (packet, fate, at) => {
      if (fate === "sent") recorder.record(packet, at);
    },
  );
  assert.ok(result.failed > 0 && result.delivered > 0);
  return recorder.finish();
}

const WRONG = '_ws.malformed or sctp.checksum.status == "Bad" or _ws.expert.severity == "Error"';

for (const interleaving of [false, true]) {
  const [data, forward] = interleaving ? [64, 194] : [0, 192];
  Deno.test(`tshark finds nothing wrong with chunk types ${data} and ${forward}`, async () => {
    const path = await Deno.makeTempFile({ suffix: ".pcap" });
    try {
      await Deno.writeFile(path, record(interleaving));

      const wrong = await tshark(
        path,
        "-o",
        "sctp.checksum:CRC 32c",
        "-Y",
        WRONG,
        "-T",
        "fields",
        "-e",
        "frame.number",
      );
      const lines = await tshark(path, "-T", "fields", "-e", "sctp.chunk_type");

      assert.deepEqual(wrong, []);
      const types = new Set(lines.flatMap((line) => line.split(",")).map(Number));
      assert.ok(types.has(data!) && types.has(forward!), [...types].join(" "));
      assert.ok(!types.has(interleaving ? 0 : 64) && !types.has(interleaving ? 192 : 194));
    } finally {
      await Deno.remove(path);
    }
  });
}
