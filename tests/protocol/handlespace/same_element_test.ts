import assert from "node:assert/strict";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { isSameElement } from "../../../protocol/handlespace/same_element.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

const userTransport = { protocol: "sctp", port: 7, use: "data+control", addresses: ["10.1.1.1"] } as const;

function element(fields: Partial<PoolElement> = {}): PoolElement {
  const policy = { name: "WeightedRoundRobin", type: 2, weight: 3 } as const;
  const asapTransport = { protocol: "sctp", port: 9, use: "data", addresses: ["10.1.1.1"] } as const;
  return {
    elementId: 1,
    homeRegistrarId: 2,
    registrationLifeMs: 90_000,
    userTransport: { ...userTransport, addresses: ["10.1.1.1"] },
    policy,
    asapTransport,
    ...fields,
  };
}

const opaque = {
  protocol: "opaque",
  port: 0,
  use: "data",
  addresses: [],
  value: Uint8Array.of(1, 2),
} as const;
const dccp = { protocol: "dccp", port: 7, use: "data", addresses: ["10.1.1.1"], serviceCode: 5 } as const;

const pairs: readonly [what: string, one: PoolElement, other: PoolElement][] = [
  ["ID", element(), element({ elementId: 3 })],
  ["home", element(), element({ homeRegistrarId: 3 })],
  ["life", element(), element({ registrationLifeMs: 90_001 })],
  ["policy", element(), element({ policy: { name: "RoundRobin", type: 1 } })],
  ["weight", element(), element({ policy: { name: "WeightedRoundRobin", type: 2, weight: 4 } })],
  ["port", element(), element({ userTransport: { ...userTransport, port: 8 } })],
  ["use", element(), element({ userTransport: { ...userTransport, use: "data" } })],
  ["one address", element(), element({ userTransport: { ...userTransport, addresses: ["10.1.1.2"] } })],
  [
    "number of addresses",
    element(),
    element({ userTransport: { ...userTransport, addresses: ["10.1.1.1", "10.1.1.2"] } }),
  ],
  ["protocol", element(), element({ userTransport: { ...userTransport, protocol: "tcp", use: "data" } })],
  ["ASAP transport", element(), element({ asapTransport: undefined })],
  [
    "service code",
    element({ userTransport: dccp }),
    element({ userTransport: { ...dccp, serviceCode: 6 } }),
  ],
  [
    "opaque value",
    element({ userTransport: opaque }),
    element({ userTransport: { ...opaque, value: Uint8Array.of(1, 3) } }),
  ],
];

for (const [what, one, other] of pairs) {
  Deno.test(`isSameElement() tells elements apart by their ${what}`, () => {
    assert.equal(isSameElement(one, other), false);
    assert.equal(isSameElement(other, one), false);
    assert.ok(isSameElement(one, structuredClone(one)) && isSameElement(other, structuredClone(other)));
  });
}

Deno.test("Handlespace keeps the element that it has when it is registered again as it is, and takes a changed one", () => {
  const handlespace = new Handlespace(new Prng(1)), pool = encodeText("P");
  const first = element(), changed = element({ registrationLifeMs: 5000 });
  const result = handlespace.register(pool, first);
  assert.ok(result.type === "added");

  handlespace.register(pool, element());
  assert.equal(result.entry.element, first);

  handlespace.register(pool, changed);
  assert.equal(result.entry.element, changed);
});
