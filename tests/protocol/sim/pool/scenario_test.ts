import assert from "node:assert/strict";
import { parseScenario, runPoolScenario, ScenarioError } from "../../../../protocol/sim/pool/mod.ts";
import { SCENARIO_COMMANDS } from "../../../../protocol/sim/pool/scenario_commands.ts";

/** The trace of a scenario, and what went wrong in it. */
function play(...lines: string[]) {
  return runPoolScenario(parseScenario(lines.join("\n")));
}

Deno.test("parseScenario() reads world, registrars, steps, end and trace", () => {
  const { options, steps, endsAt, expectedTrace } = parseScenario(`
# A comment
world registrars=2 elements=3 users=1 seed=9 policies=LeastUsed,WeightedRoundRobin:3   # another one
world resolve=4s freshIds=no
registrars preset=rfc keepAliveIntervalMs=500ms takeoverSuggestion=yes
at 1.5s: start registrars
after 500ms:   expect   settled
end at 2min
---
1.5 * start registrars
`);
  assert.equal(options.registrars, 2);
  assert.deepEqual([options.elements, options.users, options.seed], [3, 1, 9]);
  assert.deepEqual(options.policies?.map(({ name }) => name), ["LeastUsed", "WeightedRoundRobin"]);
  assert.equal(options.resolveIntervalMs, 4000);
  assert.equal(options.freshIds, false);
  assert.equal(options.registrarOptions?.keepAliveIntervalMs, 500);
  assert.equal(options.registrarOptions?.presenceIntervalMs, 30_000);
  assert.equal(options.registrarOptions?.takeoverSuggestion, true);
  assert.deepEqual(steps.map(({ line, at, text }) => ({ line, at, text })), [
    { line: 6, at: 1500, text: "start registrars" },
    { line: 7, at: 2000, text: "expect settled" },
  ]);
  assert.equal(endsAt, 120_000);
  assert.deepEqual(expectedTrace, ["1.5 * start registrars"]);
});

Deno.test("parseScenario() ends with the last step unless told otherwise, and expects no trace", () => {
  const { endsAt, expectedTrace } = parseScenario("at 3s: heal");
  assert.deepEqual([endsAt, expectedTrace], [3000, undefined]);
});

const WRONG: readonly (readonly [text: string, message: RegExp])[] = [
  ["hello", /^line 1: "hello" is none of world, registrars, at, after, end$/],
  ["\n\nat 1s start registrars", /^line 3: there is no colon/],
  ["at soon: heal", /^line 1: "soon" is no time such as 500ms/],
  ["at 5s: heal\nat 4s: heal", /^line 2: a step comes before the one above it/],
  ["at 1s: dance", /nothing is called "dance"; there are\n {4}start WHO\n/],
  ["at 9s: heal\nend at 5s", /the end comes before the last step/],
  ["world moons=1", /^line 1: a world has no "moons"/],
  ["world registrars=two", /registrars is a whole number up to 100000, not "two"/],
  ["world registrars=100001", /up to 100000/],
  ["world registrars", /"registrars" is not name=value/],
  ["world policies=Fair", /"Fair" is no policy/],
  ["world policies=WeightedRandom:x", /a policy's value is a whole number/],
  ["registrars preset=mine", /preset is rsplib or rfc, not "mine"/],
  ["registrars keepAliveMs=500", /registrars have no "keepAliveMs"/],
  ["registrars takeoverSuggestion=maybe", /takeoverSuggestion is yes or no, not "maybe"/],
  ["world drift=much", /drift is a number from 0 up to 1, not "much"/],
  ["registrars keepAliveIntervalMs=-1", /keepAliveIntervalMs is a number or a time/],
];

for (const [text, message] of WRONG) {
  Deno.test(`parseScenario() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseScenario(text),
      (error) => error instanceof ScenarioError && message.test(error.message),
    );
  });
}

Deno.test("an expectation that is not met is a complaint with its line, and the scenario goes on", () => {
  const { trace, complaints } = play(
    "world registrars=1 seed=1",
    "at 0s: start registrars",
    "at 6s: expect registrar 1 owns 2 elements",
    "at 7s: expect registrar 1 owns 0 elements",
  );
  assert.deepEqual(complaints, [
    "line 3: expect registrar 1 owns 2 elements: registrar 1 owns 0 elements",
  ]);
  assert.equal(trace.at(-2), "6.0 * expect registrar 1 owns 2 elements: NO, registrar 1 owns 0 elements");
  assert.equal(trace.at(-1), "7.0 * expect registrar 1 owns 0 elements");
});

for (
  const [step, complaint] of [
    ["start registrar 3", "there is no registrar 3"],
    ["start dragons", '"dragons" is nobody'],
    ["crash user 1", "users are not ended"],
    ["expect element 1 owns 1 element", "element 1 is no registrar"],
    ["expect registrar 1 gone", "registrar 1 is no element"],
    ["expect registrar 2 owns 0 elements", "registrar 2 owns no elements"],
  ] as const
) {
  Deno.test(`the step "${step}" complains: ${complaint}`, () => {
    const { complaints } = play("world registrars=2 elements=1 users=1", `at 1s: ${step}`);
    assert.deepEqual(complaints, [`line 2: ${step}: ${complaint}`]);
  });
}

Deno.test("every command is found as it is written in the list", () => {
  const examples: Readonly<Record<string, string>> = {
    WHO: "registrars",
    ONE: "registrar 1",
    REGISTRAR: "registrar 2",
    ELEMENT: "element 1",
    TIME: "5s",
    N: "3",
  };
  for (const { form, pattern } of SCENARIO_COMMANDS) {
    const text = form.replace(/[A-Z]+/g, (word) => examples[word] ?? word);
    assert.match(text, pattern, form);
  }
});

Deno.test("the same scenario goes the same way each time", () => {
  const lines = [
    "world registrars=2 elements=4 users=2 seed=5",
    "at 0s: start everybody",
    "at 10s: lose 10 %",
    "at 20s: power off registrar 1",
    "end at 60s",
  ];
  assert.deepEqual(play(...lines).trace, play(...lines).trace);
});
