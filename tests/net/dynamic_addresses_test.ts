/**
 * A PC gets an address and loses one while it sends (RFC 5061): the kernel tells this program by netlink, the program tells
 * its peer by ASCONF. A third party, tshark, judges the packets.
 */
import assert from "node:assert/strict";
import { packets } from "./dissect.ts";
import { Lab, labIsPossible, NETWORKS } from "./lab.ts";
import { addressesOf, networkOf, QUICK, startReceiver, startSender } from "./sctp_lab.ts";

const possible = Deno.uid() === 0 && await labIsPossible();
const PORT = 5097;
const DEADLINE_MS = 120_000;
const OPTIONS = { ...QUICK, pathMaxRetransmissions: 4, authentication: true, dynamicAddresses: true };

for (const raw of ["on", "off"] as const) {
  Deno.test({
    name: `over ${
      raw === "on" ? "IP" : "UDP"
    }, an address comes and one goes in mid-transfer: nothing is lost`,
    ignore: !possible,
    fn: (t) => move(t, raw),
  });
}

function pathLine(address: string, change: string): RegExp {
  return new RegExp(`^path ${address.replaceAll(".", "\\.")} ${change}$`, "m");
}

async function move(t: Deno.TestContext, raw: "on" | "off"): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using lab = await Lab.open(2);
    const here = lab.pc(1), there = lab.pc(2);
    const recording = `${directory}/pc2.pcap`;
    const recorder = await there.capture(recording);
    const receiver = await startReceiver(there, { raw, port: PORT, options: OPTIONS });
    const [target = ""] = addressesOf(there), [old = ""] = addressesOf(here);
    const sender = startSender(here, {
      raw,
      addresses: [target],
      peerPort: PORT,
      paths: 4,
      options: OPTIONS,
    });
    const device = NETWORKS[networkOf(old)].interface;
    const added = old.replace(/\d+$/, "77");
    for (const where of ["all", device]) {
      await here.run("sysctl", "-q", "-w", `net.ipv4.conf.${where}.promote_secondaries=0`);
    }
    await sender.says(/^sent 2000$/m, DEADLINE_MS);

    await t.step("the peer learns of a new address, proves it, and forgets the old one", async () => {
      await here.run("ip", "address", "add", `${added}/24`, "dev", device);
      await receiver.says(pathLine(added, "added"), DEADLINE_MS);
      await receiver.says(pathLine(added, "confirmed"), DEADLINE_MS);
      await here.run("ip", "address", "del", `${old}/24`, "dev", device);
      await receiver.says(pathLine(old, "removed"), DEADLINE_MS);
    });
    // The second address of a network goes with the first one, as long as the kernel does not promote it.
    await t.step(
      "the new one goes, too, and with it a path; when it is back the path is used again",
      async () => {
        await receiver.says(pathLine(added, "removed"), DEADLINE_MS);
        await sender.says(pathLine(target, "unreachable"), DEADLINE_MS);
        const before = receiver.output.length;
        await here.run("ip", "address", "add", `${added}/24`, "dev", device);
        await receiver.says(pathLine(added, "added"), DEADLINE_MS, before);
        await receiver.says(pathLine(added, "confirmed"), DEADLINE_MS, before);
        await sender.says(pathLine(target, "available"), DEADLINE_MS);
      },
    );
    const progress = Number([...receiver.output.matchAll(/^received (\d+)$/gm)].at(-1)?.[1] ?? 0);
    await receiver.says(new RegExp(`^received ${progress + 2000}$`, "m"), DEADLINE_MS);
    sender.signal("SIGUSR1");
    const sent = (await sender.says(/^sent in all (\d+)$/m))[1];
    const summary = await receiver.says(/^received in all (\d+), wrong (\d+)/m, DEADLINE_MS);

    await t.step(
      `${sent} messages came, each once and in order, and both programs end by themselves`,
      async () => {
        assert.deepEqual(summary.slice(1, 3), [sent, "0"]);
        assert.doesNotMatch(sender.output + receiver.output, /trouble/);
        for (const program of [sender, receiver]) {
          await program.says(/^down shutdown$/m, DEADLINE_MS);
          assert.equal(await program.exitCode(DEADLINE_MS), 0, program.output);
        }
      },
    );
    await recorder.interrupt();
    await t.step("tshark finds ASCONF and AUTH well-formed, and no packet malformed", async () => {
      assert.deepEqual(
        await packets(recording, "(_ws.malformed or sctp.checksum.status == Bad) and !icmp and !icmpv6"),
        [],
      );
      assert.ok((await packets(recording, "sctp.chunk_type == 193 and sctp.chunk_type == 15")).length >= 2);
      assert.ok((await packets(recording, "sctp.chunk_type == 128 and sctp.chunk_type == 15")).length >= 2);
      const data = await packets(recording, `sctp.chunk_type == 0 and ip.src == ${added}`);
      assert.ok(data.length > 100, "the new address is used");
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
