import assert from "node:assert/strict";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { ClientBench } from "./client_bench.ts";
import { HASH } from "./server_bench.ts";

const environment = (uploadNeeded: boolean) => ({ type: "environment", hash: HASH, uploadNeeded }) as const;

Deno.test("ScriptingClient has RSPLIB's server do a job, message by message", () => {
  const bench = new ClientBench();
  bench.submit();
  assert.deepEqual(bench.words(), ["open"]);
  bench.open();
  assert.deepEqual(bench.words(), []);
  bench.ready();
  assert.deepEqual(bench.words(), ["> read input 0"]);
  bench.read(20_000);
  assert.deepEqual(bench.words(), ["upload 16384", "upload 3616", "> read input 20000"]);
  bench.read(0);
  assert.deepEqual(bench.words(), ["upload 0"]);
  bench.message({ type: "status", status: 0 });
  bench.message({ type: "keepAlive", extended: false });
  assert.deepEqual(bench.words(), ["ack"]);
  bench.now = 500;
  bench.message({ type: "status", status: 0 });
  assert.deepEqual(bench.words(), ["> beginOutput"]);
  bench.download(30);
  bench.download(0);
  assert.deepEqual(bench.words(), ["> write 30", "> finishOutput"]);
  bench.answer({ type: "outputWritten", octets: 30 });
  bench.failover("necessary", "shutdown"); // the server may go
  bench.answer({ type: "outputFinished" });
  assert.deepEqual(bench.words(), ["shutdown"]);
  const { outcome, status, server, elementId, runs, failovers, ...rest } = bench.result();
  assert.deepEqual([outcome, status, server, elementId, runs, failovers], ["succeeded", 0, "pe", 7, 1, 0]);
  assert.equal(rest.uploadedBytes, 20_000);
  assert.equal(rest.downloadedBytes, 30);
  assert.equal(rest.processingMs, 500);
  assert.equal(bench.consumed, bench.received);
  assert.equal(bench.client.nextTimeout(), undefined);
});

Deno.test("ScriptingClient gives the receive window back when the driver has written", () => {
  const bench = new ClientBench();
  bench.processing();
  bench.message({ type: "status", status: 0 });
  const before = bench.consumed;
  bench.download(1000);
  assert.equal(bench.consumed, before + 4);
  bench.answer({ type: "outputWritten", octets: 400 });
  assert.equal(bench.consumed, before + 404);
});

Deno.test("ScriptingClient uploads the environment where the server needs it, and not where it does not", () => {
  for (const when of ["early", "late"]) {
    for (const needed of [true, false]) {
      const bench = new ClientBench();
      bench.submit(HASH);
      bench.open();
      bench.ready();
      assert.deepEqual(bench.words(), ["open", "environment", "> read input 0"]);
      if (when === "early") bench.message(environment(needed));
      bench.read(5);
      bench.read(0);
      assert.deepEqual(bench.words().slice(0, 3), ["upload 5", "> read input 5", "upload 0"]);
      if (when === "late") bench.message(environment(needed));
      if (needed) {
        bench.read(6);
        bench.read(0);
        const words = bench.words().filter((word) => word !== "> read environment 0");
        assert.deepEqual(words, ["upload 6", "> read environment 6", "upload 0"], when);
      }
      bench.message({ type: "status", status: 0 });
      assert.equal(bench.reports.at(-1)?.type, "jobProcessing", `${when}, needed: ${needed}`);
    }
  }
});

Deno.test("ScriptingClient reads no more while the server takes nothing, and leaves it after a time", () => {
  const bench = new ClientBench({ transmitTimeoutMs: 5000 });
  bench.uploading();
  bench.event("sessionBlocked");
  bench.read(10);
  assert.deepEqual(bench.words(), ["upload 10"]);
  bench.until(4000);
  bench.event("sessionWritable");
  assert.deepEqual(bench.words(), ["> read input 10"]);
  bench.event("sessionBlocked");
  bench.until(8999);
  assert.deepEqual(bench.words(), []);
  bench.until(9700);
  assert.deepEqual(bench.words(), ["failover, unreachable"]);
});

