import assert from "node:assert/strict";
import { writeScripting } from "../../../../protocol/app/scripting/messages.ts";
import { JobStatus } from "../../../../protocol/app/scripting/job_status.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { HASH, ServerBench } from "./server_bench.ts";

const output = (length: number) => ({ type: "outputRead", data: new Uint8Array(length) }) as const;

Deno.test("ScriptingServer runs a job for RSPLIB's client, message by message", () => {
  const bench = new ServerBench();
  bench.open();
  assert.deepEqual(bench.words(), ["load 0.5", "> openWorkspace"]);
  bench.answer({ type: "workspaceReady" });
  assert.deepEqual(bench.words(), ["ready pe!"]);
  bench.upload(10);
  bench.upload(20);
  bench.upload(0);
  assert.deepEqual(bench.words(), ["> storeInput 10", "> storeInput 20"]);
  bench.answer({ type: "stored", octets: 10 });
  assert.deepEqual(bench.words(), [], "not everything is stored");
  bench.answer({ type: "stored", octets: 20 });
  assert.deepEqual(bench.words(), ["status 0", "keepAlive", "> runJob"]);
  bench.message({ type: "keepAliveAck", status: undefined });
  bench.keepAlive();
  assert.deepEqual(bench.words(), ["ack"]);
  bench.end(0);
  assert.deepEqual(bench.words(), ["status 0", "> readOutput"]);
  bench.answer(output(20_000));
  assert.deepEqual(bench.words(), ["download 16384", "download 3616", "> readOutput"]);
  bench.answer(output(0));
  assert.deepEqual(bench.words(), ["download 0", "> discardWorkspace", "load 0", "shutdown"]);
  bench.close();
  assert.deepEqual(bench.words(), []);
  assert.equal(bench.server.nextTimeout(), undefined);
  assert.equal(bench.consumed, bench.received);
});

Deno.test("ScriptingServer gives the receive window back when the driver has stored", () => {
  const bench = new ServerBench();
  bench.ready();
  bench.upload(1000);
  assert.equal(bench.consumed, 4, "the header is kept nowhere");
  bench.answer({ type: "stored", octets: 400 });
  assert.equal(bench.consumed, 404);
  bench.answer({ type: "stored", octets: 600 });
  assert.equal(bench.consumed, bench.received);
});

Deno.test("ScriptingServer consumes what comes for a session that is over", () => {
  const bench = new ServerBench();
  bench.ready();
  bench.upload(1000);
  bench.answer({ type: "storeFailed", reason: "the disk is full" });
  assert.deepEqual(bench.words(), ["> storeInput 1000", "> discardWorkspace", "load 0", "shutdown"]);
  bench.upload(500);
  bench.octets(Uint8Array.of(1, 2, 3));
  bench.answer({ type: "stored", octets: 1000 });
  assert.deepEqual(bench.words(), []);
  assert.equal(bench.consumed, bench.received);
});

Deno.test("ScriptingServer takes an environment from the cache, or has it uploaded behind the input", () => {
  for (const found of [true, false]) {
    const bench = new ServerBench();
    bench.ready();
    bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
    bench.upload(5);
    assert.deepEqual(bench.words(), ["> lookForEnvironment", "> storeInput 5"]);
    bench.answer({ type: "environmentLooked", found });
    assert.deepEqual(bench.words(), [found ? "environment" : "environment needed"]);
    bench.upload(0);
    bench.answer({ type: "stored", octets: 5 });
    if (!found) {
      assert.deepEqual(bench.words(), []);
      bench.upload(7);
      bench.upload(0);
      assert.deepEqual(bench.words(), ["> storeEnvironment 7"]);
      bench.answer({ type: "stored", octets: 7 });
      assert.deepEqual(bench.words(), ["> checkEnvironment"]);
      bench.answer({ type: "environmentChecked", failure: undefined });
    }
    assert.deepEqual(bench.words(), ["status 0", "keepAlive", "> runJob"], `found: ${found}`);
  }
});

