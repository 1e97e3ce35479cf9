import assert from "node:assert/strict";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import type { ElementEntry, RegisterResult } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText, showText } from "../../../protocol/wire/mod.ts";
import { fc } from "../../properties.ts";

const PR = 0xc2818128;

function element(elementId: number, homeRegistrarId = PR): PoolElement {
  return {
    elementId,
    homeRegistrarId,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 7, use: "data+control", addresses: ["10.1.1.1"] },
    policy: { name: "RoundRobin", type: 1 },
  };
}

function entryOf(result: RegisterResult): ElementEntry {
  assert.ok(result.type !== "refused", "registered");
  return result.entry;
}

const place = ({ pool, elementId }: ElementEntry) => `${showText(pool.poolHandle)}/${elementId}`;

Deno.test("Handlespace.checksum() gives the values that RSPLIB sends", () => {
  const handlespace = new Handlespace(new Prng(1));
  assert.equal(handlespace.checksum(PR), 0xffff);
  const entries =
    ([["EchoPool", 0x11223344], ["DaytimePool", 0xe2675f6b], ["PingPongPool", 0xfc5c564e]] as const)
      .map(([pool, id]) => entryOf(handlespace.register(encodeText(pool), element(id))));
  assert.equal(handlespace.checksum(PR), 0x13e6);
  handlespace.rehome(entries[0]!, 0x2222);
  assert.equal(handlespace.checksum(0x2222), 0x4deb);
  handlespace.remove(entries[1]!);
  assert.equal(handlespace.checksum(PR), 0x6fd1);
  assert.deepEqual([handlespace.ownedCount(PR), handlespace.ownedCount(0x2222), handlespace.ownedCount(9)], [
    1,
    1,
    0,
  ]);
  handlespace.checkInvariants();
});

Deno.test("Handlespace keeps a pool from its first element to its last, and then another policy may come", () => {
  const handlespace = new Handlespace(new Prng(1));
  const pool = encodeText("P");
  const entry = entryOf(handlespace.register(pool, element(1)));
  assert.equal(handlespace.register(pool, element(1)).type, "updated");
  assert.deepEqual([handlespace.poolCount, handlespace.elementCount], [1, 1]);
  assert.equal(handlespace.find(pool, 1), entry);
  handlespace.remove(entry);
  assert.deepEqual([handlespace.poolCount, handlespace.elementCount], [0, 0]);
  assert.equal(handlespace.select(pool, 1), undefined);
  const transport = { protocol: "udp", port: 7, use: "data", addresses: ["10.1.1.1"] } as const;
  assert.equal(handlespace.register(pool, { ...element(2), userTransport: transport }).type, "added");
});

Deno.test("Handlespace.page() walks the table in RSPLIB's order with a cursor that survives changes", () => {
  const handlespace = new Handlespace(new Prng(1));
  for (const [pool, id] of [["b", 2], ["aa", 1], ["b", 1], ["a", 3], ["ab", 1]] as const) {
    handlespace.register(encodeText(pool), element(id, id === 3 ? 0x3333 : PR));
  }
  const first = handlespace.page(undefined, 2);
  assert.deepEqual(first.map(place), ["a/3", "b/1"]);
  handlespace.remove(first[1]!);
  handlespace.register(encodeText("a"), element(9));
  assert.deepEqual(handlespace.page(first[1]!, 9).map(place), ["b/2", "aa/1", "ab/1"]);
  assert.deepEqual(handlespace.page(undefined, 9, 0x3333).map(place), ["a/3"]);
  assert.deepEqual(handlespace.page(undefined, 9, 0x4444), []);
});

Deno.test("Handlespace agrees with a simple model under random changes", () => {
  const change = fc.record({
    what: fc.constantFrom("register", "register", "remove", "rehome", "select"),
    pool: fc.integer({ min: 1, max: 4 }),
    id: fc.integer({ min: 0, max: 8 }),
    owner: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
      const handlespace = new Handlespace(new Prng(1), { maxElements: 12, maxPools: 3 });
      const model = new Map<string, number>();
      for (const { what, pool, id, owner } of changes) {
        const poolHandle = Uint8Array.of(pool);
        const key = `${pool}/${id}`;
        const entry = handlespace.find(poolHandle, id);
        assert.equal(entry?.homeRegistrarId, model.get(key));
        if (what === "register") {
          const pools = new Set([...model.keys()].map((known) => known.split("/")[0]));
          const room = model.has(key) || (model.size < 12 && (pools.size < 3 || pools.has(`${pool}`)));
          const result = handlespace.register(poolHandle, element(id, owner));
          assert.equal(result.type, id === 0 || !room ? "refused" : model.has(key) ? "updated" : "added");
          if (result.type !== "refused") model.set(key, owner);
        } else if (what === "remove" && entry !== undefined) {
          handlespace.remove(entry);
          model.delete(key);
        } else if (what === "rehome" && entry !== undefined) {
          handlespace.rehome(entry, owner);
          model.set(key, owner);
        } else if (what === "select") {
          const members = [...model.keys()].filter((known) => known.startsWith(`${pool}/`)).length;
          assert.equal(handlespace.select(poolHandle, 3)?.length ?? 0, Math.min(3, members));
        }
        handlespace.checkInvariants();
      }
      assert.equal(handlespace.elementCount, model.size);
    }),
    { numRuns: 40 },
  );
});

function opaqueElement(length: number): PoolElement {
  const value = new Uint8Array(length);
  return { ...element(1), userTransport: { protocol: "opaque", port: 0, use: "data", addresses: [], value } };
}

Deno.test("Handlespace refuses other transports than the pool's with its own", () => {
  const handlespace = new Handlespace(new Prng(1));
  handlespace.register(encodeText("P"), opaqueElement(4));
  const tcp = { protocol: "tcp", port: 7, use: "data", addresses: ["10.1.1.1"] } as const;
  const result = handlespace.register(encodeText("P"), { ...element(2), userTransport: tcp });
  assert.ok(result.type === "refused");
  assert.deepEqual(result.error.map(({ code, data }) => [code, data.toHex()]), [[7, "0010000800000000"]]);
});

Deno.test("Handlespace takes opaque transports of up to 1024 octets", () => {
  for (const [length, expected] of [[1024, "added"], [1025, "refused"]] as const) {
    const result = new Handlespace(new Prng(1)).register(encodeText("P"), opaqueElement(length));
    assert.equal(result.type, expected);
    if (result.type === "refused") assert.equal(result.error[0]?.code, 3);
  }
});

Deno.test("Handlespace counts as many selected elements as used as it is told", () => {
  const pool = encodeText("P");
  for (const [maxIncrement, next] of [[undefined, 2], [0, 2], [1, 2], [2, 3], [9, 1]] as const) {
    const handlespace = new Handlespace(
      new Prng(1),
      maxIncrement === undefined ? {} : { maxIncrement },
    );
    for (const id of [1, 2, 3]) handlespace.register(pool, element(id));
    assert.deepEqual(handlespace.select(pool, 3)?.map(({ elementId }) => elementId), [1, 2, 3]);
    assert.equal(handlespace.select(pool, 1)?.[0]?.elementId, next, `maxIncrement ${maxIncrement}`);
  }
});
