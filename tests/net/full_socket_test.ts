/**
 * A network that is slower than the program: the kernel's socket buffer fills up, and sending stops until it has drained.
 * A token bucket (`tc qdisc … tbf`) makes the network slow.
 */
import assert from "node:assert/strict";
import { Lab, labIsPossible } from "./lab.ts";
import { countersOf, startReceiver, startSender } from "./sctp_lab.ts";

const PORT = 5095, MESSAGES = 3000, LONGEST = 4000;
/** 6 MB at 8 Mbit/s are six seconds: no machine is so busy that its programs are slower. */
const SLOW_QUEUE = ["root", "tbf", "rate", "8mbit", "burst", "16kb", "limit", "4mb"];
/** A few packets; the default would take all that flow control lets out. */
const SOCKET_BUFFER = 20_000;

/** A receiver that stands still for a while is no loss: what is sent again is what the queue, or the socket, has lost. */
const PATIENT = { rto: { initialMs: 30_000, minMs: 30_000, maxMs: 60_000 } };

/** Not every kernel has token buckets. */
async function slowQueuesAreThere(): Promise<boolean> {
  const space = Deno.uid() === 0 ? ["--net"] : ["--user", "--map-root-user", "--net"];
  const args = [...space, "tc", "qdisc", "add", "dev", "lo", ...SLOW_QUEUE];
  return (await new Deno.Command("unshare", { args, stderr: "null" }).output()).success;
}

const possible = await labIsPossible() && await slowQueuesAreThere();

for (
  const [carrier, raw, address] of [
    ["IPv4", "on", "10.1.0.2"],
    ["IPv6", "on", "fd01::2"],
    ["UDP", "off", "10.1.0.2"],
  ] as const
) {
  Deno.test({
    name: `over ${carrier}, behind a slow queue: a full socket stops the sending, and nothing is lost`,
    ignore: !possible,
    async fn(t) {
      await using lab = await Lab.open(2);
      const here = lab.pc(1), there = lab.pc(2);
      await here.run("tc", "qdisc", "add", "dev", "eth1", ...SLOW_QUEUE);
      const receiver = await startReceiver(there, { raw, port: PORT, longest: LONGEST });
      const sender = startSender(here, {
        raw,
        socketBuffer: SOCKET_BUFFER,
        addresses: [address],
        peerPort: PORT,
        messages: MESSAGES,
        intervalMs: 0,
        longest: LONGEST,
        options: PATIENT,
      });
      const all = new RegExp(`^received in all ${MESSAGES}, wrong 0,`, "m");
      await receiver.says(all);
      for (const program of [sender, receiver]) {
        await program.says(/^down shutdown$/m);
        assert.equal(await program.exitCode(), 0, program.output);
        assert.doesNotMatch(program.output, /trouble/);
      }
      const { sendStalls, retransmissions } = countersOf(sender);
      await t.step(
        `the socket was full ${sendStalls} times; ${retransmissions} chunks were sent again`,
        () => {
          assert.ok(sendStalls! > 10);
          assert.ok(retransmissions! < 100);
        },
      );
    },
  });
}
