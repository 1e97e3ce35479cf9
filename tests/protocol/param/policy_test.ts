import assert from "node:assert/strict";
import {
  fractionFromWire,
  fractionToWire,
  isAdaptive,
  isSamePolicy,
  policyField,
  policyName,
  PolicyType,
} from "../../../protocol/param/policy.ts";
import { ParameterReader } from "../../../protocol/param/parameter_reader.ts";
import { ParameterType } from "../../../protocol/param/parameter_type.ts";
import { type PolicyParameter, readPolicy, writePolicy } from "../../../protocol/param/policy.ts";
import { StateError } from "../../../protocol/wire/errors.ts";
import { Writer } from "../../../protocol/wire/writer.ts";
import { testSamples } from "./codec_checks.ts";
import { POLICIES } from "./policies.ts";

/** The numbers behind the policy type, as hex. */
const VALUES: Readonly<Record<PolicyParameter["name"], string>> = {
  RoundRobin: "",
  WeightedRoundRobin: "00000005",
  Random: "",
  WeightedRandom: "ffffffff",
  Priority: "00000007",
  LeastUsed: "80000000",
  LeastUsedDegradation: "80000000 1999999a",
  PriorityLeastUsed: "00000000 1999999a",
  RandomizedLeastUsed: "ffffffff",
  RandomizedPriorityLeastUsed: "00000001 00000002",
  RandomizedLeastUsedDegradation: "00000001 00000002",
  PriorityLeastUsedDegradation: "00000001 00000002",
  RandomizedPriorityLeastUsedDegradation: "00000001 00000002",
  WeightedRandomDPF: "00000001 00000002 00000032",
  LeastUsedDPF: "00000001 00000002 00000032",
  LeastUsedDegradationDPF: "00000001 00000002 00000003 00000032",
  PriorityLeastUsedDPF: "00000001 00000002 00000003 00000032",
  PriorityLeastUsedDegradationDPF: "00000001 00000002 00000003 00000032",
  unknown: "01020304",
};

testSamples<PolicyParameter>(
  {
    name: "readPolicy",
    read: (octets) => {
      const parameters = new ParameterReader(octets, 0);
      const policy = parameters.take(ParameterType.memberSelectionPolicy, "policy", readPolicy);
      parameters.end();
      return policy;
    },
    write: (policy) => {
      const writer = new Writer();
      writePolicy(writer, policy);
      return writer.finish();
    },
  },
  POLICIES.map((policy) => {
    const value = VALUES[policy.name].replaceAll(" ", "");
    const length = (8 + value.length / 2).toString(16).padStart(4, "0");
    return {
      name: policy.name,
      hex: `0008${length} ${policy.type.toString(16).padStart(8, "0")} ${value}`,
      value: policy,
    };
  }),
);

Deno.test("the policy table covers every policy", () => {
  const names = POLICIES.map(({ name }) => name).filter((name) => name !== "unknown");
  assert.deepEqual(new Set(names), new Set(Object.keys(PolicyType)));
});

Deno.test("policyName() knows all policy types", () => {
  assert.equal(policyName(0x40000002), "LeastUsedDegradation");
  assert.equal(policyName(0xb0002005), "PriorityLeastUsedDegradationDPF");
  assert.equal(policyName(0xb0003001), undefined);
});

Deno.test("fractionToWire() rounds as RSPLIB does", () => {
  assert.equal(fractionToWire(0), 0);
  assert.equal(fractionToWire(0.1), 0x1999999a);
  assert.equal(fractionToWire(0.25), 0x40000000);
  assert.equal(fractionToWire(0.5), 0x80000000);
  assert.equal(fractionToWire(1), 0xffffffff);
  for (const wrong of [-0.1, 1.1, NaN]) assert.throws(() => fractionToWire(wrong), StateError);
  assert.equal(fractionFromWire(0xffffffff), 1);
});

Deno.test("isAdaptive() is true of the policies with a load", () => {
  const adaptive = POLICIES.filter(isAdaptive).map(({ name }) => name);
  assert.equal(adaptive.length, 12);
  assert.ok(adaptive.every((name) => name.includes("LeastUsed")));
});

Deno.test("policyField() gives a number of a policy, and 0 for one that it does not have", () => {
  assert.equal(policyField({ name: "WeightedRandom", type: 4, weight: 7 }, "weight"), 7);
  assert.equal(policyField({ name: "RoundRobin", type: 1 }, "weight"), 0);
});

Deno.test("isSamePolicy() compares types and numbers", () => {
  POLICIES.forEach((policy, i) => {
    assert.ok(isSamePolicy(policy, structuredClone(policy)), policy.name);
    POLICIES.forEach((other, j) => assert.equal(isSamePolicy(policy, other), i === j, policy.name));
    for (const field of Object.keys(policy)) {
      if (field === "name" || field === "type") continue;
      const value = field === "value" ? Uint8Array.of(1, 2, 3, 5) : 12345;
      assert.equal(isSamePolicy(policy, { ...policy, [field]: value } as PolicyParameter), false, field);
    }
  });
});
