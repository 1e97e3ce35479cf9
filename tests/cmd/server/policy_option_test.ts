import assert from "node:assert/strict";
import { readPolicyOption } from "../../../cmd/server/policy_option.ts";
import { Reader } from "../../../protocol/wire/reader.ts";
import { Writer } from "../../../protocol/wire/writer.ts";
import { PolicyType, readPolicy, writePolicy } from "../../../protocol/param/policy.ts";

Deno.test("readPolicyOption() reads every spelling of RSPLIB", () => {
  assert.deepEqual(readPolicyOption("RoundRobin"), { name: "RoundRobin", type: 1 });
  assert.deepEqual(readPolicyOption("WeightedRandom:5"), { name: "WeightedRandom", type: 4, weight: 5 });
  assert.deepEqual(readPolicyOption("Priority:7"), { name: "Priority", type: 5, priority: 7 });
  assert.deepEqual(readPolicyOption("LeastUsed"), { name: "LeastUsed", type: 0x40000001, load: 0 });
  assert.deepEqual(readPolicyOption("LeastUsedDegradation:0.5"), {
    name: "LeastUsedDegradation",
    type: 0x40000002,
    load: 0,
    loadDegradation: 0x80000000,
  });
  assert.deepEqual(readPolicyOption("WeightedRandomDPF:3:0.25"), {
    name: "WeightedRandomDPF",
    type: 0xb0002001,
    weight: 3,
    weightDpf: 0x40000000,
    distanceMs: 0,
  });
});

Deno.test("readPolicyOption() gives policies that can be written and read back", () => {
  const spellings = [
    "RoundRobin",
    "Random",
    "LeastUsed",
    "RandomizedLeastUsed",
    "RandomizedPriorityLeastUsed",
    "WeightedRoundRobin:1",
    "WeightedRandom:4294967295",
    "Priority:0",
    "WeightedRandomDPF:1:1",
    "LeastUsedDegradation:.1",
    "PriorityLeastUsed:1",
    "PriorityLeastUsedDegradation:0.1",
    "LeastUsedDPF:0.1",
    "LeastUsedDegradationDPF:0.1:0.2",
    "RandomizedPriorityLeastUsed:0.1",
    "RandomizedLeastUsedDegradation:0.1",
    "RandomizedPriorityLeastUsedDegradation:0.1",
    "PriorityLeastUsedDPF:0.1:0.001",
    "PriorityLeastUsedDegradationDPF:0.1:0.001",
  ];
  const names = new Set(spellings.map((spelling) => spelling.split(":")[0]));
  assert.deepEqual(names, new Set(Object.keys(PolicyType)), "every policy can be spelled");
  for (const spelling of spellings) {
    const policy = readPolicyOption(spelling);
    const writer = new Writer();
    writePolicy(writer, policy);
    assert.deepEqual(readPolicy(new Reader(writer.finish().subarray(4))), policy, spelling);
  }
});

Deno.test("readPolicyOption() refuses everything else with the right form", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /must be a policy such as/],
    ["roundrobin", /must be a policy such as RoundRobin, not "roundrobin"/],
    ["LeastUsedDegredation:0.5", /must be a policy such as LeastUsedDegradation,/],
    ["toString", /must be a policy such as/],
    ["RoundRobin:1", /must look like RoundRobin,/],
    ["WeightedRandom", /must look like WeightedRandom:W/],
    ["LeastUsedDegradationDPF:0.1", /must look like LeastUsedDegradationDPF:D:F/],
    ["WeightedRandom:-1", /whole number/],
    ["WeightedRandom:4294967296", /whole number/],
    ["LeastUsedDegradation:1.5", /from 0 to 1/],
    ["LeastUsedDegradation:half", /from 0 to 1/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => readPolicyOption(text), { name: "OptionError", message });
  }
});