Deno.test("ScriptingServer waits for a cache that is slower than the upload", () => {
  for (const found of [true, false]) {
    const bench = new ServerBench();
    bench.ready();
    bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
    bench.upload(0);
    bench.words();
    bench.until(100_000);
    assert.deepEqual(bench.words(), [], "that is not the user's fault");
    bench.answer({ type: "environmentLooked", found });
    if (!found) bench.upload(0);
    const words = bench.words();
    if (found) assert.deepEqual(words, ["environment", "status 0", "keepAlive", "> runJob"]);
    else assert.deepEqual(words, ["environment needed", "> checkEnvironment"]);
  }
});

/** A session whose input and environment are there; the environment is being checked. */
function checkingEnvironment(): ServerBench {
  const bench = new ServerBench();
  bench.ready();
  bench.keepAlive(true);
  bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
  bench.answer({ type: "environmentLooked", found: false });
  bench.upload(0);
  bench.upload(0);
  bench.words();
  return bench;
}

Deno.test("ScriptingServer tells a bad environment as a job that failed, so that it is not tried for ever", () => {
  const bench = checkingEnvironment();
  const failure = { status: JobStatus.badSignature, reason: "not signed" };
  bench.answer({ type: "environmentChecked", failure });
  assert.deepEqual(bench.words(), [
    "status 0",
    "keepAlive",
    "print server not signed",
    "status 257",
    "download 0",
    "> discardWorkspace",
    "load 0",
    "shutdown",
  ]);
});

Deno.test("ScriptingServer sends a user elsewhere whose environment it cannot check", () => {
  const bench = checkingEnvironment();
  const failure = { status: JobStatus.serverFailure, reason: "no gpgv" };
  bench.answer({ type: "environmentChecked", failure });
  assert.deepEqual(bench.words(), ["print server no gpgv", "> discardWorkspace", "load 0", "shutdown"]);
});

Deno.test("ScriptingServer answers RSPLIB's client's early KeepAlive where that understands the answer", () => {
  const bench = new ServerBench();
  bench.ready();
  bench.keepAlive();
  bench.upload(5);
  assert.deepEqual(bench.words(), ["> storeInput 5"]);
  bench.upload(0);
  bench.answer({ type: "stored", octets: 5 });
  assert.deepEqual(bench.words(), ["status 0", "ack", "keepAlive", "> runJob"]);
});

Deno.test("ScriptingServer answers a user that asks and takes nothing once, when it takes it", () => {
  const bench = new ServerBench();
  bench.working();
  bench.event("sessionBlocked");
  for (let n = 0; n < 5; n++) bench.keepAlive();
  assert.deepEqual(bench.words(), []);
  bench.event("sessionWritable");
  assert.deepEqual(bench.words(), ["ack"]);
});

Deno.test("ScriptingServer leaves a user that took nothing when its upload ended, and takes nothing any more", () => {
  const bench = new ServerBench();
  bench.ready();
  bench.keepAlive(true);
  bench.event("sessionBlocked");
  bench.upload(0);
  bench.words();
  bench.until(31_000);
  assert.ok(bench.words().includes("abort"));
});

Deno.test("ScriptingServer keeps in touch with this project's client at any time", () => {
  const bench = new ServerBench();
  bench.ready();
  bench.keepAlive(true);
  assert.deepEqual(bench.words(), ["ack"]);
  bench.upload(5);
  bench.words();
  bench.until(15_000);
  assert.deepEqual(bench.words(), ["keepAlive"], "in the upload");
  bench.until(25_000);
  assert.deepEqual(bench.words(), ["> discardWorkspace", "load 0", "abort"], "nobody answers");
});

