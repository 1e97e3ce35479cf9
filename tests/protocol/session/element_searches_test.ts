import assert from "node:assert/strict";
import { Outbox, Prng } from "../../../protocol/machine.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { ElementSearches } from "../../../protocol/session/element_searches.ts";
import type { UserEffect } from "../../../protocol/user/pool_user.ts";

const POOL = Uint8Array.of(65);

function elementOf(elementId: number): PoolElement {
  return {
    elementId,
    homeRegistrarId: 1,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 4711, use: "data+control", addresses: ["10.1.1.1"] },
    policy: { name: "RoundRobin", type: 1 },
  };
}

Deno.test("ElementSearches tries each element of a business card once, and then asks a registrar", () => {
  const searches = new ElementSearches({}, new Outbox<UserEffect>(), new Prng(1));
  const search = searches.begin(1, POOL);
  searches.card(search, 0x99, [1, 2, 3].map(elementOf));
  const tried: number[] = [];
  let now = 0;
  for (let attempt = 0; attempt < 10; attempt++) {
    searches.seek(search, now);
    const [event] = searches.takeEvents(now);
    if (event?.type !== "found") break;
    tried.push(event.element.elementId);
    now += 30_000; // so slowly that nobody is avoided any more
    searches.unreachable(search, event.element.elementId, now);
    now += 20_000;
  }
  assert.deepEqual(tried, [1, 2, 3]);
});
