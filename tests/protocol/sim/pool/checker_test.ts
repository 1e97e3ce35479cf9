import assert from "node:assert/strict";
import type { PolicyParameter } from "../../../../protocol/param/policy.ts";
import { Handlespace } from "../../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../../protocol/machine.ts";
import {
  CodecChecker,
  convergenceComplaints,
  DistributionChecker,
  PoolWorld,
  WorldChecker,
  WorldViolation,
} from "../../../../protocol/sim/pool/mod.ts";
import type { RegistrarActor } from "../../../../protocol/sim/pool/mod.ts";
import { encodeText } from "../../../../protocol/wire/mod.ts";

const ROUND_ROBIN: PolicyParameter = { name: "RoundRobin", type: 1 };
const POOL = encodeText("Pool1");

/** A world of two registrars and some elements that has settled. */
function settledWorld(): PoolWorld {
  const world = new PoolWorld({ seed: 5, registrars: 2, elements: 6, users: 2, policies: [ROUND_ROBIN] });
  world.startAll(1000);
  world.network.run(60_000);
  assert.deepEqual(convergenceComplaints(world), []);
  return world;
}

function registrar(world: PoolWorld, n: number): RegistrarActor {
  const actor = world.registrars[n - 1];
  assert.ok(actor?.machine !== undefined);
  return actor;
}

Deno.test("convergenceComplaints() sees an element that one registrar has lost", () => {
  const world = settledWorld();
  const { handlespace } = registrar(world, 2).machine!;
  const [pool] = handlespace.pools();
  const [entry] = pool!.elements.values();
  handlespace.remove(entry!);
  const complaints = convergenceComplaints(world).join("\n");
  assert.match(complaints, /registrar 2 does not know element \d/);
  assert.match(complaints, /has another checksum for registrar/);
});

Deno.test("convergenceComplaints() sees an element with two homes, and one with none", () => {
  const world = settledWorld();
  const owns = ({ machine, registrarId }: RegistrarActor) => machine!.handlespace.ownedCount(registrarId) > 0;
  const [one, two] = [...world.registrars].sort((a, b) => Number(owns(b)) - Number(owns(a))) as [
    RegistrarActor,
    RegistrarActor,
  ];
  const mine = one.machine!.handlespace.page(undefined, 1, one.registrarId)[0]!;
  const element = mine.element;
  const other = two.machine!.handlespace.find(POOL, element.elementId)!;
  two.machine!.handlespace.rehome(other, two.registrarId);
  assert.match(convergenceComplaints(world).join("\n"), /is owned by registrar \d and registrar \d/);
  one.machine!.handlespace.rehome(mine, two.registrarId);
  two.machine!.handlespace.rehome(other, one.registrarId);
  assert.match(convergenceComplaints(world).join("\n"), /is owned by nobody/);
});

Deno.test("convergenceComplaints() sees the dead: an element, and a peer", () => {
  const world = settledWorld();
  const [element] = world.elements;
  world.end(element!, "power");
  assert.match(convergenceComplaints(world).join("\n"), /registrar \d has element 1 .*dead for 0 s/);
  world.end(registrar(world, 2), "power");
  assert.match(convergenceComplaints(world).join("\n"), /registrar 1 has a peer .* that is dead/);
});

Deno.test("convergenceComplaints() sees an element that is not registered", () => {
  const world = settledWorld();
  const [element] = world.elements;
  world.end(element!, "power");
  world.startElement(element!);
  assert.match(convergenceComplaints(world).join("\n"), /element 1 .* is not registered/);
});

Deno.test("WorldChecker does not let a registrar offer an element that is long dead", () => {
  const world = new PoolWorld({
    seed: 5,
    registrars: 1,
    elements: 1,
    users: 1,
    policies: [ROUND_ROBIN],
    registrarOptions: { keepAliveIntervalMs: 1e9, maxBadReports: 1e9 },
    reregistrationIntervalMs: 5e8,
  });
  const checker = new WorldChecker(world);
  world.startAll(1000);
  world.network.run(30_000);
  const [fate] = world.fates.values();
  fate!.endedAt = world.now - 2 * checker.bounds.offerMs;
  assert.throws(() => world.network.run(30_000), (error: unknown) => {
    assert.ok(error instanceof WorldViolation);
    return /registrar 1 offers element 1, dead for/.test(error.message);
  });
});

