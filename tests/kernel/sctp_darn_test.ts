/**
 * `rsp darn` and the original `sctp_darn` as each other's peers, in namespaces of the guest: on kernel SCTP, and on the
 * embedded stack in UDP, which the kernel of the other PC unpacks (RFC 6951). On plain IP the two cannot share the guest's
 * kernel; that is tested between host and guest.
 */
import assert from "node:assert/strict";
import { escaped, pathLine } from "../net/exercise_sctp.ts";
import { type Exercise, judgeWire } from "../net/exercise_wire.ts";
import { Lab } from "../net/lab.ts";
import type { Pc } from "../net/lab.ts";
import { addressesOf } from "../net/sctp_lab.ts";
import { inFull, original } from "./original_darn.ts";

/** What takes seconds in the guest. */
const PATIENCE_MS = 120_000;

/** UDP port at which the kernel unpacks SCTP. */
const KERNEL_UDP_PORT = 9899;

/** UDP port of the embedded stack's SCTP port 1234. */
const EMBEDDED_UDP_PORT = 11_234;

/** Messages that are sent around the pulled cable, 50 a second. */
const COUNT = 500;

/** Time-outs that a path survives. */
const PATH_MAX = 2;

const TIMERS = [
  "-hbinterval=1000",
  `-path-max=${PATH_MAX}`,
  "-assoc-max=100", // a side may be stopped for some seconds
  "-rto-initial=300",
  "-rto-min=300",
  "-rto-max=600",
];

interface Carrier {
  readonly name: string;
  /** The guest's kernel leaves checksums to hardware that its virtual cables do not have. */
  readonly judgesChecksums: boolean;
  readonly words: readonly string[];
  /** Makes the original's PC ready. */
  prepare(pc: Pc): Promise<void>;
}

const CARRIERS: readonly Carrier[] = [
  { name: "kernel SCTP", judgesChecksums: false, words: ["-transport=kernel"], prepare: setTimers },
  {
    name: "embedded stack in UDP",
    judgesChecksums: true,
    words: ["-transport=embedded", "-encapsulation=udp", `-encap-port=${KERNEL_UDP_PORT}`],
    prepare: async (pc) => {
      await setTimers(pc);
      await pc.run("sysctl", "-q", "-w", `net.sctp.udp_port=${KERNEL_UDP_PORT}`);
      await pc.run("sysctl", "-q", "-w", `net.sctp.encap_port=${EMBEDDED_UDP_PORT}`);
      // Else the kernel hands several UDP-encapsulated SCTP packets down as one, which nobody takes apart on a virtual cable.
      for (const device of ["eth0", "eth1"]) {
        await pc.run("ip", "link", "set", device, "gso_max_size", "1500");
      }
    },
  },
];

/** What the original can only get by sysctl. */
async function setTimers(pc: Pc): Promise<void> {
  const values = {
    hb_interval: 1000,
    path_max_retrans: PATH_MAX,
    association_max_retrans: 100,
    rto_initial: 300,
    rto_min: 300,
    rto_max: 600,
  };
  for (const [name, value] of Object.entries(values)) {
    await pc.run("sysctl", "-q", "-w", `net.sctp.${name}=${value}`);
  }
}

/** Waits until the kernel of a PC uses these addresses of its peer. */
async function allPathsActive(pc: Pc, addresses: readonly string[]): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
    const lines = (await pc.run("cat", "/proc/net/sctp/remaddr")).split("\n").map((line) =>
      line.split(/\s+/)
    );
    const active = lines.filter((words) => words[7] === SCTP_ACTIVE).map(([address]) => inFull(address!));
    if (addresses.every((address) => active.includes(inFull(address)))) return;
  }
  assert.fail(await pc.run("cat", "/proc/net/sctp/remaddr"));
}

/** `enum sctp_spinfo_state` of Linux. */
const SCTP_ACTIVE = "2";

