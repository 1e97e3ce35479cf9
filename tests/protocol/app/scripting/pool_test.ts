import assert from "node:assert/strict";
import { reportsOf } from "../../session/world.ts";
import { Lab, turned } from "./lab.ts";
import { HASH } from "./server_bench.ts";

Deno.test("a job is done, and its server has nothing left of it", () => {
  const lab = new Lab(1);
  const server = lab.server(0x11);
  const user = lab.user();
  lab.run(2000);
  lab.submit(user, 1, 100_000);
  const [result] = lab.results(user, 1);
  assert.equal(result!.outcome, "succeeded");
  assert.equal(result!.server, "pe17");
  assert.equal(result!.runs, 1);
  assert.deepEqual(user.outputs.get(1), turned(user.inputs.get(1)!));
  assert.equal(server.workspaces.size, 0);
  assert.equal(server.app.jobCount, 0);
});

Deno.test("an environment is uploaded once, and found in the cache by the next job", () => {
  const lab = new Lab(2);
  lab.server(0x11);
  const user = lab.user();
  lab.run(2000);
  for (const job of [1, 2]) {
    lab.submit(user, job, 5000, HASH);
    assert.equal(lab.results(user, job)[job - 1]!.outcome, "succeeded");
    assert.deepEqual(user.outputs.get(job), turned(user.inputs.get(job)!, user.environment));
  }
  const needed = reportsOf(user.process, "jobEnvironment").map(({ uploadNeeded }) => uploadNeeded);
  assert.deepEqual(needed, [true, false]);
});

Deno.test("more jobs than places: all are done, and nobody waits for long when one is free", () => {
  const lab = new Lab(3);
  lab.server(0x11, 2);
  lab.server(0x12, 1);
  const user = lab.user({ retryDelayMs: 2000 });
  lab.run(2000);
  const before = lab.world.network.now;
  for (let job = 1; job <= 6; job++) lab.submit(user, job, 1000);
  for (const result of lab.results(user, 6)) assert.equal(result.outcome, "succeeded");
  const tookMs = lab.world.network.now - before;
  assert.ok(tookMs < 3 * 3000 + 6000, `six jobs of 3 s in three places took ${tookMs} ms`);
  for (const [job, input] of user.inputs) assert.deepEqual(user.outputs.get(job), turned(input));
});

Deno.test("a job that fails here and succeeds there is tried again; one that always fails is given up", () => {
  const lab = new Lab(4);
  lab.server(0x11, 1, 100, (job) => job === 0 ? 7 : 0);
  const user = lab.user();
  lab.run(2000);
  lab.submit(user, 1, 1000);
  const [result] = lab.results(user, 1);
  assert.deepEqual([result!.outcome, result!.status, result!.runs], ["succeeded", 0, 2]);

  const other = new Lab(5);
  other.server(0x11, 1, 100, () => 7);
  const unlucky = other.user({ maxTrials: 3 });
  other.run(2000);
  other.submit(unlucky, 1, 1000);
  const [failed] = other.results(unlucky, 1);
  assert.deepEqual([failed!.outcome, failed!.status, failed!.runs], ["failed", 7, 3]);
  assert.deepEqual(unlucky.outputs.get(1), turned(unlucky.inputs.get(1)!), "what it left is there");
});

Deno.test("servers are killed at any moment: every job is done elsewhere, byte for byte", () => {
  for (let seed = 100; seed < 130; seed++) {
    const lab = new Lab(seed);
    for (const id of [0x11, 0x12, 0x13]) lab.server(id, 2, 800);
    const user = lab.user({ retryDelayMs: 1000 });
    lab.run(2000);
    for (let job = 1; job <= 3; job++) lab.submit(user, job, 20_000, job === 2 ? HASH : undefined);
    for (let kill = 0; kill < 2; kill++) {
      lab.run(58 * (seed - 100) + 700 * kill);
      const busy = lab.servers.find((server) => !server.killed && server.app.jobCount > 0);
      if (busy !== undefined) lab.kill(busy, (seed + kill) % 2 === 0 ? "abort" : "silent");
    }
    for (const result of lab.results(user, 3)) assert.equal(result.outcome, "succeeded", `seed ${seed}`);
    for (const [job, input] of user.inputs) {
      const environment = job === 2 ? user.environment : [];
      assert.deepEqual(user.outputs.get(job), turned(input, environment), `seed ${seed}, job ${job}`);
    }
    for (const server of lab.servers) {
      if (!server.killed) assert.equal(server.workspaces.size, 0, `seed ${seed}`);
    }
  }
});

Deno.test("a server that stops in order sends its users elsewhere, without being called unreachable", () => {
  const lab = new Lab(6);
  const servers = [lab.server(0x11), lab.server(0x12)];
  const user = lab.user();
  lab.run(2000);
  lab.submit(user, 1, 1000);
  lab.run(1500);
  const busy = servers.find((server) => server.app.jobCount > 0)!;
  busy.process.input({ type: "stop" });
  const [result] = lab.results(user, 1);
  assert.deepEqual([result!.outcome, result!.failovers, result!.runs], ["succeeded", 1, 2]);
  assert.equal(busy.workspaces.size, 0);
  assert.equal(reportsOf(user.process, "unreachableReported").length, 0);
});

Deno.test("a user that goes in the middle leaves nothing behind", () => {
  for (const afterMs of [10, 50, 100, 500, 1500, 3100]) {
    const lab = new Lab(7);
    const server = lab.server(0x11);
    const user = lab.user();
    lab.run(2000);
    lab.submit(user, 1, 200_000);
    lab.run(afterMs);
    lab.world.network.kill(user.process, "abort");
    lab.run(1000);
    assert.equal(server.workspaces.size, 0, `after ${afterMs} ms`);
    assert.equal(server.app.jobCount, 0);
  }
});

Deno.test("a user that falls silent in the middle is missed by keep-alives", () => {
  const lab = new Lab(8);
  const server = lab.server(0x11, 1, 1e9);
  const user = lab.user();
  lab.run(2000);
  lab.submit(user, 1, 1000);
  lab.run(1000);
  assert.equal(server.workspaces.size, 1);
  lab.world.network.cut(user.process.host, server.process.host);
  lab.run(60_000);
  assert.equal(server.workspaces.size, 0);
});
