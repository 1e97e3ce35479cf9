/**
 * Two PCs on two networks, each with IPv4 and IPv6: four paths. A network fails in mid-transfer and comes back. A third
 * party, tshark, judges the packets.
 */
import assert from "node:assert/strict";
import { faultyPackets, packets } from "./dissect.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { NetworkName, Pc, Program } from "./lab.ts";
import { addressesOf, networkOf, QUICK, startReceiver, startSender } from "./sctp_lab.ts";

/** tcpdump wants to be root for all the world: root of a user namespace may not change the user, and it insists. */
const possible = Deno.uid() === 0 && await labIsPossible();
const PORT = 5098;
/** How long anything may take here. What is measured is a few seconds. */
const DEADLINE_MS = 60_000;

/** How a network fails. */
interface Failure {
  readonly name: string;
  fail(pc: Pc, network: NetworkName): Promise<void>;
  mend(pc: Pc, network: NetworkName): Promise<void>;
}

/** So that a second's standstill of this machine is no failure: a path is dead after 4 s. */
const OPTIONS = { ...QUICK, pathMaxRetransmissions: 4 };

const interfaceOf = (network: NetworkName) => network === "blue" ? "eth1" : "eth0";
const CABLE: Failure = {
  name: "the sender's cable is pulled out",
  fail: (pc, network) => pc.cable(network, "out"),
  mend: (pc, network) => pc.cable(network, "in"),
};
/** Here the kernel refuses to send, instead of losing the packets. */
const INTERFACE: Failure = {
  name: "the sender's interface is switched off",
  fail: async (pc, network) => void await pc.run("ip", "link", "set", interfaceOf(network), "down"),
  mend: async (pc, network) => void await pc.run("ip", "link", "set", interfaceOf(network), "up"),
};

for (const [raw, failure] of [["on", CABLE], ["off", CABLE], ["on", INTERFACE]] as const) {
  Deno.test({
    name: `over ${raw === "on" ? "IP" : "UDP"}, four paths, ${failure.name} in mid-transfer: nothing is lost`,
    ignore: !possible,
    fn: (t) => failover(t, raw, failure),
  });
}