/** Plays rows 1.2 to 1.8, and lets tshark judge what our program has sent. */
async function play(
  t: Deno.TestContext,
  scene: (lab: Lab) => Promise<Omit<Exercise, "sender" | "listener">>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await using lab = await Lab.open(2);
    const recording = `${directory}/darn.pcap`;
    const recorder = await lab.capture(recording);
    const exercise = await scene(lab);
    await recorder.interrupt();
    assert.match(recorder.output, /^0 packets dropped by kernel$/m, recorder.output);
    await judgeWire(t, recording, { listener: lab.pc(1), sender: lab.pc(2), ...exercise });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

for (const carrier of CARRIERS) {
  const { judgesChecksums } = carrier;

  Deno.test(`rsp darn sends to sctp_darn, ${carrier.name}: exercise 1.2 to 1.8`, (t) =>
    play(t, async (lab) => {
      const there = lab.pc(1), here = lab.pc(2);
      const outage = { from: 0, until: 0, pathMax: PATH_MAX };
      await carrier.prepare(there);
      const listener = original(there, "-H", "::", "-P", "1234", "-l");
      await listener.says(/listening/, PATIENCE_MS);
      const sender = here.rspTyping(
        ...["darn", "-H", "::", "-P", "2345", "-h", addressesOf(there)[0]!, "-p", "1234", "-s", "-I"],
        ...carrier.words,
        ...TIMERS,
      );
      const yellow = addressesOf(there)[2]!;
      await t.step("1.4: snd=10000 arrives whole", async () => {
        await sender.types("snd=10000 sid=3 ppid=47");
        await sender.says(/ASSOC_CHANGE - COMM_UP/, PATIENCE_MS);
        await listener.says(/NOTIFICATION: ASSOC_CHANGE - COMM_UP/, PATIENCE_MS);
        await listener.says(/sinfo_stream +3[^]*DATA\(10000\):/, PATIENCE_MS);
      });
      await t.step("1.5: every address is confirmed", async () => {
        for (const address of addressesOf(there).slice(1)) {
          await sender.says(pathLine("ADDR_CONFIRMED", address), PATIENCE_MS);
        }
        await sender.types("heartbeat");
        for (const address of addressesOf(there)) {
          await sender.says(new RegExp(`HEARTBEAT ACK from ${escaped(address)}: `), PATIENCE_MS);
        }
      });
      await t.step(
        "1.6, 1.7: another primary address; its cable is pulled out; nothing is lost",
        async () => {
          await sender.types(`primary=${yellow}`);
          await sender.says(pathLine("ADDR_MADE_PRIM", yellow), PATIENCE_MS);
          await sender.types(`snd=33 count=${COUNT} rate=50`);
          await listener.saysTimes("DATA(33)", 20, PATIENCE_MS);
          sender.signal("SIGSTOP"); // however long the pulling takes, it is not done with its messages
          outage.from = Date.now();
          await there.cable("yellow", "out", sender);
          await sender.says(pathLine("ADDR_UNREACHABLE", yellow), PATIENCE_MS);
          await listener.saysTimes("DATA(33)", COUNT, PATIENCE_MS);
          assert.equal(listener.output.match(/DATA\(33\)/g)?.length, COUNT);
          outage.until = Date.now();
          await there.cable("yellow", "in");
          await sender.says(pathLine("ADDR_AVAILABLE", yellow), PATIENCE_MS);
        },
      );
      await t.step("1.8: Ctrl+C shuts down", async () => {
        assert.equal(await sender.interrupt(), 0, sender.output);
        await listener.says(/ASSOC_CHANGE - SHUTDOWN_COMP/, PATIENCE_MS);
      });
      const story = { long: { stream: 3, ssn: 0 }, moved: { stream: 0, ssn: 0 }, shutdowns: 1, aborts: 0 };
      return { judged: [here], judgesChecksums, outage, ...story };
    }));

  Deno.test(`sctp_darn sends to rsp darn, ${carrier.name}: exercise 1.2 to 1.8`, (t) =>
    play(t, async (lab) => {
      const outage = { from: 0, until: 0, pathMax: PATH_MAX };
      const there = lab.pc(1), here = lab.pc(2);
      await carrier.prepare(here);
      const listener = there.rsp(
        "darn",
        "-H",
        "::",
        "-P",
        "1234",
        "-l",
        "-json",
        ...carrier.words,
        ...TIMERS,
      );
      await listener.says(/"event":"started"/, PATIENCE_MS);
      const sender = original(
        here,
        ...["-H", "::", "-P", "2345", "-h", addressesOf(there)[0]!, "-p", "1234", "-s", "-I"],
      );
      await t.step("1.4: snd=10000 arrives whole", async () => {
        await sender.types("snd=10000");
        await listener.says(/"event":"up"/, PATIENCE_MS);
        await listener.says(/"event":"message".*"length":10000/, PATIENCE_MS);
        await sender.says(/New connection, peer addresses/, PATIENCE_MS);
      });
      await t.step("1.5: the original learns all addresses, and all are confirmed", async () => {
        for (const address of addressesOf(there)) {
          await sender.says(new RegExp(`^${inFull(address)}:1234$`, "m"), PATIENCE_MS);
        }
        for (const address of addressesOf(here).slice(1)) {
          await listener.says(
            new RegExp(`"address":"${escaped(address)}","change":"confirmed"`),
            PATIENCE_MS,
          );
        }
      });
      await t.step(
        "1.6, 1.7: another primary address; its cable is pulled out; nothing is lost",
        async () => {
          await allPathsActive(here, addressesOf(there)); // of others it does not make use yet
          await sender.types(`primary=${addressesOf(there)[2]}`);
          await sender.types("snd=501");
          await listener.says(/"event":"message".*"length":501/, PATIENCE_MS);
          sender.signal("SIGSTOP"); // it sends as soon as the cable is out, before HEARTBEATs find that out
          for (let i = 0; i < 20; i++) await sender.types("snd=500");
          outage.from = Date.now();
          await there.cable("yellow", "out", sender);
          await listener.says(
            new RegExp(`"address":"${escaped(addressesOf(here)[2]!)}","change":"unreachable"`),
            PATIENCE_MS,
          );
          await listener.saysTimes('"length":500,', 20, PATIENCE_MS);
          assert.equal(listener.output.match(/"length":500,/g)?.length, 20);
          outage.until = Date.now();
          await there.cable("yellow", "in");
          await listener.says(
            new RegExp(`"address":"${escaped(addressesOf(here)[2]!)}","change":"available"`),
            PATIENCE_MS,
          );
        },
      );
      await t.step("shutdown and abort of the original are told", async () => {
        await sender.types("shutdown");
        await listener.says(/"event":"down","association":1.*"reason":"shutdown"/, PATIENCE_MS);
        await sender.says(/Successfully SHUTDOWN the original association/, PATIENCE_MS);
        await sender.types("snd=11");
        await listener.says(/"event":"message","association":2.*"length":11/, PATIENCE_MS);
        await sender.saysTimes("New connection, peer addresses", 2, PATIENCE_MS); // of which it knows what to abort
        await sender.types("abort");
        await listener.says(
          /"event":"down","association":2.*"reason":"aborted","origin":"peer","code":12/,
          PATIENCE_MS,
        );
      });
      await t.step("1.8: Ctrl+C shuts down, and ends the listener", async () => {
        await sender.types("snd=12");
        await sender.saysTimes("New connection, peer addresses", 3, PATIENCE_MS); // it aborts with what it has not read
        await listener.says(/"event":"message","association":3.*"length":12/, PATIENCE_MS);
        await sender.interrupt();
        await listener.says(/"event":"down","association":3.*"reason":"shutdown"/, PATIENCE_MS);
        assert.equal(await listener.interrupt(), 0, listener.output);
      });
      const story = { long: { stream: 0, ssn: 0 }, moved: { stream: 0, ssn: 1 }, shutdowns: 2, aborts: 1 };
      return { judged: [there], judgesChecksums, outage, ...story };
    }));
}
