import assert from "node:assert/strict";
import type { Application } from "../../../protocol/app/application.ts";
import { SessionLimit } from "../../../protocol/app/session_limit.ts";
import type { SessionLimitReport } from "../../../protocol/app/session_limit.ts";
import { closed, message, opened, RecordedOutlet } from "./outlet.ts";

function make(maxSessions: number) {
  const outlet = new RecordedOutlet<never, SessionLimitReport>();
  const heard: string[] = [];
  const application: Application<string> = {
    start: (now) => void heard.push(`start ${now}`),
    stop: (now) => void heard.push(`stop ${now}`),
    tick: (now) => void heard.push(`tick ${now}`),
    nextTimeout: () => 42,
    input: (input, now) => void heard.push(`input ${input} ${now}`),
    sessionEvent: ({ type, session }) => void heard.push(`${type} ${session}`),
  };
  return { outlet, heard, limit: new SessionLimit(outlet, application, maxSessions) };
}

Deno.test("SessionLimit turns away what is beyond its places, in order and unheard", () => {
  const { outlet, heard, limit } = make(2);
  for (const session of [1, 2, 3]) limit.sessionEvent(opened(session), 0);
  assert.deepEqual(heard, ["sessionOpened 1", "sessionOpened 2"]);
  assert.deepEqual(outlet.take("closeSession"), [{ type: "closeSession", session: 3, how: "shutdown" }]);
  limit.sessionEvent(message(new Uint8Array(10), { session: 3 }), 1);
  limit.sessionEvent(closed(3), 2);
  assert.equal(heard.length, 2);
  assert.deepEqual(outlet.take("consumed"), [{ type: "consumed", session: 3, octets: 10 }]);
  limit.sessionEvent(message(new Uint8Array(10), { session: 2 }), 3);
  assert.deepEqual(heard.slice(2), ["sessionMessage 2"]);
});

Deno.test("SessionLimit has a place again when a session ends, and the load follows", () => {
  const { outlet, heard, limit } = make(2);
  limit.sessionEvent(opened(1), 0);
  limit.sessionEvent(opened(2), 0);
  limit.sessionEvent(closed(1), 0);
  limit.sessionEvent(opened(4), 0);
  assert.deepEqual(heard.at(-1), "sessionOpened 4");
  assert.deepEqual(outlet.take("setLoad").map(({ load }) => load), [0.5, 1, 0.5, 1]);
  assert.deepEqual(outlet.take("closeSession"), []);
});

Deno.test("SessionLimit hands everything else on", () => {
  const { heard, limit } = make(1);
  limit.start(1);
  limit.input("wish", 2);
  limit.tick(3);
  limit.stop(4);
  assert.deepEqual(heard, ["start 1", "input wish 2", "tick 3", "stop 4"]);
  assert.equal(limit.nextTimeout(), 42);
});
