import assert from "node:assert/strict";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { LEAST_USED, reportsOf } from "../../session/world.ts";
import { Lab } from "./lab.ts";

Deno.test("jobs are calculated one after the other, each in its time", () => {
  const lab = new Lab(1);
  lab.server(0x11);
  const user = lab.user();
  lab.world.network.run(2000);
  for (const jobSize of [3_000_000, 1_000_000, 500_000]) user.input({ type: "job", jobSize });
  const jobs = lab.completed(user, 3);
  assert.deepEqual(jobs.map(({ record }) => record.jobSize), [3_000_000, 1_000_000, 500_000]);
  assert.deepEqual(jobs.map(({ record }) => record.queueLength), [0, 0, 1]);
  for (const { record: { acceptedAt, completedAt, jobSize, failovers } } of jobs) {
    const expected = jobSize / 1000;
    assert.ok(Math.abs(completedAt - acceptedAt - expected) < 10, `${completedAt - acceptedAt} ms`);
    assert.equal(failovers, 0);
  }
  assert.ok(Math.abs(lab.used(lab.servers[0]!) - 4_500_000) < 1);
});

Deno.test("users share the capacity of a server, and its load follows", () => {
  const lab = new Lab(2);
  const server = lab.server(0x11, { maxJobs: 4 }, { policy: LEAST_USED });
  const users = [lab.user(), lab.user()];
  lab.world.network.run(2000);
  for (const user of users) user.input({ type: "job", jobSize: 1_000_000 });
  for (const user of users) {
    const [{ record }] = lab.completed(user, 1);
    const took = record.completedAt - record.acceptedAt;
    assert.ok(took > 1900 && took < 2010, `half the speed: ${took} ms`);
  }
  const loads = server.process.effects.flatMap(({ effect }) =>
    effect.type === "report" && effect.report.type === "calcAppUsage" ? [effect.report.jobCount / 4] : []
  );
  assert.deepEqual(loads, [0.25, 0.5, 0.25, 0]);
});

Deno.test("a server is killed at any moment: its job goes on without a gap, and what is done twice is bounded", () => {
  for (let seed = 100; seed < 200; seed++) {
    const lab = new Lab(seed);
    for (const id of [0x11, 0x12, 0x13]) lab.server(id, { cookieMaxTimeMs: 1000 });
    const user = lab.user();
    lab.world.network.run(2000);
    user.input({ type: "job", jobSize: 20_000_000 });
    user.input({ type: "job", jobSize: 1_000_000 });
    for (let kill = 0; kill < 2; kill++) {
      lab.world.network.run(37 * (seed - 100) + 1000 * kill);
      const inUse = lab.inUse();
      if (inUse !== undefined) lab.kill(inUse, (seed + kill) % 2 === 0 ? "abort" : "silent");
    }
    const jobs = lab.completed(user, 2);
    assert.deepEqual(jobs.map(({ record }) => [record.jobId, record.jobSize]), [[1, 20_000_000], [
      2,
      1_000_000,
    ]]);
    const used = lab.servers.reduce((sum, server) => sum + lab.used(server), 0);
    assert.ok(used >= 20_999_999, `${used} calculations were done, of 21000000`);
    // A second between two cookies, and the time that a cookie travels.
    assert.ok(used <= 21_000_000 + 2 * 1_010_000, `${used - 21_000_000} calculations were done twice`);
  }
});

Deno.test("a server that stops in order hands its job over without a repeated calculation", () => {
  const lab = new Lab(3);
  const servers = [lab.server(0x11), lab.server(0x12)];
  const user = lab.user();
  lab.world.network.run(2000);
  user.input({ type: "job", jobSize: 5_000_000 });
  lab.world.network.run(1234);
  lab.inUse()!.process.input({ type: "stop" });
  const [{ record }] = lab.completed(user, 1);
  assert.equal(record.failovers, 1);
  const used = servers.reduce((sum, server) => sum + lab.used(server), 0);
  assert.ok(used < 5_000_001, `${used - 5_000_000} calculations were done twice`);
  assert.equal(reportsOf(user, "unreachableReported").length, 0, "it is not called unreachable");
});

Deno.test("a server that stops in order without cookies costs what was done since the last one", () => {
  const lab = new Lab(4);
  for (const id of [0x11, 0x12]) lab.server(id, { cleanShutdownProbability: 0 });
  const user = lab.user();
  lab.world.network.run(2000);
  user.input({ type: "job", jobSize: 2_000_000 });
  lab.world.network.run(1000);
  lab.inUse()!.process.input({ type: "stop" });
  lab.completed(user, 1);
  const used = lab.servers.reduce((sum, server) => sum + lab.used(server), 0);
  assert.ok(used > 2_900_000, "it began anew");
});

