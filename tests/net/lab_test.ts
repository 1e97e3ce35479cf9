/** The laboratory's recorder keeps what passes while the machine has no time for it. */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";

const possible = await labIsPossible();
/** Room for the longest packets that there might be, instead of for real ones, would be room for 256. */
const COUNT = 2000;
const PORT = 9999;
/** Gives datagrams back. */
const MIRROR = `
  const socket = (await import("node:dgram")).createSocket("udp4");
  socket.on("message", (data, { port, address }) => socket.send(data, port, address));
  socket.bind(${PORT}, () => console.log("ready"));
`;
/** Sends so many datagrams to PC 2's mirror. Few are under way at a time: queues of a busy kernel take no thousand. */
const SENDER = `
  const socket = (await import("node:dgram")).createSocket("udp4");
  const limit = setTimeout(() => { throw new Error("Cannot get all datagrams back"); }, 60_000);
  let sent = 0, back = 0;
  const send = () => sent++ < ${COUNT} && socket.send("x", ${PORT}, "10.1.0.2");
  socket.on("message", () => {
    if (++back < ${COUNT}) return send();
    clearTimeout(limit);
    socket.close();
  });
  for (let i = 0; i < 100; i++) send();
`;

for (const recordedBy of ["the laboratory", "a PC"] as const) {
  Deno.test({
    name: `a recorder of ${recordedBy} that stands still for ${COUNT} packets has each of them`,
    ignore: !possible,
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        await using lab = await Lab.open(2);
        await lab.pc(2).start(Deno.execPath(), "eval", MIRROR).says(/ready/);
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
