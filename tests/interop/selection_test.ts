/**
 * What our registrar selects, side by side with RSPLIB's: the same elements register at both, and the same user resolves
 * their pools. Run by `scripts/kernel-lab test registrar`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import type { PolicyName } from "../../protocol/param/mod.ts";
import { type Numbers, parameter } from "../protocol/policy/members.ts";
import { complaints, Lab, serving } from "./rsplib_lab.ts";
import type { Selected, SelectionTask } from "./selection_agent.ts";

/** Neither tells the other one anything, nor asks the elements; of an answer, the first element counts as used. */
const QUIET = [
  ...["-asapannounce=off", "-enrpannounce=off", "-maxincrement=1", "-logcolor=off"],
  ...["-endpointkeepalivetransmissioninterval=300000", "-endpointkeepalivetimeoutinterval=60000"],
];
/** All selections take a quarter of a minute, on a busy machine ten times as long. The elements answer keep-alives. */
const SELECTION_LIMIT_MS = 600_000;
const AGENT = Lab.addresses("server")[0];
const OURS = Lab.addresses("secondServer")[0], RSPLIBS = Lab.addresses("registrar")[0];

/** Of 256. A distance that a slow guest may have is worth next to nothing. */
const UNIT = 0x01000000, DPF = 1000;
const load = (load: number): Numbers => ({ load: load * UNIT, loadDpf: DPF });
const loads = (load: number, loadDegradation: number): Numbers => {
  return { load: load * UNIT, loadDegradation: loadDegradation * UNIT };
};
const weight = (weight: number): Numbers => ({ weight, weightDpf: DPF });

/** What comes next is a matter of the policy alone. With answers of three, the second and third do not count as used. */
const SAME: Partial<Record<PolicyName, readonly Numbers[]>> = {
  RoundRobin: [{}, {}, {}, {}],
  Priority: [3, 9, 5, 9].map((priority) => ({ priority })),
  LeastUsed: [102, 26, 77, 26].map(load),
  PriorityLeastUsed: [loads(26, 77), loads(51, 26), loads(77, 26), loads(64, 13)],
  LeastUsedDPF: [102, 26, 77, 51].map(load),
};

/** Equals under a policy with degradation: each one's turn comes equally often. RSPLIB's degradation is twice the given. */
const EQUALS: Partial<Record<PolicyName, readonly Numbers[]>> = {
  LeastUsedDegradation: Array(4).fill(loads(0, 2)),
  PriorityLeastUsedDegradation: Array(4).fill(loads(0, 2)),
};
const ROUNDS = 10;

/** RSPLIB updates a member twice in each selection, so that its weights are others (reference/rsplib.md §2.3). */
const WEIGHTS = [5, 2, 1];

/** What each member's share is. */
const SHARES: Partial<Record<PolicyName, readonly (readonly [Numbers, share: number])[]>> = {
  Random: [[{}, 1], [{}, 1], [{}, 1], [{}, 1]],
  WeightedRandom: [10, 30, 60].map((share) => [weight(share), share]),
  WeightedRandomDPF: [100, 300, 600].map((share) => [weight(share), share]),
  RandomizedLeastUsed: [[load(0), 4], [load(128), 2], [load(192), 1]],
  RandomizedPriorityLeastUsed: [[loads(0, 64), 3], [loads(128, 64), 1], [loads(64, 64), 2]],
};
const DRAWS = 1000;
/** Standard deviations that a count may be off: chance takes it further in one of a thousand million runs. */
const TOLERANCE = 6.5;

