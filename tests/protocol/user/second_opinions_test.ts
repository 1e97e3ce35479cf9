import assert from "node:assert/strict";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { MAX_OPINIONS } from "../../../protocol/user/pool_user.ts";
import { newUser, POOL, registrars, resolution } from "../../rfc/asap_bench.ts";
import type { UserBench } from "../../rfc/asap_bench.ts";

const OPEN = { type: "openSession", session: 1, poolHandle: POOL } as const;
const UNKNOWN: AsapMessage = {
  type: "handleResolutionResponse",
  poolHandle: POOL,
  elements: [],
  error: [{ code: 9, data: new Uint8Array() }],
};

/** A user that knows so many registrars, and has association 7 with the first. */
function begin(count: number): UserBench {
  const bench = newUser({ hunt: { registrars: registrars(count), maxParallel: 1 } });
  bench.up("hunt", 7, 1, addressOf(bench));
  bench.give(OPEN);
  return bench;
}

/** Where the last connect goes to. */
function addressOf(bench: UserBench): string {
  return bench.connects().at(-1)!.addresses[0]!;
}

/** The registrar that is connected to last comes up. */
function nextUp(bench: UserBench, association: number): string[] {
  const { request } = bench.connects().at(-1)!;
  return bench.up("hunt", association, request, addressOf(bench)).map(({ message }) => message?.type ?? "");
}

function ended(bench: UserBench, association: number): boolean {
  return bench.commands.some(({ command }) =>
    command.type === "shutdown" && command.association === association
  );
}

Deno.test("PoolUser whose registrar does not know a pool asks another one, and stays with it", () => {
  const bench = begin(2);
  const first = addressOf(bench);

  bench.say("hunt", 7, UNKNOWN);
  assert.ok(ended(bench, 7));
  assert.notEqual(addressOf(bench), first);
  assert.deepEqual(nextUp(bench, 8), ["handleResolution"]);
  bench.say("hunt", 8, resolution(0x11));

  assert.deepEqual(bench.reportsOf("poolUnknown"), []);
  assert.equal(bench.connects("data").length, 1);
});

Deno.test("PoolUser believes that a pool is unknown when every registrar says so, and does not ask all again at once", () => {
  const bench = begin(2);
  bench.say("hunt", 7, UNKNOWN);
  nextUp(bench, 8);
  bench.say("hunt", 8, UNKNOWN);
  assert.equal(bench.reportsOf("poolUnknown").length, 1);
  assert.ok(!ended(bench, 8));

  const before = bench.connects().length;
  for (let again = 0; again < 10; again++) {
    bench.run(1000);
    bench.say("hunt", 8, UNKNOWN);
  }

  assert.ok(bench.reportsOf("poolUnknown").length > 1);
  assert.equal(bench.connects().length, before);
});

Deno.test("PoolUser with one registrar believes it", () => {
  const bench = begin(1);
  bench.say("hunt", 7, UNKNOWN);
  assert.equal(bench.reportsOf("poolUnknown").length, 1);
  assert.ok(!ended(bench, 7));
});

Deno.test("PoolUser asks so many registrars and no more", () => {
  const bench = begin(10);
  for (let association = 7; bench.reportsOf("poolUnknown").length === 0; association++) {
    assert.ok(association < 7 + MAX_OPINIONS);
    bench.say("hunt", association, UNKNOWN);
    if (ended(bench, association)) nextUp(bench, association + 1);
  }
  assert.equal(bench.connects().length, MAX_OPINIONS);
});

Deno.test("RegistrarHunt leaves a registrar at once whose place another one has taken", () => {
  const bench = newUser({ hunt: {} });
  const announce = (registrarId: number) =>
    bench.announce({ type: "serverAnnounce", registrarId }, "10.1.0.1", 3863);
  announce(0x1111);
  nextUp(bench, 7);
  bench.give(OPEN);

  announce(0x2222);

  assert.ok(bench.aborted(7));
  assert.deepEqual(nextUp(bench, 8), ["handleResolution"], "what was asked is asked again");
});

Deno.test("RegistrarHunt does not run after every announce that names another ID: they may be lies", () => {
  const bench = newUser({ hunt: {} });
  const announce = (registrarId: number) =>
    bench.announce({ type: "serverAnnounce", registrarId }, "10.1.0.1", 3863);
  announce(0x1111);
  nextUp(bench, 7);

  for (let n = 1; n <= 100; n++) {
    const { length } = bench.connects();
    announce(0x2222 + n);
    if (bench.connects().length > length) nextUp(bench, 100 + n);
    bench.run(100);
  }

  assert.ok(bench.connects().length <= 4, `${bench.connects().length} connects in 10 s`);
});

Deno.test("RegistrarHunt stays when the ID of its registrar was not known before, or another place announces itself", () => {
  const bench = newUser({ hunt: { registrars: registrars(1) } });
  nextUp(bench, 7);
  bench.announce({ type: "serverAnnounce", registrarId: 0x1111 }, "10.1.0.1", 3863);
  bench.announce({ type: "serverAnnounce", registrarId: 0x2222 }, "10.1.0.2", 3863);
  bench.announce({ type: "serverAnnounce", registrarId: 0x3333 }, "10.1.0.1", 3864);
  bench.announce({ type: "serverAnnounce", registrarId: 0x1111 }, "10.1.0.1", 3863);
  assert.ok(!bench.aborted(7));
});
