import assert from "node:assert/strict";
import { EventLog } from "../../../protocol/csp/component_event.ts";
import type { NewEvent } from "../../../protocol/csp/component_event.ts";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";

const registrar = (object: number) => componentId(ComponentGroup.registrar, object);
const element = (object: number) => componentId(ComponentGroup.element, object);

/** Registrar 8 has an element that was with 7. */
const takeover = (object: number): NewEvent => ({
  type: "takeover",
  component: element(object),
  from: registrar(7),
  to: registrar(8),
});

function told(log: EventLog): (readonly [string, number, number])[] {
  return log.all().map(({ type, at, count }) => [type, at, count]);
}

Deno.test("EventLog joins what goes on, whatever else happens meanwhile", () => {
  const log = new EventLog();
  log.merge(takeover(1), 0, () => true);
  log.add({ type: "appeared", component: element(9) }, 500);
  log.merge(takeover(2), 2000, () => true);
  log.merge(takeover(3), 6000, () => true);
  assert.deepEqual(told(log), [["takeover", 0, 3], ["appeared", 500, 1]]);
  log.merge(takeover(4), 11_001, () => true);
  assert.deepEqual(told(log).at(-1), ["takeover", 11_001, 1]);
});
