/**
 * A stranger floods a host with forged and mutated packets, ICMP messages among them, in the name of an association's
 * peer and in made-up names: the association does not notice, and nothing grows.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { HostileTask } from "./hostile_sender.ts";
import { Lab, labIsPossible } from "./lab.ts";
import type { Pc, Program } from "./lab.ts";
import { countersOf, QUICK, startReceiver, startSender } from "./sctp_lab.ts";

const possible = await labIsPossible();
const PORT = 5097, PEER_PORT = 5096;
const STRANGER = fileURLToPath(new URL("hostile_sender.ts", import.meta.url));

/** Packets of the first wave, which fills the caches, and of the second one, during which nothing may grow. */
const WAVES = [20_000, 50_000];

/** How long a wave may take on a machine that has other things to do. */
const ATTACK_LIMIT_MS = 300_000;

/** The machine is busy with forging, and somebody is stopped: nobody is dead because he is late. */
const PATIENT = { ...QUICK, pathMaxRetransmissions: 100, associationMaxRetransmissions: 400 };

/** What the heap may grow by: noise of the compiler. One association kept for each INIT would be 50 times as much. */
const GROWTH_OCTETS = 2 * 1024 * 1024;

for (const raw of ["on", "off"] as const) {
  Deno.test({
    name: `70,000 hostile packets do not disturb an association over ${raw === "on" ? "IP" : "UDP"}`,
    ignore: !possible,
    fn: (t) => flood(t, raw),
  });
}

Deno.test({
  name: "a host whose buffers are full does not say that it has no SCTP",
  ignore: !possible,
  fn: async () => {
    await using lab = await Lab.open(3);
    const here = lab.pc(1), there = lab.pc(2), stranger = lab.pc(3);
    const receiver = await startReceiver(there, { raw: "on", port: PORT, options: PATIENT });
    const sender = startSender(here, {
      raw: "on",
      port: PEER_PORT,
      addresses: ["10.1.0.2"],
      peerPort: PORT,
      paths: 4,
      options: PATIENT,
    });
    await receiver.says(/^received 1000$/m);
    receiver.signal("SIGSTOP");
    await attack(stranger, { count: WAVES[0]!, seed: 0 });
    receiver.signal("SIGCONT");
    sender.signal("SIGUSR1");
    const [, sent] = await sender.says(/^sent in all (\d+)$/m);
    await receiver.says(new RegExp(`^received in all ${sent}, wrong 0,`, "m"));
    assert.equal(await unreachablesFrom(there), 0);
  },
});

/** ICMP messages "destination unreachable" that a PC has sent. */
async function unreachablesFrom(pc: Pc): Promise<number> {
  const [names = [], values = []] = (await pc.run("cat", "/proc/net/snmp")).split("\n")
    .filter((line) => line.startsWith("Icmp:")).map((line) => line.split(" "));
  return Number(values[names.indexOf("OutDestUnreachs")]);
}

async function flood(t: Deno.TestContext, raw: "on" | "off"): Promise<void> {
  await using lab = await Lab.open(3);
  const here = lab.pc(1), there = lab.pc(2), stranger = lab.pc(3);
  for (const name of ["all", "eth1"]) {
    await there.run("sysctl", "-q", "-w", `net.ipv4.conf.${name}.rp_filter=0`);
  }
  // So that made-up senders are answered, if the stack has a mind to.
  await there.run("ip", "route", "add", "default", "via", "10.1.0.3");
  const receiver = await startReceiver(there, { raw, port: PORT, options: PATIENT });
  const sender = startSender(here, {
    raw,
    port: PEER_PORT,
    addresses: ["10.1.0.2"],
    peerPort: PORT,
    paths: 4,
    options: PATIENT,
  });
  await receiver.says(/^received 1000$/m);

  const states: Record<string, number>[] = [];
  for (const [wave, count] of WAVES.entries()) {
    await attack(stranger, { count, seed: wave });
    states.push(await counters(receiver, wave + 1));
  }
  sender.signal("SIGUSR1");
  const [, sent] = await sender.says(/^sent in all (\d+)$/m);
  await t.step(`${sent} messages came during the attack, each once and in order`, async () => {
    await receiver.says(new RegExp(`^received in all ${sent}, wrong 0,`, "m"));
    assert.ok(Number(sent) > 2000);
  });
  await t.step("neither side noticed, and both ended in order", async () => {
    for (const program of [sender, receiver]) {
      await program.says(/^down shutdown$/m);
      assert.equal(await program.exitCode(), 0, program.output);
      assert.doesNotMatch(program.output, /trouble|unreachable/);
    }
  });
  const last = countersOf(receiver);
  const hostile = ["checksumErrors", "malformed", "outOfTheBlue", "wrongTag", "badCookies"] as const;
  const seen = hostile.map((name) => `${name} ${last[name]}`).join(", ");
  await t.step(`the stack saw the attack: ${seen}`, () => {
    for (const name of hostile) assert.ok(last[name]! > 100, name);
    assert.ok(last["packetsReceived"]! > 5000); // a receiver that is late gets what its socket has room for
  });
  const growth = states[1]!["heapOctets"]! - states[0]!["heapOctets"]!;
  await t.step(`no association more, and the heap has grown by ${Math.round(growth / 1024)} KiB`, () => {
    assert.equal(last["associationsUp"], 1);
    assert.equal(last["associationsDown"], 1);
    assert.ok(growth < GROWTH_OCTETS);
  });
}

async function attack(stranger: Pc, wave: Pick<HostileTask, "count" | "seed">): Promise<void> {
  const task: HostileTask = {
    victim: "10.1.0.2",
    victimPort: PORT,
    peer: "10.1.0.1",
    peerPort: PEER_PORT,
    strangers: "172.20",
    ...wave,
  };
  const attacker = stranger.start(
    Deno.execPath(),
    "run",
    "--allow-all",
    "--quiet",
    STRANGER,
    JSON.stringify(task),
  );
  assert.equal(await attacker.exitCode(ATTACK_LIMIT_MS), 0, attacker.output);
  const [, sent] = await attacker.says(/^sent (\d+) packets$/m);
  assert.ok(Number(sent) > wave.count * 0.9, attacker.output);
}

/** Asks a receiver for its counters, for the `number`th time. */
async function counters(receiver: Program, number: number): Promise<Record<string, number>> {
  receiver.signal("SIGUSR1");
  await receiver.says(new RegExp(`(?:^counters .*$[^]*){${number}}`, "m"));
  return countersOf(receiver);
}