async function failover(t: Deno.TestContext, raw: "on" | "off", failure: Failure): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using lab = await Lab.open(2);
    const here = lab.pc(1), there = lab.pc(2);
    const recording = `${directory}/pc2.pcap`;
    const recorder = await there.capture(recording);
    const receiver = await startReceiver(there, { raw, port: PORT, options: OPTIONS });
    const [target = ""] = addressesOf(there);
    const sender = startSender(here, {
      raw,
      addresses: [target],
      peerPort: PORT,
      paths: 4,
      options: OPTIONS,
    });

    const pairs = pairsBetween(here, there);
    await t.step("one address is enough: all four paths are confirmed, each with its own pair", async () => {
      const [, seen = "", encapsulation] = await sender.says(/^paths (.*) primary .* encapsulation (\d+)$/m);
      assert.deepEqual(seen.split(" ").toSorted(), pairs);
      assert.equal(encapsulation, raw === "on" ? "0" : "15098");
      const [, listed] = await receiver.says(/^up (.*)$/m);
      assert.equal(listed, addressesOf(here).toSorted().join(" "));
    });

    const dead = networkOf(target);
    const lost = addressesOf(there).filter((address) => networkOf(address) === dead);
    const kept = addressesOf(there).filter((address) => networkOf(address) !== dead);
    await sender.says(/^sent 3000$/m);
    const before = progressOf(receiver);
    await failure.fail(here, dead);
    await t.step("the paths over the dead network are unreachable, on both sides", async () => {
      for (const address of lost) await sender.says(pathLine(address, "unreachable"), DEADLINE_MS);
      for (const address of addressesOf(here).filter((one) => networkOf(one) === dead)) {
        await receiver.says(pathLine(address, "unreachable"), DEADLINE_MS);
      }
    });
    await t.step("the transfer goes on over the other network", async () => {
      const next = progressOf(receiver) + 2000;
      assert.ok(next > before);
      await receiver.says(new RegExp(`^received ${next}$`, "m"), DEADLINE_MS);
      for (const address of kept) assert.doesNotMatch(sender.output, pathLine(address, "unreachable"));
    });
    await failure.mend(here, dead);
    await t.step("when the network is back, its paths are available", async () => {
      for (const address of lost) await sender.says(pathLine(address, "available"), DEADLINE_MS);
      for (const address of addressesOf(here).filter((one) => networkOf(one) === dead)) {
        await receiver.says(pathLine(address, "available"), DEADLINE_MS);
      }
    });

    sender.signal("SIGUSR1");
    const sent = Number((await sender.says(/^sent in all (\d+)$/m))[1]);
    const summary = await receiver.says(
      /^received in all (\d+), wrong (\d+), longest gap (\d+) ms$/m,
      DEADLINE_MS,
    );
    await t.step(
      `${sent} messages came, each once and in order; the longest gap was ${summary[3]} ms`,
      () => {
        assert.ok(sent >= 5000, `only ${sent} messages`);
        assert.deepEqual(summary.slice(1, 3), [`${sent}`, "0"]);
        assert.doesNotMatch(sender.output + receiver.output, /trouble/);
      },
    );
    await t.step("the association ends by SHUTDOWN, and both programs by themselves", async () => {
      for (const program of [sender, receiver]) {
        await program.says(/^down shutdown$/m, DEADLINE_MS);
        assert.equal(await program.exitCode(DEADLINE_MS), 0, program.output);
      }
    });
    await recorder.interrupt();
    assert.match(recorder.output, /^0 packets dropped by kernel$/m, recorder.output);
    await checkPackets(t, recording, raw, here, there);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function checkPackets(
  t: Deno.TestContext,
  recording: string,
  raw: "on" | "off",
  here: Pc,
  there: Pc,
): Promise<void> {
  await t.step("tshark finds no packet malformed, no wrong checksum, and has no warning", async () => {
    assert.deepEqual(await faultyPackets(recording), []);
    assert.ok((await packets(recording, 'sctp.checksum.status == "Good"')).length > 5000);
    const other = raw === "on" ? "udp" : "!udp";
    assert.deepEqual(await packets(recording, `sctp and ${other} and !icmp and !icmpv6`), []);
  });
  await t.step("every packet bears the two addresses of one path", async () => {
    const between = await packets(recording, "sctp and !icmp and !icmpv6", PAIR);
    const pairs = [...pairsBetween(here, there), ...pairsBetween(there, here)].toSorted();
    assert.deepEqual([...new Set(between.map(pairOf))].toSorted(), pairs);
  });
  await t.step("INIT and INIT ACK list all addresses", async () => {
    for (const [type, pc] of [[1, here], [2, there]] as const) {
      const filter = `sctp.chunk_type == ${type}`;
      const [lists = ""] = await packets(recording, filter, [
        "sctp.parameter_ipv4_address",
        "sctp.parameter_ipv6_address",
      ]);
      assert.deepEqual(lists.split(/[\t,]/).toSorted(), addressesOf(pc).toSorted());
    }
  });
  await t.step("paths without data are probed by HEARTBEATs, which are answered", async () => {
    const probes = await packets(recording, "sctp.chunk_type == 4", PAIR);
    const answers = await packets(recording, "sctp.chunk_type == 5", PAIR);
    for (const [from, to] of [[here, there], [there, here]] as const) {
      for (const pair of pairsBetween(from, to)) {
        const [source, destination] = pair.split(">");
        if (from === here && destination === addressesOf(to)[0]) continue; // the primary path has data
        const probed = probes.filter((line) => pairOf(line) === pair).length;
        const answered = answers.filter((line) => pairOf(line) === `${destination}>${source}`).length;
        assert.ok(probed >= 3, `${probed} HEARTBEATs ${pair}`);
        assert.ok(answered >= 2, `${answered} answers to ${pair}`);
      }
    }
  });
  await t.step("the end is SHUTDOWN, SHUTDOWN ACK, SHUTDOWN COMPLETE; there was no ABORT", async () => {
    for (const type of [7, 8, 14]) {
      assert.ok((await packets(recording, `sctp.chunk_type == ${type}`)).length > 0, `chunk type ${type}`);
    }
    // One with the T bit answers what still came, such as a HEARTBEAT, for an association that had ended.
    assert.deepEqual(await packets(recording, "sctp.abort_t_bit == 0"), []);
  });
}

const PAIR = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst"];

/** `source>destination` of a line with the fields of {@linkcode PAIR}, two of which are empty. */
function pairOf(line: string): string {
  return line.split("\t").filter((field) => field !== "").join(">");
}

/** `source>destination` of each of the four paths, sorted. */
function pairsBetween(from: Pc, to: Pc): string[] {
  const others = addressesOf(to);
  return addressesOf(from).map((address, i) => `${address}>${others[i]}`).toSorted();
}

/** Thousands of messages that a receiver has told of. */
function progressOf(receiver: Program): number {
  return Number([...receiver.output.matchAll(/^received (\d+)$/gm)].at(-1)?.[1] ?? 0);
}

function pathLine(address: string, change: string): RegExp {
  return new RegExp(`^path ${address.replaceAll(".", "\\.")} ${change}$`, "m");
}
