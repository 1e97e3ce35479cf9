import assert from "node:assert/strict";
import { asapHeadline, asapTextLine } from "../../../cmd/bench/asap_report.ts";
import { judgeAnswer, requestsOf } from "../../../cmd/bench/asap_requests.ts";
import { Histogram } from "../../../cmd/bench/histogram.ts";
import { runProgram } from "../../../cmd/run.ts";
import { AsapType, readAsap, writeAsap } from "../../../protocol/asap/mod.ts";
import { operationError } from "../../../protocol/param/mod.ts";
import { CauseCode } from "../../../protocol/param/operation_error.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { recordOutput } from "../world.ts";
import { Call } from "./world.ts";

// A port of these tests alone, below those from which endpoints and the system choose: others run at the same time.
const PORT = 18851;

/** A registrar that runs as long as a test needs it. */
async function withRegistrar(body: (log: () => string) => Promise<void>): Promise<void> {
  const end = new AbortController(), ready = Promise.withResolvers<void>(), log = recordOutput();
  const ended = runProgram({
    calledAs: "rsp",
    arguments: [
      ...["registrar", "-transport=embedded", "-encapsulation=udp", "-asapannounce=off", "-enrpannounce=off"],
      ...[`-asap=127.0.0.1:${PORT}`, "-enrp=127.0.0.1:0"],
    ],
    stdout: recordOutput(),
    stderr: {
      ...log,
      write(text: string) {
        log.write(text);
        if (text.includes("ASAP has SCTP port")) ready.resolve();
      },
    },
    variable: () => undefined,
    signal: end.signal,
  });
  try {
    await Promise.race([ready.promise, ended]);
    await body(() => log.text());
  } finally {
    end.abort();
    await ended;
  }
}

Deno.test("rsp bench -asap counts the answers of a registrar, and leaves nothing behind there", async () => {
  await withRegistrar(async (log) => {
    const line = [`127.0.0.1:${PORT}`, "-asap=resolve,register,churn", "-users=1,3", "-count=20", "-json"];
    const client = new Call(...line, "-elements=5", "-outstanding=2");
    assert.equal(await client.ended, 0, client.stderr);
    assert.deepEqual(
      client.results.map(({ type, work, users, answers, refused }) => ({
        type,
        work,
        users,
        answers,
        refused,
      })),
      ["resolve", "register", "churn"].flatMap((work) =>
        [1, 3].map((users) => ({ type: "asap", work, users, answers: 20 * users, refused: 0 }))
      ),
    );
    assert.doesNotMatch(log(), /was removed/);
  });
});

Deno.test("rsp bench -asap counts so many answers behind its warm-up, whatever is under way or thought of then", async () => {
  await withRegistrar(async () => {
    for (const think of ["-think=0", "-think=5"]) {
      const line = [`127.0.0.1:${PORT}`, "-asap=resolve", "-users=2", "-outstanding=3", "-json", think];
      const client = new Call(...line, "-count=20", "-warmup=0.3"), startedAt = performance.now();
      assert.equal(await client.ended, 0, client.stderr);
      const [result] = client.results, seconds = Number(result?.["seconds"]);
      assert.equal(result?.["answers"], 40, think);
      assert.ok(seconds > 0 && seconds < (performance.now() - startedAt) / 1000 - 0.3, `${seconds} s`);
    }
  });
});

Deno.test("rsp bench -asap counts refusals apart: a pool without elements", async () => {
  await withRegistrar(async () => {
    const client = new Call(`127.0.0.1:${PORT}`, "-asap=resolve", "-elements=0", "-count=3", "-json");
    assert.equal(await client.ended, 0, client.stderr);
    const [line] = client.results;
    assert.deepEqual([line?.["answers"], line?.["refused"]], [3, 3]);
  });
});

Deno.test("rsp bench -asap says where no registrar is", async () => {
  const client = new Call(`127.0.0.1:${PORT}`, "-asap=resolve", "-count=1");
  assert.equal(await client.ended, 1);
  assert.match(
    client.stderr,
    new RegExp(`127\\.0\\.0\\.1:${PORT} (refuses the association|does not answer)`),
  );
});

Deno.test("rsp bench -asap wants no options of other runs, and other runs none of its", async () => {
  for (const line of [["-asap=resolve", "-size=10"], ["-items=3"], ["-asap=register", "-listen"]]) {
    const call = new Call(...(line.includes("-listen") ? line : ["127.0.0.1:1", ...line]));
    await assert.rejects(call.ended, /option -(size|items|asap) /);
  }
});

Deno.test("churn registers a new element each time, and deregisters the one before", () => {
  const present = new Set<number>();
  let last = 0;
  const next = requestsOf("churn", {
    poolHandle: encodeText("P"),
    items: 1,
    place: { addresses: ["10.0.0.1"], port: 1 },
    elements: { join: () => (present.add(++last), last), leave: (elementId) => present.delete(elementId) },
  });
  const asked = Array.from({ length: 4 }, () => readAsap(next().data).type);
  assert.deepEqual(asked, ["registration", "deregistration", "registration", "deregistration"]);
  assert.deepEqual([last, present.size], [2, 0]);
});

Deno.test("judgeAnswer() tells answers from refusals and from what belongs to others", () => {
  const poolHandle = encodeText("Pool1"), elementId = 7;
  const error = operationError(CauseCode.unknownPoolHandle);
  const unknown = writeAsap({ type: "handleResolutionResponse", poolHandle, elements: [], error });
  const gone = writeAsap({ type: "deregistrationResponse", poolHandle, elementId });
  const notGone = writeAsap({ type: "deregistrationResponse", poolHandle, elementId, error });
  const refused = writeAsap({ type: "registrationResponse", poolHandle, elementId, rejected: true, error });
  const { handleResolutionResponse, deregistrationResponse, registrationResponse } = AsapType;
  assert.equal(judgeAnswer(unknown, handleResolutionResponse), "refused");
  assert.equal(judgeAnswer(gone, deregistrationResponse), "done");
  assert.equal(judgeAnswer(notGone, deregistrationResponse), "refused");
  assert.equal(judgeAnswer(refused, registrationResponse), "refused");
  assert.equal(judgeAnswer(writeAsap({ type: "error", error }), registrationResponse), "refused");
  assert.equal(judgeAnswer(gone, registrationResponse), "foreign");
  assert.equal(judgeAnswer(new Uint8Array([deregistrationResponse]), deregistrationResponse), "done");
});

Deno.test("the table of registrars under load keeps its columns", () => {
  const histogram = new Histogram();
  histogram.record(2);
  const run = { work: "register", users: 10, outstanding: 1, answers: 500, refused: 0, seconds: 2 } as const;
  const columns = (text: string) => text.trimEnd().split(/ {2,}| (?=\d)/).length;
  assert.match(
    asapTextLine({ type: "asap", ...run, histogram }),
    /^register +10 +500 +0 +2\.000 +250 +2\.000/,
  );
  assert.equal(columns(asapTextLine({ type: "asap", ...run, histogram })), 12);
  assert.match(asapHeadline(), /^work +users +answers +refused +seconds +per s +min ms/);
  const interval = {
    type: "asapInterval",
    work: "register",
    users: 10,
    from: 1,
    to: 2,
    answers: 250,
  } as const;
  assert.match(asapTextLine(interval), /^register +10 +250 +1\.000 +250 {2}1\.0-2\.0 s\n$/);
});