Deno.test("WorldChecker wants users served while the world is calm", () => {
  const world = settledWorld();
  const checker = new WorldChecker(world);
  checker.calm = true;
  world.network.run(30_000);
  assert.ok(checker.counts.calmAnswers > 2);
  checker.check();
  for (const actor of world.registrars) world.end(actor, "power");
  world.network.run(60_000);
  assert.throws(() => checker.check(), /user \d does not get an answer/);
  const other = settledWorld();
  new WorldChecker(other).calm = true;
  for (const element of other.elements) other.end(element, "power");
  assert.throws(() => other.network.run(60_000), /user \d does not reach/);
});

Deno.test("CodecChecker takes what is read as it was written, and nothing else", () => {
  const checker = new CodecChecker();
  const good = Uint8Array.fromHex("0a000008c2818128");
  assert.equal(checker.check("asap", good), undefined);
  assert.equal(checker.check("asap", good), undefined);
  assert.match(checker.check("asap", Uint8Array.fromHex("0aff0008c2818128")) ?? "", /reads as another one/);
  assert.match(checker.check("asap", good.slice(0, 7)) ?? "", /cannot be read/);
  assert.match(checker.check("enrp", good) ?? "", /cannot be read/);
  assert.equal(checker.checked, 5);
});

Deno.test("DistributionChecker knows what each policy may choose", () => {
  const cases: readonly [PolicyParameter, PolicyParameter, RegExp][] = [
    [ROUND_ROBIN, ROUND_ROBIN, /round robin chose one element/],
    [
      { name: "WeightedRoundRobin", type: 2, weight: 1 },
      { name: "WeightedRoundRobin", type: 2, weight: 3 },
      /weighted round robin chose weight/,
    ],
    [{ name: "Random", type: 3 }, { name: "Random", type: 3 }, /a share of 0\.500/],
    [
      { name: "WeightedRandom", type: 4, weight: 1 },
      { name: "WeightedRandom", type: 4, weight: 3 },
      /a share of 0\.250/,
    ],
    [
      { name: "Priority", type: 5, priority: 1 },
      { name: "Priority", type: 5, priority: 2 },
      /priority 1 was chosen, not 2/,
    ],
    [
      { name: "LeastUsed", type: 0x40000001, load: 9 },
      { name: "LeastUsed", type: 0x40000001, load: 2 },
      /a load of 9 where 2 is least/,
    ],
  ];
  for (const [first, second, expected] of cases) {
    const handlespace = new Handlespace(new Prng(1));
    [first, second].forEach((policy, n) => {
      const result = handlespace.register(POOL, {
        elementId: n + 1,
        homeRegistrarId: 7,
        registrationLifeMs: 1000,
        userTransport: { protocol: "sctp", port: 1, use: "data+control", addresses: ["10.0.0.1"] },
        policy,
      });
      assert.equal(result.type, "added", first.name);
    });
    const actor = { name: "registrar 1" } as RegistrarActor;
    const pool = handlespace.pool(POOL)!;
    const fair = new DistributionChecker();
    for (let n = 0; n < 2000; n++) {
      const [entry] = handlespace.select(POOL, 1)!;
      assert.equal(fair.selected(actor, pool, entry!.elementId), undefined, first.name);
    }
    const unfair = new DistributionChecker();
    const complaints = Array.from({ length: 2000 }, () => unfair.selected(actor, pool, 1));
    assert.match(complaints.find((complaint) => complaint !== undefined) ?? "none", expected);
  }
});

Deno.test("DistributionChecker begins anew when a pool changes", () => {
  const world = settledWorld();
  const checker = new DistributionChecker();
  const actor = registrar(world, 1);
  const pool = actor.machine!.handlespace.pool(POOL)!;
  const [elementId] = pool.elements.keys();
  assert.equal(checker.selected(actor, pool, elementId!), undefined);
  checker.changed(actor);
  assert.equal(checker.selected(actor, pool, elementId!), undefined);
  assert.match(checker.selected(actor, pool, elementId!) ?? "", /round robin/);
});