Deno.test("a full server rejects, and all jobs are done in the end", () => {
  const lab = new Lab(5);
  lab.server(0x11, { maxJobs: 1 });
  lab.server(0x12, { maxJobs: 2 });
  const users = Array.from({ length: 8 }, () => lab.user());
  lab.world.network.run(2000);
  for (const user of users) user.input({ type: "job", jobSize: 500_000 });
  for (const user of users) lab.completed(user, 1);
  const rejected = users.flatMap((user) => reportsOf(user, "jobRejected"));
  assert.ok(rejected.length >= 5, "five found no place at first");
  assert.equal(users.flatMap((user) => reportsOf(user, "unreachableReported")).length, 0);
});

Deno.test("a job ends when its user has gone, and the others have its capacity", () => {
  const lab = new Lab(6);
  const server = lab.server(0x11, { maxJobs: 2 });
  const [gone, stays] = [lab.user(), lab.user()];
  lab.world.network.run(2000);
  gone.input({ type: "job", jobSize: 1e12 });
  stays.input({ type: "job", jobSize: 2_000_000 });
  lab.world.network.run(1000);
  assert.equal(server.app.jobCount, 2);
  lab.world.network.kill(gone, "abort");
  lab.world.network.run(100);
  assert.equal(server.app.jobCount, 1);
  const [{ record }] = lab.completed(stays, 1);
  assert.ok(record.completedAt - record.acceptedAt < 2600, "half the speed for one of about three seconds");
});

Deno.test("a user that is cut off is missed by keep-alives on both sides, and its job goes on elsewhere", () => {
  const lab = new Lab(7);
  const servers = [lab.server(0x11), lab.server(0x12)];
  const user = lab.user();
  lab.world.network.run(2000);
  user.input({ type: "job", jobSize: 30_000_000 });
  lab.world.network.run(8000);
  const cutOff = lab.inUse()!;
  lab.world.network.cut(cutOff.process.host, user.host);
  lab.world.network.run(5100);
  assert.equal(cutOff.app.jobCount, 0, "2.5 s of silence, and 2.5 s without an answer");
  const [{ record }] = lab.completed(user, 1);
  assert.equal(record.failovers, 1);
  const [failover] = reportsOf(user, "jobFailover");
  assert.deepEqual([failover.hasCookie, failover.elementId], [true, cutOff.elementId]);
  assert.equal(lab.inUse(), undefined);
  const used = servers.reduce((sum, server) => sum + lab.used(server), 0);
  assert.ok(used < 30_000_000 + 5_000_000 + 10_000_000, `${used}`);
});

Deno.test("jobs come by themselves with the means that were asked for, as many as were asked for", () => {
  const lab = new Lab(8);
  lab.server(0x11, { capacity: 1e9 });
  const user = lab.user({ arrivals: { meanIntervalMs: 100, meanJobSize: 1_000_000, jobs: 400 } });
  const jobs = lab.completed(user, 400).map(({ record }) => record);
  lab.world.network.run(10_000);
  assert.equal(reportsOf(user, "jobCompleted").length, 400, "and no more");
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const size = mean(jobs.map(({ jobSize }) => jobSize)),
    interval = mean(jobs.map(({ intervalMs }) => intervalMs));
  assert.ok(size > 850_000 && size < 1_150_000, `mean size ${size}`);
  assert.ok(interval > 85 && interval < 115, `mean interval ${interval}`);
  assert.ok(jobs.every(({ queuedAt }, index) => index === 0 || queuedAt > jobs[index - 1]!.queuedAt));
});

Deno.test("a user waits for a pool that comes late", () => {
  const lab = new Lab(9);
  const user = lab.user();
  user.input({ type: "job", jobSize: 1000 });
  lab.world.network.run(20_000);
  assert.ok(reportsOf(user, "poolUnknown").length > 3);
  lab.server(0x11);
  lab.completed(user, 1);
});

Deno.test("a pool that cannot read the cookie is asked anew after four elements", () => {
  const lab = new Lab(10);
  const server = lab.server(0x11, { cookieMaxTimeMs: 500 });
  const user = lab.user();
  lab.world.network.run(2000);
  user.input({ type: "job", jobSize: 2_000_000 });
  lab.world.network.run(600);
  // The cookie is changed on its way, as by an element of another make.
  user.input({
    type: "transport",
    endpoint: "data",
    event: {
      type: "message",
      association: [...user.sides].find(([, side]) => side.endpoint === "data")![0],
      stream: 0,
      ssn: 0,
      tsn: 0,
      ppid: 11,
      unordered: false,
      data: Uint8Array.of(0x0b, 0, 0, 12, 0, 0x0d, 0, 8, ...encodeText("what")),
    },
  });
  lab.kill(server, "abort");
  lab.server(0x12);
  const [{ record }] = lab.completed(user, 1);
  assert.equal(record.failovers, 5, "the death, and four refusals");
});
