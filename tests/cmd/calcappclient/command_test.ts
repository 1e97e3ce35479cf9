/** CalcApp within one process: registrar, servers and client as commands, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { command as calcAppClient } from "../../../cmd/calcappclient/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { Program, startRegistrar } from "../program.ts";

/** The columns of the data lines of a vector file, by name; the first column, the line's number, is `""`. */
async function vector(path: string): Promise<Record<string, string>[]> {
  const [header = "", ...lines] = (await Deno.readTextFile(path)).trim().split("\n");
  const names = ["", ...header.split(/ +/)];
  return lines.map((line) => {
    const columns = line.split(/ +/);
    assert.equal(columns.length, names.length, line);
    return Object.fromEntries(names.map((name, index) => [name, columns[index]!]));
  });
}

/** The values of a scalar file. */
async function scalars(path: string): Promise<ReadonlyMap<string, number>> {
  const [run, ...lines] = (await Deno.readTextFile(path)).trim().split("\n");
  assert.equal(run, 'run 1 "scenario"');
  return new Map(lines.map((line) => {
    const match = /^scalar "([^"]+)" "([^"]+)" +([\d.]+)$/.exec(line);
    assert.ok(match, line);
    return [match[2]!, Number(match[3])];
  }));
}

Deno.test("five jobs are calculated, and both sides write them down in RSPLIB's form", async () => {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const files = ["pe.vec", "pe.sca", "pu.vec", "pu.sca"].map((name) => join(folder, name));
  const [peVector, peScalar, puVector, puScalar] = files as [string, string, string, string];
  const pe = new Program(
    server,
    "-calcapp",
    option,
    "-identifier=0x11",
    "-policy=LeastUsed",
    `-capvector=${peVector}`,
    `-capscalar=${peScalar}`,
    "-capobject=lab.pe[3]",
  );
  try {
    await pe.event("registered");
    const user = new Program(
      calcAppClient,
      option,
      "-jobs=5",
      "-jobinterval=0.001",
      "-jobsize=20000",
      `-vector=${puVector}`,
      `-scalar=${puScalar}`,
    );
    assert.equal(await user.ended, 0);
    const summary = await user.event("jobs");
    assert.deepEqual([summary["queued"], summary["completed"], summary["failovers"]], [5, 5, 0]);
    const lines = await vector(puVector);
    assert.deepEqual(lines.map(({ JobID }) => JobID), ["1", "2", "3", "4", "5"]);
    const size = lines.reduce((sum, { JobSize }) => sum + Number(JobSize), 0);
    assert.equal(size, summary["calculations"]);
    let allTook = 0;
    for (const line of lines) {
      // Not the processing time: in one busy process the Accept may be read late.
      const took = Number(line["StartupDelay"]) + Number(line["ProcessingTime"]);
      const alone = Number(line["JobSize"]) / 1e6;
      allTook += took;
      assert.ok(took >= alone - 0.001, `a job of ${alone} s alone took ${took} s`);
      assert.ok(Number(line["CompleteTimeStamp"]) > 1.7e9, "in seconds since 1970");
    }
    const totals = await scalars(puScalar);
    assert.equal(totals.get("CalcAppPU Total Jobs Completed"), 5);
    assert.equal(totals.get("CalcAppPU Total CalcAppRequests"), 5);
    assert.equal(totals.get("CalcAppPU Total Job Size Completed"), size);
    assert.equal(totals.size, 18);

    assert.equal(await pe.stop(), 0);
    const usage = await vector(peVector);
    assert.deepEqual(usage.map(({ CurrentJobs }) => CurrentJobs).slice(0, 4), ["1", "0", "1", "0"]);
    assert.ok(usage.every((line) => line["PoolElementIdentifier"] === "0x00000011"));
    assert.ok(usage.every((line) => line["ObjectName"] === "lab.pe[3]"));
    const work = await scalars(peScalar);
    assert.equal(work.get("CalcAppPE Total Jobs Accepted"), 5);
    const used = work.get("CalcAppPE Total Used Capacity")!;
    assert.ok(used >= size - 5, `${used} calculations for ${size}`);
    // While a job is there its capacity is used, and a busy process is late to end one.
    assert.ok(used <= 1e6 * allTook + 5, `${used} calculations in ${allTook} s`);
    const wasted = work.get("CalcAppPE Total Wasted Capacity")!,
      uptime = work.get("CalcAppPE Service Uptime")!;
    assert.ok(Math.abs(used + wasted - 1e6 * uptime) < 10, "what was not used was wasted");
  } finally {
    for (const one of [pe, pr]) assert.equal(await one.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a job goes on from its cookie when its server ends in order", async () => {
  const { program: pr, option } = await startRegistrar();
  const start = (id: number) => {
    return new Program(server, "-calcapp", option, `-identifier=${id}`, "-capmaxjobs=1", "-capcapacity=1000");
  };
  const first = start(1);
  await first.event("registered");
  // It lives until it is stopped, however long the test takes to get there.
  const user = new Program(calcAppClient, option, "-jobsize=1e12");
  assert.equal((await user.event("jobAccepted"))["element"], "0x00000001");
  const second = start(2);
  try {
    await second.event("registered");
    assert.equal(await first.stop(), 0);
    assert.equal((await user.event("jobFailover"))["cookie"], true);
    const { resumed, completed } = await second.event("jobStarted");
    assert.deepEqual([resumed, completed], [true, (await first.event("jobEnded"))["completed"]]);
    assert.equal(await user.stop(), 1, "nothing was completed");
    assert.match(String((await second.event("jobEnded"))["reason"]), /shut down/);
  } finally {
    for (const one of [first, second, pr]) assert.equal(await one.stop(), 0);
  }
});
