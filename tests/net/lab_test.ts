/** The laboratory's recorder keeps what passes while the machine has no time for it. */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";

const possible = await labIsPossible();
/** Room for the longest packets that there might be, instead of for real ones, would be room for 256. */
const COUNT = 2000;
const PORT = 9999;
/** Sends so many datagrams to PC 2. */
const SENDER = `
  const socket = (await import("node:dgram")).createSocket("udp4");
  for (let i = 0; i < ${COUNT}; i++) await new Promise((sent) => socket.send("x", ${PORT}, "10.1.0.2", sent));
  socket.close();
`;

for (const recordedBy of ["the laboratory", "a PC"] as const) {
  Deno.test({
    name: `a recorder of ${recordedBy} that stands still for ${COUNT} packets has each of them`,
    ignore: !possible,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        await using lab = await Lab.open(2);
        const file = `${directory}/ping.pcap`;
        const recorder = await (recordedBy === "a PC" ? lab.pc(1) : lab).capture(file);
        recorder.signal("SIGSTOP");
        await lab.pc(1).run(Deno.execPath(), "eval", SENDER);
        recorder.signal("SIGCONT");
        assert.equal(await recorder.interrupt(), 0, recorder.output);
        assert.match(recorder.output, /^0 packets dropped by kernel$/m, recorder.output);
        assert.equal((await packets(file, `udp.dstport == ${PORT} and !icmp`)).length, COUNT);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}
