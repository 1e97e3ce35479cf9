import assert from "node:assert/strict";
import { AvoidedElements, MAX_AVOIDED_ELEMENTS } from "../../../protocol/session/avoided_elements.ts";

Deno.test("AvoidedElements avoids who failed, longer each time, up to a limit", () => {
  const avoided = new AvoidedElements(10, 35);
  const waits: number[] = [];
  let now = 0;
  for (let failure = 0; failure < 4; failure++) {
    avoided.failed(7, now);
    avoided.failed(7, now + 1); // another session saw the same
    const failedAt = now;
    while (avoided.now(now).length > 0) now++;
    waits.push(now - failedAt);
  }
  assert.deepEqual(waits, [10, 20, 35, 35]);
  avoided.served(7);
  avoided.failed(7, now);
  assert.deepEqual([avoided.now(now + 9), avoided.now(now + 10)], [[7], []]);
});

Deno.test("AvoidedElements remembers a limited number, the newest", () => {
  const avoided = new AvoidedElements(10);
  for (let element = 0; element <= MAX_AVOIDED_ELEMENTS; element++) avoided.failed(element, 0);
  const list = avoided.now(1);
  assert.equal(list.length, MAX_AVOIDED_ELEMENTS);
  assert.ok(!list.includes(0) && list.includes(1) && list.includes(MAX_AVOIDED_ELEMENTS));
});