Deno.test("ScriptingClient sends RSPLIB's server no KeepAlive before all is uploaded", () => {
  const bench = new ClientBench({ transmitTimeoutMs: 1e9 });
  bench.uploading(false, HASH);
  bench.until(100_000);
  bench.read(0);
  bench.until(200_000);
  bench.message(environment(true));
  bench.until(300_000);
  assert.equal(bench.words().includes("keepAlive"), false);
  bench.read(0);
  bench.words();
  bench.until(310_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
});

Deno.test("ScriptingClient is in touch with this project's server from the beginning", () => {
  const bench = new ClientBench();
  bench.submit();
  bench.open();
  bench.ready(true);
  assert.deepEqual(bench.words(), ["open", "keepAlive!", "> read input 0"]);
  bench.message({ type: "keepAliveAck", status: 0 });
  bench.until(10_000);
  assert.deepEqual(bench.words(), ["keepAlive!"]);
  bench.until(20_000);
  assert.equal(bench.reports.at(-1)?.type, "jobFailover");
});

Deno.test("ScriptingClient gives RSPLIB's server, which says nothing before, time for the tail of an upload", () => {
  for (const [pieces, limitMs] of [[1, 60_000], [3, 180_000], [100, 360_000]] as const) {
    const bench = new ClientBench({ transmitTimeoutMs: 60_000 });
    bench.uploading();
    for (let n = 0; n < pieces; n++) bench.read(512 * 1024);
    bench.read(0);
    bench.words();
    bench.until(limitMs - 1);
    assert.deepEqual(bench.words(), ["keepAlive"], `${pieces} pieces`);
    bench.until(limitMs);
    assert.equal(bench.reports.at(-1)?.type, "jobFailover", `${pieces} pieces`);
  }
});

Deno.test("ScriptingClient gives RSPLIB's server, when it takes nothing, time for the half of what waits", () => {
  for (const [pieces, limitMs] of [[1, 60_000], [3, 180_000], [100, 240_000]] as const) {
    const bench = new ClientBench({ transmitTimeoutMs: 60_000 });
    bench.uploading();
    for (let n = 0; n < pieces; n++) bench.read(512 * 1024);
    bench.event("sessionBlocked");
    bench.until(limitMs - 1);
    assert.equal(bench.reports.some(({ type }) => type === "jobFailover"), false, `${pieces} pieces`);
    bench.until(limitMs);
    assert.equal(bench.reports.at(-1)?.type, "jobFailover", `${pieces} pieces`);
  }
});

Deno.test("ScriptingClient gives a server that lives time for what waits for it, but not for ever", () => {
  const tail = new ClientBench({ transmitTimeoutMs: 60_000 });
  tail.uploaded(true);
  const stuck = new ClientBench({ transmitTimeoutMs: 60_000 });
  stuck.uploading(true);
  stuck.event("sessionBlocked");
  for (const bench of [tail, stuck]) {
    for (let instant = 50_000; instant < 360_000; instant += 50_000) {
      bench.until(instant);
      bench.message({ type: "keepAlive", extended: true });
    }
    bench.until(359_999);
    assert.equal(bench.reports.some(({ type }) => type === "jobFailover"), false);
    bench.until(360_000);
    assert.equal(bench.reports.at(-1)?.type, "jobFailover");
  }
});

Deno.test("ScriptingClient has no limit for a job that runs, and none for a result that is whole", () => {
  const bench = new ClientBench({ transmitTimeoutMs: 1000, keepAliveIntervalMs: 1e9 });
  bench.processing();
  bench.until(100_000);
  bench.event("sessionBlocked");
  bench.message({ type: "status", status: 0 });
  bench.download(0);
  bench.until(200_000);
  bench.answer({ type: "outputFinished" });
  assert.equal(bench.result().outcome, "succeeded");
});

Deno.test("ScriptingClient takes whatever comes as an answer to its KeepAlive", () => {
  const bench = new ClientBench();
  bench.processing();
  bench.until(10_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
  bench.until(19_999);
  bench.message({ type: "keepAlive", extended: false });
  assert.deepEqual(bench.words(), ["ack"]);
  bench.until(20_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
  bench.until(29_999);
  assert.deepEqual(bench.words(), []);
  bench.until(31_000);
  assert.deepEqual(bench.words(), ["failover, unreachable"]);
});

Deno.test("ScriptingClient does not blame a server while its own disk is slow", () => {
  const bench = new ClientBench();
  bench.processing();
  bench.message({ type: "status", status: 0 });
  bench.download(10);
  bench.words();
  bench.until(100_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
  bench.answer({ type: "outputWritten", octets: 10 });
  bench.until(105_000);
  assert.deepEqual(bench.words(), []);
  bench.until(111_000);
  assert.deepEqual(bench.words(), ["> discardOutput", "failover, unreachable"]);
});

Deno.test("ScriptingClient leaves a server that does not greet", () => {
  const bench = new ClientBench();
  bench.submit();
  bench.open();
  bench.words();
  bench.until(19_999);
  assert.deepEqual(bench.words(), []);
  bench.until(21_000);
  assert.deepEqual(bench.words(), ["failover, unreachable"]);
});

Deno.test("ScriptingClient begins anew at another server, and takes no answers of before", () => {
  const bench = new ClientBench();
  bench.processing();
  bench.message({ type: "status", status: 0 });
  bench.download(10);
  const before = bench.run;
  bench.words();
  bench.failover("necessary");
  assert.deepEqual(bench.words(), ["> discardOutput"]);
  bench.until(1000);
  assert.deepEqual(bench.words(), ["failover, unreachable"]);
  bench.failover("complete");
  bench.answer({ type: "outputWritten", octets: 10 }, before);
  bench.answer({ type: "outputFinished" }, before);
  bench.ready();
  assert.deepEqual(bench.words(), ["> read input 0"]);
  assert.notEqual(bench.run, before);
  bench.answer({ type: "fileRead", data: new Uint8Array(9) }, before);
  assert.deepEqual(bench.words(), []);
  bench.read(4);
  assert.deepEqual(bench.words(), ["upload 4", "> read input 4"]);
});

Deno.test("ScriptingClient does not report a server that left or broke off: it is there to do so", () => {
  for (const loss of ["shutdown", "aborted"] as const) {
    const bench = new ClientBench();
    bench.processing();
    bench.failover("necessary", loss);
    bench.until(1000);
    assert.deepEqual(bench.words(), ["failover"], loss);
  }
});

Deno.test("ScriptingClient waits longer and longer for a full pool, up to the retry delay", () => {
  const bench = new ClientBench({ retryDelayMs: 8000 });
  bench.submit();
  bench.open();
  const pauses: number[] = [];
  for (let i = 0; i < 7; i++) {
    bench.message({ type: "notReady", reason: 1, info: encodeText("pe") });
    const report = bench.reports.at(-1);
    assert.ok(report?.type === "jobRefused");
    assert.equal(report.server, "pe");
    pauses.push(report.pauseMs);
    bench.failover("necessary", "shutdown");
    bench.until(bench.now + report.pauseMs);
    assert.equal(bench.words().at(-1), "failover");
    bench.failover("complete");
  }
  const expected = [500, 1000, 2000, 4000, 8000, 8000, 8000];
  for (const [i, pauseMs] of pauses.entries()) {
    assert.ok(Math.abs(pauseMs - expected[i]!) <= expected[i]! / 8 + 1, `${pauseMs} after ${i}`);
  }
});

Deno.test("ScriptingClient runs a job that fails so many times, and then keeps what it left", () => {
  const bench = new ClientBench({ maxTrials: 2 });
  bench.processing();
  bench.message({ type: "status", status: 3 });
  assert.equal(bench.reports.at(-1)?.type, "jobRetried");
  bench.download(100); // nobody wants it any more
  bench.download(0);
  assert.deepEqual(bench.words(), []);
  bench.failover("necessary", "shutdown");
  bench.until(1000);
  assert.deepEqual(bench.words(), ["failover"]);
  bench.failover("complete");
  bench.ready();
  bench.read(0);
  bench.message({ type: "status", status: 0 });
  bench.words();
  bench.message({ type: "print", channel: "server", data: encodeText("it is broken") });
  bench.message({ type: "status", status: 4 });
  bench.download(5);
  bench.download(0);
  assert.deepEqual(bench.words(), [
    "> print server it is broken",
    "> beginOutput",
    "> write 5",
    "> finishOutput",
  ]);
  bench.answer({ type: "outputWritten", octets: 5 });
  bench.answer({ type: "outputFinished" });
  const { outcome, status, reason, runs, failovers } = bench.result();
  assert.deepEqual([outcome, status, reason, runs, failovers], ["failed", 4, "it is broken", 2, 0]);
  assert.equal(bench.consumed, bench.received);
});

Deno.test("ScriptingClient does not begin a job anew that has failed for good, when its server breaks off", () => {
  for (const octets of [0, 5]) {
    const bench = new ClientBench({ maxTrials: 1 });
    bench.processing();
    bench.message({ type: "status", status: 1 });
    if (octets > 0) bench.download(octets);
    bench.words();
    bench.failover("necessary", "shutdown");
    assert.deepEqual(bench.words(), ["> discardOutput", "abort"]);
    const { outcome, status, failovers, downloadedBytes } = bench.result();
    assert.deepEqual([outcome, status, failovers, downloadedBytes], ["failed", 1, 0, 0]);
    assert.equal(bench.client.nextTimeout(), undefined);
  }
});

Deno.test("ScriptingClient tells why a server gives a job up, and that reason for no other run", () => {
  const bench = new ClientBench({ maxTrials: 1 });
  bench.processing(true);
  bench.message({ type: "print", channel: "server", data: encodeText("the disk is full") });
  bench.failover("necessary", "shutdown");
  const report = bench.reports.at(-1);
  assert.ok(report?.type === "jobFailover");
  assert.equal(report.reason, "the disk is full");
  bench.until(1000);
  bench.failover("complete");
  bench.ready();
  bench.read(0);
  bench.message({ type: "status", status: 0 });
  bench.message({ type: "status", status: 3 });
  bench.download(0);
  bench.answer({ type: "outputFinished" });
  assert.deepEqual([bench.result().status, bench.result().reason], [3, undefined]);
});

Deno.test("ScriptingClient takes a first Status that is not 0 as a failure", () => {
  const bench = new ClientBench({ maxTrials: 1 });
  bench.uploaded();
  bench.message({ type: "status", status: 9 });
  assert.deepEqual(bench.words(), ["> beginOutput"]);
});

Deno.test("ScriptingClient hands on what the job prints", () => {
  const bench = new ClientBench();
  bench.processing(true);
  bench.message({ type: "print", channel: "stdout", data: encodeText("half") });
  bench.message({ type: "print", channel: "stdout", data: new Uint8Array() });
  assert.deepEqual(bench.words(), ["> print stdout half"], "nothing is not handed on");
});

Deno.test("ScriptingClient hands on 16 MiB of what a job prints, and leaves the rest out", () => {
  const bench = new ClientBench();
  bench.processing(true);
  const data = new Uint8Array(16_384);
  for (let n = 0; n < 1030; n++) bench.message({ type: "print", channel: "stdout", data });
  assert.equal(bench.words().length, 1024);
  assert.equal(bench.consumed, bench.received);
});

Deno.test("ScriptingClient answers a server that asks and takes nothing once, when it takes it", () => {
  const bench = new ClientBench();
  bench.processing(true);
  bench.event("sessionBlocked");
  for (let n = 0; n < 5; n++) bench.message({ type: "keepAlive", extended: false });
  assert.deepEqual(bench.words(), []);
  bench.event("sessionWritable");
  assert.deepEqual(bench.words(), ["ack"]);
});

Deno.test("ScriptingClient gives a job up when it is told to, or when a file of it is of no use", () => {
  for (const type of ["cancelJob", "fileFailed"] as const) {
    const bench = new ClientBench();
    bench.processing();
    bench.message({ type: "status", status: 0 });
    bench.words();
    bench.answer({ type, reason: "because" });
    assert.deepEqual(bench.words(), ["> discardOutput", "abort"]);
    const { outcome, reason } = bench.result();
    assert.deepEqual([outcome, reason], [type === "cancelJob" ? "cancelled" : "unusable", "because"]);
    bench.closed();
    bench.answer({ type, reason: "again" });
    assert.equal(bench.client.nextTimeout(), undefined);
  }
});

Deno.test("ScriptingClient gives all jobs up when it stops", () => {
  const bench = new ClientBench();
  bench.submit();
  bench.client.input({ type: "submitJob", job: 2, environment: undefined }, 0);
  bench.words();
  bench.client.stop(0);
  assert.deepEqual(bench.words(), ["abort", "abort"]);
  assert.equal(bench.reports.filter(({ type }) => type === "jobDone").length, 2);
});

Deno.test("ScriptingClient leaves servers that break the protocol", () => {
  const broken: readonly (readonly [string, (bench: ClientBench) => void])[] = [
    ["octets that are no message", (bench) => bench.octets(Uint8Array.of(1))],
    ["a second Ready", (bench) => bench.ready()],
    [
      "a NotReady behind Ready",
      (bench) => bench.message({ type: "notReady", reason: 1, info: new Uint8Array() }),
    ],
    ["an Environment that was not asked for", (bench) => bench.message(environment(true))],
    ["a Status in the upload", (bench) => bench.message({ type: "status", status: 0 })],
    ["a Download in the upload", (bench) => bench.download(1)],
    ["an Upload", (bench) => bench.message({ type: "upload", data: new Uint8Array() })],
  ];
  for (const [what, act] of broken) {
    const bench = new ClientBench();
    bench.uploading();
    act(bench);
    assert.equal(bench.reports.at(-1)?.type, "jobFailover", what);
    bench.until(1000);
    assert.deepEqual(bench.words(), ["failover"], what);
    assert.equal(bench.consumed, bench.received, what);
  }
});

/** Something that may happen at any time. */
function chance(bench: ClientBench, prng: Prng): void {
  const happenings: readonly (() => void)[] = [
    () => bench.ready(prng.chance(0.5)),
    () => bench.message({ type: "notReady", reason: 1, info: encodeText("pe") }),
    () => bench.message(environment(prng.chance(0.5))),
    () => bench.message({ type: "status", status: prng.below(3) }),
    () => bench.message({ type: "status", status: 0 }),
    () => bench.download(prng.below(3)),
    () => bench.message({ type: "keepAlive", extended: false }),
    () => bench.message({ type: "keepAliveAck", status: 0 }),
    () => bench.message({ type: "print", channel: "server", data: Uint8Array.of(1) }),
    () => bench.octets(Uint8Array.of(prng.below(9), 0, 0, 4)),
    () => bench.read(prng.below(3)),
    () => bench.read(prng.below(3)),
    () => bench.answer({ type: "outputWritten", octets: 1 }),
    () => bench.answer({ type: "outputFinished" }),
    () => bench.event("sessionBlocked"),
    () => bench.event("sessionWritable"),
    () => bench.failover("necessary", prng.chance(0.5) ? "aborted" : "silent"),
    () => bench.failover("complete"),
    () => bench.until(bench.now + prng.below(20_000)),
  ];
  happenings[prng.below(happenings.length)]?.();
}

Deno.test("ScriptingClient takes anything in any order, and ends when it is told to", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const prng = new Prng(seed);
    const bench = new ClientBench({ maxTrials: 1 + prng.below(3) });
    bench.submit(prng.chance(0.5) ? HASH : undefined);
    bench.open();
    for (let step = 0; step < 80; step++) chance(bench, prng);
    bench.answer({ type: "cancelJob", reason: "enough" });
    assert.equal(bench.reports.filter(({ type }) => type === "jobDone").length, 1, `seed ${seed}`);
    assert.equal(bench.client.nextTimeout(), undefined, `seed ${seed}`);
    const words = bench.words();
    const begun = words.filter((word) => word === "> beginOutput").length;
    const over = words.filter((word) => word === "> discardOutput" || word === "> finishOutput").length;
    assert.ok(over === begun, `seed ${seed}: ${begun} results begun, ${over} ended`);
  }
});