Deno.test({
  name: "registrars: ours selects as RSPLIB's does, and as the policies say",
  ignore: !kernelSctpSupport().available,
  fn: async (t) => {
    await using lab = await Lab.make(`selection-${Deno.pid}`);
    const found = await select(lab);
    const ofBoth = (pool: string, items: number) =>
      [OURS, RSPLIBS].map((registrar) => {
        const query = found.find((one) =>
          one.registrar === registrar && one.pool === pool && one.items === items
        );
        assert.ok(query !== undefined);
        return query.choices;
      }) as [Selected["choices"], Selected["choices"]];

    for (const name of Object.keys(SAME)) {
      await t.step(`${name}: the same elements in the same order`, () => {
        for (const items of [1, 3]) {
          const [ours, theirs] = ofBoth(name, items);
          assert.deepEqual(ours, theirs, `${items} at a time`);
        }
      });
    }
    for (const name of Object.keys(EQUALS)) {
      await t.step(`${name}: equals take turns`, () => {
        for (const choices of ofBoth(name, 1)) assert.deepEqual(counts(choices, 4), Array(4).fill(ROUNDS));
      });
    }
    await t.step("WeightedRoundRobin: as often as the weights say", () => {
      const [ours, theirs] = ofBoth("WeightedRoundRobin", 1);
      const round = WEIGHTS.reduce((sum, weight) => sum + weight);
      for (let at = 0; at < ours.length; at += round) {
        assert.deepEqual(counts(ours.slice(at, at + round), WEIGHTS.length), WEIGHTS, `from ${at} on`);
      }
      const [five = 0, two = 0, one = 0] = counts(theirs, WEIGHTS.length);
      assert.ok(five > two && two > one, `RSPLIB's: ${five}, ${two}, ${one}`);
    });
    for (const [name, members] of Object.entries(SHARES)) {
      await t.step(`${name}: as often as the shares say, and nobody twice in an answer`, () => {
        const whole = members.reduce((sum, [, share]) => sum + share, 0);
        ofBoth(name, 1).forEach((choices, index) => {
          counts(choices, members.length).forEach((count, member) => {
            const share = (members[member]?.[1] ?? 0) / whole;
            const off = (count - DRAWS * share) / Math.sqrt(DRAWS * share * (1 - share));
            const what = `member ${member + 1} ${count} times of ${DRAWS}, not ${share} of them`;
            assert.ok(Math.abs(off) <= TOLERANCE, `${index === 0 ? "ours" : "RSPLIB's"}: ${what}`);
          });
        });
        for (const choices of ofBoth(name, 3)) {
          assert.ok(choices.every((ids) => ids.length === 3 && new Set(ids).size === 3));
        }
      });
    }
    await t.step("nothing is wrong with our packets", async () => {
      const file = await Deno.makeTempFile();
      try {
        await Deno.writeFile(file, await lab.endCapture());
        assert.deepEqual(await complaints(file, [OURS]), []);
      } finally {
        await Deno.remove(file);
      }
    });
  },
});

/** Lets both registrars select. */
async function select(lab: Lab): Promise<readonly Selected[]> {
  const places = (address: string) => [`-asap=${address}:3863`, `-enrp=${address}:9901`];
  const ours = await serving(lab.ours("secondServer", "registrar", ...places(OURS), ...QUIET));
  const theirs = await serving(lab.original("registrar", "rspregistrar", ...places(RSPLIBS), ...QUIET));
  const agent = lab.script("server", "selection_agent.ts", JSON.stringify(task()));
  await agent.says(/^done$/m, SELECTION_LIMIT_MS);
  for (const registrar of [ours, theirs]) assert.equal(await registrar.interrupt(), 0, registrar.quote());
  return agent.output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

function task(): SelectionTask {
  const pool = (name: string, members: readonly Numbers[], ...queries: [items: number, times: number][]) => ({
    name,
    members: members.map((numbers) => parameter(name as PolicyName, { ...numbers, distanceMs: 0 })),
    queries: queries.map(([items, times]) => ({ items, times })),
  });
  return {
    address: AGENT,
    registrars: [OURS, RSPLIBS],
    pools: [
      ...Object.entries(SAME).map(([name, members]) => pool(name, members, [1, 24], [3, 12])),
      ...Object.entries(EQUALS).map(([name, members]) => pool(name, members, [1, 4 * ROUNDS])),
      pool("WeightedRoundRobin", WEIGHTS.map((weight) => ({ weight })), [1, 80]),
      ...Object.entries(SHARES).map(([name, members]) =>
        pool(name, members.map(([numbers]) => numbers), [1, DRAWS], [3, 30])
      ),
    ],
  };
}

/** How often each member was the first choice. */
function counts(choices: Selected["choices"], memberCount: number): number[] {
  return Array.from({ length: memberCount }, (_, index) => {
    return choices.filter(([first]) => first === index + 1).length;
  });
}
