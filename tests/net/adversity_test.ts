/** A real user whose pool is not there: it says what is missing, tries ever less often, and goes on when it comes. */
import assert from "node:assert/strict";
import { Lab, labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";
import { addressesOf } from "./sctp_lab.ts";

const possible = await labIsPossible();

/** No recovery takes longer, unless it is broken: the longest wait is 10 s, and this machine may be busy. */
const RECOVERY_MS = 120_000;

/** The waits that a program has told of something, in seconds. */
function waits(output: string, what: RegExp): number[] {
  return output.split("\n").filter((line) => what.test(line)).flatMap((line) => {
    const [, seconds] = /next attempt in ([\d.]+) s/.exec(line) ?? [];
    return seconds === undefined ? [] : [Number(seconds)];
  });
}

/** Each of the first waits is longer than the one before, but for jitter and rounding. */
function assertGrowing(seconds: readonly number[]): void {
  assert.ok(seconds.length >= 4, `${seconds}`);
  for (let n = 1; n < 4; n++) assert.ok(seconds[n]! > 1.3 * seconds[n - 1]!, `${seconds}`);
}

/**
 * Starts a registrar that does not miss a server: it asks none for a sign of life in the time of a test. A kill is to be found
 * out by the user.
 */
function startRegistrar(lab: Lab): Program {
  return lab.pc(1).rsp("registrar", "-endpointkeepalivetransmissioninterval=300000");
}

/** From now on nothing of this PC reaches the registrar's, and no ICMP tells the registrar that a server is gone. */
async function hideFromRegistrar(lab: Lab, pc: number): Promise<void> {
  const routes = addressesOf(lab.pc(1)).map((address) => `ip route add blackhole ${address}`);
  await lab.pc(pc).run("sh", "-c", ["set -e", ...routes].join("\n"));
}

async function startServer(lab: Lab, pc: number): Promise<Program> {
  const server = lab.pc(pc).rsp("server", "-echo");
  await server.says(/registered as/);
  return server;
}

async function kill(program: Program): Promise<void> {
  program.signal("SIGKILL");
  await program.exitCode();
}

Deno.test({
  name:
    "a user without registrar, pool, living server and registrar again says so, and is served when each comes",
  ignore: !possible,
  async fn(t) {
    await using lab = await Lab.open(4);
    const user = lab.pc(4).rspTyping("terminal");
    let registrar!: Program, server!: Program;

    await t.step("no registrar: it waits for one", async () => {
      await user.types("first");
      await user.says(/waiting for a registrar to announce itself/);
      registrar = startRegistrar(lab);
      await user.says(/registrar 0x[0-9a-f]{8} at /, RECOVERY_MS);
    });

    await t.step("unknown pool: it asks again, ever less often", async () => {
      await user.says(/(pool EchoPool: unknown pool handle; next attempt in [\d.]+ s[^]*){5}/);
      assertGrowing(waits(user.output, /unknown pool handle/));
      server = await startServer(lab, 2);
      await user.says(/> first$/m, RECOVERY_MS);
    });

    await t.step("only dead servers: it says so, and finds a new one", async () => {
      const before = user.output.length;
      // Whatever the registrar sends there, a heartbeat of SCTP or a keep-alive, would make the pool unknown, in time or not.
      registrar.signal("SIGSTOP");
      await hideFromRegistrar(lab, 2);
      await kill(server);
      registrar.signal("SIGCONT");
      await user.types("are you there"); // else the next heartbeat tells, after half a minute
      await user.says(/0x[0-9a-f]{8} cannot be reached: .*; next attempt in/, undefined, before);
      server = await startServer(lab, 3);
      await user.says(/talking to /, RECOVERY_MS, before);
      await user.types("second");
      await user.says(/> second$/m, RECOVERY_MS);
      assert.ok(user.output.length - before < 10_000, "no flood of messages");
    });

    await t.step("dead registrar: the session goes on, and a new registrar is used", async () => {
      const before = user.output.length;
      await kill(registrar);
      await user.types("third");
      await user.says(/> third$/m, RECOVERY_MS);
      await user.says(/registrar .* lost: /, RECOVERY_MS, before); // its own heartbeats tell, every 30 s: nothing is asked of it meanwhile
      registrar = startRegistrar(lab);
      await user.says(/registrar 0x[0-9a-f]{8} at /, RECOVERY_MS, before);
    });

    assert.equal(await user.interrupt(), 0, user.output);
  },
});

Deno.test({
  name: "a user whose registrar is named and not there tries ever less often, and finds it when it comes",
  ignore: !possible,
  async fn() {
    await using lab = await Lab.open(2);
    const user = lab.pc(2).rspTyping("terminal", "-registrar=10.1.0.1:3863", "-asapannounce=off");
    await user.types("hello");
    await user.says(/(registrar 10\.1\.0\.1:3863 cannot be used: .*; next attempt in [\d.]+ s[^]*){4}/);
    assertGrowing(waits(user.output, /cannot be used/));
    const registrar = lab.pc(1).rsp("registrar");
    await registrar.says(/ASAP has SCTP port/);
    const server = lab.pc(1).rsp("server", "-echo");
    await server.says(/registered as/);
    await user.says(/> hello$/m, RECOVERY_MS);
    assert.equal(await user.interrupt(), 0, user.output);
  },
});
