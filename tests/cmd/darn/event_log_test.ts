import assert from "node:assert/strict";
import { readCommandLine } from "../../../cmd/darn/command_line.ts";
import { expectation } from "../../../cmd/darn/commands/script.ts";
import { EventLog } from "../../../cmd/darn/event_log.ts";
import type { Occurrence } from "../../../cmd/darn/event_log.ts";
import { shown } from "../../../cmd/darn/render/shown.ts";

const never = new AbortController().signal;
const occurrence = (association: number): Omit<Occurrence, "sequence"> => ({
  event: { type: "senderDry", association },
  association,
  shown: shown(`NOTIFICATION: SENDER_DRY (#${association})`, { event: "senderDry", association, length: 7 }),
});
const any = { from: 1, matches: () => true, what: "event", timeoutMs: Infinity, signal: never };

Deno.test("EventLog finds what has come already, from a sequence on", async () => {
  const log = new EventLog();
  log.add(occurrence(1));
  log.add(occurrence(2));
  assert.equal((await log.waitFor(any)).sequence, 1);
  assert.equal((await log.waitFor({ ...any, from: 2 })).association, 2);
  assert.equal(log.next, 3);
});

Deno.test("EventLog wakes those whose event comes, and only them", async () => {
  const log = new EventLog();
  const second = log.waitFor({ ...any, matches: ({ association }) => association === 2 });
  const first = log.waitFor({ ...any, matches: ({ association }) => association === 1 });
  log.add(occurrence(1));
  assert.equal((await first).sequence, 1);
  log.add(occurrence(2));
  assert.equal((await second).sequence, 2);
});

Deno.test("EventLog gives up in time and when it is told to", async () => {
  const log = new EventLog();
  await assert.rejects(log.waitFor({ ...any, timeoutMs: 1 }), /timeout: no event within 0\.001 s/);
  const stop = new AbortController();
  const waiting = log.waitFor({ ...any, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await assert.rejects(waiting, /stopped/);
  await assert.rejects(log.waitFor({ ...any, signal: stop.signal }), /stopped/);
});

Deno.test("EventLog forgets what is long ago and the contents of messages", () => {
  const log = new EventLog();
  const data = new Uint8Array(10);
  const event = {
    type: "message",
    association: 1,
    stream: 0,
    ssn: 0,
    tsn: 0,
    ppid: 0,
    unordered: false,
    data,
  } as const;
  for (let i = 0; i < 10_001; i++) log.add({ ...occurrence(1), event });
  assert.equal(log.find(1, () => true)?.sequence, 5001);
  const found = log.find(6000, () => true)?.event;
  assert.equal(found?.type === "message" && found.data.length, 0);
});

for (
  const [text, matches] of [
    ["expect senderDry", true],
    ["expect SENDERDRY length=7", true],
    ["expect senderDry length=8", false],
    ["expect SENDER_DRY", true],
    ["expect SCTP_SENDER_DRY", true],
    ["expect COMM_UP", false],
    ["expect /dry/", false],
    ["expect /dry/i", true],
    ["expect message", false],
  ] as const
) {
  Deno.test(`${text} ${matches ? "is" : "is not"} met by SENDER_DRY of length 7`, () => {
    const line = readCommandLine(text)!;
    assert.equal(expectation(line.words[0]!, line)({ ...occurrence(1), sequence: 1 }), matches);
  });
}

Deno.test("expect refuses events that do not exist and expressions that are none", () => {
  const line = readCommandLine("expect it")!;
  assert.throws(() => expectation("it", line), /there is no event "it"/);
  assert.throws(() => expectation("/(/", line), /not a regular expression/);
});
