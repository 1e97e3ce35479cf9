import assert from "node:assert/strict";
import { MAX_ANNOUNCED_REGISTRARS, RegistrarList } from "../../../protocol/user/registrar_list.ts";

const RETRY = { initialMs: 500, maxMs: 4000 };

const places = (list: RegistrarList, now: number) =>
  list.candidates(now).map(({ addresses, port, registrarId }) =>
    `${addresses.join("+")}:${port}=${registrarId}`
  );

Deno.test("RegistrarList believes an announce for its life, and a static entry for ever", () => {
  const list = new RegistrarList([[{ address: "10.1.1.1", port: 3863 }]], 5000, RETRY);
  list.announce(["10.1.1.2"], 3863, 7, 0);
  assert.deepEqual(places(list, 4999), ["10.1.1.1:3863=0", "10.1.1.2:3863=7"]);
  list.announce(["10.1.1.2"], 3863, 7, 4000);
  assert.deepEqual(places(list, 8999), ["10.1.1.1:3863=0", "10.1.1.2:3863=7"]);
  assert.deepEqual(places(list, 9000), ["10.1.1.1:3863=0"]);
});

Deno.test("RegistrarList makes one entry of the announces of one registrar's interfaces, far-reaching ones first", () => {
  const list = new RegistrarList([], 5000, RETRY);
  for (const address of ["127.0.0.1", "10.1.1.1", "10.2.1.1"]) list.announce([address], 3863, 7, 0);
  assert.deepEqual(places(list, 0), ["10.1.1.1+10.2.1.1+127.0.0.1:3863=7"]);
});

Deno.test("RegistrarList learns a static registrar's ID and further addresses from announces", () => {
  const list = new RegistrarList([[{ address: "10.1.1.1", port: 3863 }]], 5000, RETRY);
  list.announce(["10.1.1.1"], 3863, 7, 0);
  assert.deepEqual(places(list, 0), ["10.1.1.1:3863=7"]);
});

Deno.test("RegistrarList forgets who was heard at a place where another registrar answers now", () => {
  const list = new RegistrarList([], 5000, RETRY);
  list.announce(["10.1.1.1"], 3863, 7, 0);
  list.announce(["10.1.1.1"], 3863, 8, 100);
  assert.deepEqual(places(list, 100), ["10.1.1.1:3863=8"]);
});

Deno.test("RegistrarList leaves a registrar that fails alone, ever longer, until it succeeds", () => {
  const list = new RegistrarList([[{ address: "10.1.1.1", port: 3863 }]], 5000, RETRY);
  const key = list.candidates(0)[0]!.key;
  let now = 0;
  for (const waitMs of [500, 1000, 2000, 4000, 4000]) {
    assert.equal(list.failed(key, now), waitMs);
    assert.deepEqual(list.candidates(now + waitMs - 1), []);
    assert.equal(list.nextRetry(now), now + waitMs);
    now += waitMs;
    assert.equal(list.candidates(now).length, 1);
  }
  list.succeeded(key);
  assert.equal(list.failed(key, now), 500);
});

Deno.test("RegistrarList ignores announces without ID, port or address, and a flood of them", () => {
  const list = new RegistrarList([], 5000, RETRY);
  list.announce(["10.1.1.1"], 3863, 0, 0);
  list.announce(["10.1.1.1"], 0, 7, 0);
  list.announce([], 3863, 7, 0);
  assert.equal(list.size(0), 0);
  for (let id = 1; id <= 1000; id++) list.announce([`10.1.${id >> 8}.${id & 255}`], 3863, id, 0);
  assert.equal(list.size(0), MAX_ANNOUNCED_REGISTRARS);
  for (let n = 0; n < 255; n++) list.announce([`10.7.7.${n}`], 3863, 1, 0);
  assert.ok(list.candidates(0).every(({ addresses }) => addresses.length <= 16));
  assert.equal(list.size(5000), 0);
});