Deno.test("ScriptingServer sends KeepAlives while a job runs, and takes whatever comes as an answer", () => {
  const bench = new ServerBench();
  bench.working();
  bench.now = 5000;
  bench.message({ type: "keepAliveAck", status: undefined });
  bench.until(15_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
  bench.now = 24_999;
  bench.keepAlive();
  assert.deepEqual(bench.words(), ["ack"]);
  bench.until(30_000);
  assert.deepEqual(bench.words(), ["keepAlive"]);
  bench.until(39_999);
  assert.deepEqual(bench.words(), []);
  bench.until(40_000);
  assert.deepEqual(bench.words(), ["> discardWorkspace", "load 0", "abort"]);
});

Deno.test("ScriptingServer sends RSPLIB's client no KeepAlive in a download, and this project's does get them", () => {
  for (const extended of [false, true]) {
    const bench = new ServerBench();
    bench.working(extended);
    bench.message({ type: "keepAliveAck", status: undefined });
    bench.end(0);
    bench.words();
    bench.until(16_000);
    assert.deepEqual(bench.words(), extended ? ["keepAlive"] : []);
    bench.keepAlive();
    assert.deepEqual(bench.words(), ["ack"], "its own are answered");
    bench.until(29_000);
    assert.deepEqual(bench.words(), [], "it lives");
  }
});

Deno.test("ScriptingServer tells what a job prints to those who understand it", () => {
  for (const extended of [false, true]) {
    const bench = new ServerBench();
    bench.working(extended);
    bench.answer({ type: "jobPrinted", channel: "stderr", data: encodeText("oh") });
    bench.answer({ type: "jobPrinted", channel: "stdout", data: new Uint8Array(16_385).fill(0x61) });
    const words = bench.words();
    if (extended) {
      assert.equal(words[0], "print stderr oh");
      assert.deepEqual(words.slice(1).map((text) => text.length), [13 + 16_384, 14]);
    } else assert.deepEqual(words, []);
  }
});

Deno.test("ScriptingServer passes the job's own exit code on, and downloads what it left", () => {
  const bench = new ServerBench();
  bench.working();
  bench.end(42);
  assert.deepEqual(bench.words(), ["status 42", "> readOutput"]);
});

Deno.test("ScriptingServer sends an empty result where there is none: RSPLIB's client would begin anew for ever", () => {
  const bench = new ServerBench();
  bench.working();
  bench.end(JobStatus.badPackage, false, "no archive");
  const over = ["download 0", "> discardWorkspace", "load 0", "shutdown"];
  assert.deepEqual(bench.words(), ["status 256", ...over]);
  const other = new ServerBench();
  other.working(true);
  other.end(0, false);
  const why = "print server the job ended well, but left no output";
  assert.deepEqual(other.words(), [why, "status 1", ...over], "no success without a result");
});

Deno.test("ScriptingServer sends a user elsewhere whose job it could not run", () => {
  const bench = new ServerBench();
  bench.working(true);
  bench.end(JobStatus.serverFailure, true, "no memory");
  assert.deepEqual(bench.words(), ["print server no memory", "> discardWorkspace", "load 0", "shutdown"]);
});

Deno.test("ScriptingServer is not ready when all places are taken, or when there is no room", () => {
  const bench = new ServerBench({ maxSessions: 1 });
  bench.ready();
  bench.open(2);
  assert.deepEqual(bench.words(), ["2: notReady 1", "2: shutdown"]);
  bench.upload(3, 2);
  assert.deepEqual(bench.words(), [], "it was under way");
  bench.close(2);
  bench.close();
  assert.deepEqual(bench.words(), ["> discardWorkspace", "load 0"]);
  bench.open(3);
  bench.words();
  bench.answer({ type: "workspaceFailed", reason: "the disk is full" }, 3);
  assert.deepEqual(bench.words(), ["3: notReady 2", "3: > discardWorkspace", "load 0", "3: shutdown"]);
});

Deno.test("ScriptingServer frees a place when the result is handed over, not when the association has ended", () => {
  const bench = new ServerBench({ maxSessions: 1 });
  bench.working();
  bench.end(0);
  bench.answer(output(0));
  bench.words();
  bench.open(2);
  assert.deepEqual(bench.words(), ["load 1", "2: > openWorkspace"]);
});

Deno.test("ScriptingServer reads no output for a user that takes none, and gives it up after a time", () => {
  const bench = new ServerBench({ transmitTimeoutMs: 30_000 });
  bench.working();
  bench.end(0);
  bench.event("sessionBlocked");
  bench.answer(output(5));
  assert.deepEqual(bench.words(), ["status 0", "> readOutput", "download 5"]);
  bench.until(29_000);
  bench.event("sessionWritable");
  assert.deepEqual(bench.words(), ["> readOutput"], "it goes on");
  bench.event("sessionBlocked");
  bench.until(58_999);
  assert.deepEqual(bench.words(), []);
  bench.until(59_000);
  assert.deepEqual(bench.words(), ["> discardWorkspace", "load 0", "abort"]);
});

Deno.test("ScriptingServer lets the end of a result take its time, as long as it is taken", () => {
  const bench = new ServerBench({ transmitTimeoutMs: 30_000 });
  bench.working();
  bench.end(0);
  bench.answer(output(5));
  bench.event("sessionBlocked");
  bench.until(29_000);
  bench.answer(output(0));
  bench.words();
  bench.until(58_500);
  bench.event("sessionWritable");
  bench.until(88_499);
  assert.deepEqual(bench.words(), []);
  bench.until(88_500);
  assert.deepEqual(bench.words(), ["abort"]);
});

Deno.test("ScriptingServer gives a user that lives time for what waits for it, but not for ever", () => {
  const ended = new ServerBench({ transmitTimeoutMs: 30_000 });
  ended.working();
  ended.end(0);
  ended.answer(output(0));
  const blocked = new ServerBench({ transmitTimeoutMs: 30_000 });
  blocked.working();
  blocked.end(0);
  blocked.event("sessionBlocked");
  for (const bench of [ended, blocked]) {
    bench.words();
    for (let instant = 20_000; instant < 180_000; instant += 20_000) {
      bench.until(instant);
      bench.keepAlive();
    }
    bench.until(179_999);
    assert.deepEqual(bench.words(), []);
    bench.until(180_000);
    assert.equal(bench.words().at(-1), "abort");
  }
});

Deno.test("ScriptingServer does not hold a KeepAlive against a user that it is stuck behind data for", () => {
  const bench = new ServerBench({ transmitTimeoutMs: 100_000 });
  bench.working(true);
  bench.message({ type: "keepAliveAck", status: undefined });
  bench.end(0);
  bench.event("sessionBlocked");
  bench.words();
  bench.until(90_000);
  assert.equal(bench.words().includes("abort"), false);
  bench.event("sessionWritable");
  bench.words();
  bench.until(99_999);
  assert.equal(bench.words().includes("abort"), false);
  bench.until(100_001);
  assert.ok(bench.words().includes("abort"), "now it could have answered");
});

Deno.test("ScriptingServer gives a user up that does not upload, but not for its own slow disk", () => {
  const silent = new ServerBench({ transmitTimeoutMs: 30_000 });
  silent.ready();
  silent.until(29_999);
  assert.deepEqual(silent.words(), []);
  silent.until(30_000);
  assert.deepEqual(silent.words(), ["> discardWorkspace", "load 0", "abort"]);

  const slow = new ServerBench({ transmitTimeoutMs: 30_000 });
  slow.ready();
  slow.upload(5);
  slow.words();
  slow.until(100_000);
  assert.deepEqual(slow.words(), []);
  slow.answer({ type: "stored", octets: 5 });
  slow.until(130_000);
  assert.deepEqual(slow.words(), ["> discardWorkspace", "load 0", "abort"]);
});

Deno.test("ScriptingServer aborts an association that does not end", () => {
  const bench = new ServerBench({ transmitTimeoutMs: 30_000 });
  bench.working();
  bench.end(0);
  bench.answer(output(0));
  bench.words();
  bench.until(30_000);
  assert.deepEqual(bench.words(), ["abort"]);
  bench.close();
  assert.equal(bench.server.nextTimeout(), undefined);
});

Deno.test("ScriptingServer ends everything when it stops, and takes no job any more", () => {
  const bench = new ServerBench();
  bench.working();
  bench.server.stop(0);
  assert.deepEqual(bench.words(), ["> discardWorkspace", "load 0", "shutdown"]);
  bench.open(2);
  assert.deepEqual(bench.words(), ["2: notReady 1", "2: shutdown"]);
});

Deno.test("ScriptingServer aborts sessions that break the protocol, and says why", () => {
  const upload = { type: "upload", data: Uint8Array.of(1) } as const;
  const broken: readonly (readonly [string, (bench: ServerBench) => void])[] = [
    ["octets that are no message", (bench) => bench.octets(Uint8Array.of(9, 0, 0, 4))],
    ["an Upload before Ready", (bench) => {
      bench.close();
      bench.open(1);
      bench.words();
      bench.message(upload);
    }],
    ["an Upload behind the end", (bench) => {
      bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
      bench.upload(0);
      bench.message(upload);
    }],
    ["a second Environment", (bench) => {
      bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
      bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
    }],
    ["an Environment behind the input", (bench) => {
      bench.upload(0);
      bench.message({ type: "environment", hash: HASH, uploadNeeded: false });
    }],
    ["an Upload while the job runs", (bench) => {
      bench.upload(0);
      bench.message(upload);
    }],
    ["a Download", (bench) => bench.message({ type: "download", data: new Uint8Array() })],
    ["a Status", (bench) => bench.message({ type: "status", status: 0 })],
    ["a Ready", (bench) => bench.message({ type: "ready", info: new Uint8Array(), extended: true })],
    ["a NotReady", (bench) => bench.message({ type: "notReady", reason: 1, info: new Uint8Array() })],
    ["a Print", (bench) => bench.message({ type: "print", channel: "stdout", data: new Uint8Array() })],
  ];
  for (const [what, act] of broken) {
    const bench = new ServerBench();
    bench.ready();
    act(bench);
    assert.deepEqual(bench.words().slice(-3), ["> discardWorkspace", "load 0", "abort"], what);
    assert.equal(bench.reports.at(-1)?.type, "scriptingFailed", what);
    assert.equal(bench.server.jobCount, 0);
  }
});

/** Something that may happen at any time. */
function chance(bench: ServerBench, prng: Prng, session: number): void {
  const happenings: readonly (() => void)[] = [
    () => bench.answer({ type: "workspaceReady" }, session),
    () => bench.answer({ type: "workspaceFailed", reason: "no" }, session),
    () => bench.upload(prng.below(3), session),
    () => bench.upload(prng.below(3), session),
    () => bench.message({ type: "environment", hash: HASH, uploadNeeded: false }, session),
    () => bench.message({ type: "keepAlive", extended: prng.chance(0.5) }, session),
    () => bench.message({ type: "keepAliveAck", status: undefined }, session),
    () => bench.octets(writeScripting({ type: "status", status: 0 }).subarray(0, prng.below(9)), session),
    () => bench.answer({ type: "environmentLooked", found: prng.chance(0.5) }, session),
    () => {
      const failure = { status: 256 + prng.below(5), reason: "no" };
      bench.answer({ type: "environmentChecked", failure: prng.chance(0.5) ? failure : undefined }, session);
    },
    () => bench.answer({ type: "storeFailed", reason: "no" }, session),
    () => bench.answer({ type: "jobPrinted", channel: "stdout", data: Uint8Array.of(1) }, session),
    () =>
      bench.answer({
        type: "jobEnded",
        exitCode: prng.below(300),
        reason: undefined,
        hasOutput: prng.chance(0.5),
      }, session),
    () => bench.answer(output(prng.below(3)), session),
    () => bench.answer({ type: "outputFailed", reason: "no" }, session),
    () => bench.event("sessionBlocked", session),
    () => bench.event("sessionWritable", session),
    () => bench.close(session),
    () => bench.until(bench.now + prng.below(20_000)),
  ];
  happenings[prng.below(happenings.length)]?.();
}

Deno.test("ScriptingServer takes anything in any order: each workspace is discarded once, and no place is lost", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const prng = new Prng(seed);
    const bench = new ServerBench();
    const opened = new Set<number>(), counts = new Map<string, number>();
    for (let step = 0; step < 60; step++) {
      const session = 1 + prng.below(3);
      // A session is opened once, and its first event is that.
      if (!opened.has(session)) {
        opened.add(session);
        bench.open(session);
      } else chance(bench, prng, session);
      for (const word of bench.words()) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    for (const session of opened) bench.close(session);
    for (const word of bench.words()) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const prefix of ["", "2: ", "3: "]) {
      const begun = counts.get(`${prefix}> openWorkspace`) ?? 0;
      assert.equal(counts.get(`${prefix}> discardWorkspace`) ?? 0, begun, `seed ${seed}`);
    }
    assert.equal(bench.server.jobCount, 0, `seed ${seed}`);
    assert.equal(bench.server.nextTimeout(), undefined, `seed ${seed}`);
  }
});
