/** The option `-policy`, spelled as in RSPLIB (reference/rsplib.md §2.2). */
import { OptionError } from "../options.ts";
import type { Option } from "../options.ts";
import { fractionToWire, PolicyType } from "../../protocol/param/policy.ts";
import type { PolicyName, PolicyParameter } from "../../protocol/param/policy.ts";

type Field = "weight" | "priority" | "loadDegradation" | "weightDpf" | "loadDpf";

/** What stands behind the colons of a policy's name. Load and distance are measured, not given. */
const GIVEN: Readonly<Partial<Record<PolicyName, readonly Field[]>>> = {
  RoundRobin: [],
  Random: [],
  LeastUsed: [],
  RandomizedLeastUsed: [],
  RandomizedPriorityLeastUsed: ["loadDegradation"],
  WeightedRoundRobin: ["weight"],
  WeightedRandom: ["weight"],
  Priority: ["priority"],
  WeightedRandomDPF: ["weight", "weightDpf"],
  LeastUsedDegradation: ["loadDegradation"],
  PriorityLeastUsed: ["loadDegradation"],
  RandomizedLeastUsedDegradation: ["loadDegradation"],
  RandomizedPriorityLeastUsedDegradation: ["loadDegradation"],
  PriorityLeastUsedDegradation: ["loadDegradation"],
  LeastUsedDPF: ["loadDpf"],
  LeastUsedDegradationDPF: ["loadDegradation", "loadDpf"],
};

/** Fields that a policy has on the wire besides those given: zero at first. */
const MEASURED: Readonly<Partial<Record<PolicyName, readonly ("load" | "distanceMs")[]>>> = {
  LeastUsed: ["load"],
  RandomizedLeastUsed: ["load"],
  RandomizedPriorityLeastUsed: ["load"],
  WeightedRandomDPF: ["distanceMs"],
  LeastUsedDegradation: ["load"],
  PriorityLeastUsed: ["load"],
  RandomizedLeastUsedDegradation: ["load"],
  RandomizedPriorityLeastUsedDegradation: ["load"],
  PriorityLeastUsedDegradation: ["load"],
  LeastUsedDPF: ["load", "distanceMs"],
  LeastUsedDegradationDPF: ["load", "distanceMs"],
};

/**
 * Reads a policy such as `RoundRobin`, `WeightedRandom:5` or `LeastUsedDegradation:0.5`.
 *
 * @throws {OptionError} with a clause that goes behind the option's name
 */
export function readPolicyOption(text: string): PolicyParameter {
  const [name = "", ...values] = text.split(":");
  const fields = Object.hasOwn(GIVEN, name) ? GIVEN[name as PolicyName] : undefined;
  if (fields === undefined) {
    throw new OptionError(`must be a policy such as RoundRobin or LeastUsed, not ${JSON.stringify(text)}`);
  }
  // RSPLIB's RandomizedPriorityLeastUsed is written without a number; then a session adds no load.
  const optional = name === "RandomizedPriorityLeastUsed" && values.length === 0;
  if (!optional && values.length !== fields.length) {
    const form = [name, ...fields.map(fieldName)].join(":");
    throw new OptionError(`must look like ${form}, not ${JSON.stringify(text)}`);
  }
  const policy: Record<string, string | number> = { name, type: PolicyType[name as PolicyName] };
  for (const field of MEASURED[name as PolicyName] ?? []) policy[field] = 0;
  fields.forEach((field, index) => policy[field] = readField(field, values[index] ?? "0"));
  return policy as unknown as PolicyParameter; // the tables above say what its type says
}

/** The option `-policy`. */
export function policyOption(summary: string, defaultName: string): Option<PolicyParameter> {
  return {
    summary,
    valueName: "policy",
    defaultValue: readPolicyOption(defaultName),
    defaultText: defaultName,
    repeatable: false,
    aliases: [],
    variable: undefined,
    group: undefined,
    read: readPolicyOption,
  };
}

function fieldName(field: Field): string {
  return { weight: "W", priority: "P", loadDegradation: "D", weightDpf: "F", loadDpf: "F" }[field];
}

function readField(field: Field, text: string): number {
  if (field === "weight" || field === "priority") {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= 0xffffffff) return value;
    throw new OptionError(`has ${JSON.stringify(text)} where a whole number of 32 bits belongs`);
  }
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 1) return fractionToWire(value);
  throw new OptionError(`has ${JSON.stringify(text)} where a number from 0 to 1 belongs`);
}
