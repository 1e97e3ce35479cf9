/** The option `-policy`, spelled as in RSPLIB (reference/rsplib.md §2.2). */
import { nearest } from "../nearest.ts";
import { OptionError } from "../options.ts";
import type { Option } from "../options.ts";
import { fractionToWire, policyFields, PolicyType } from "../../protocol/param/policy.ts";
import type { PolicyField, PolicyName, PolicyParameter } from "../../protocol/param/policy.ts";

/** How the numbers behind the colons of a policy's name are called in messages. Those without are measured, not given. */
const LETTERS: Readonly<Partial<Record<PolicyField, string>>> = {
  weight: "W",
  priority: "P",
  loadDegradation: "D",
  weightDpf: "F",
  loadDpf: "F",
};

/**
 * Reads a policy such as `RoundRobin`, `WeightedRandom:5` or `LeastUsedDegradation:0.5`.
 *
 * @throws {OptionError} with a clause that goes behind the option's name
 */
export function readPolicyOption(text: string): PolicyParameter {
  const [name = "", ...values] = text.split(":");
  if (!isPolicyName(name)) {
    const near = nearest(name, Object.keys(PolicyType)) ?? "RoundRobin";
    throw new OptionError(`must be a policy such as ${near}, not ${JSON.stringify(text)}`);
  }
  const given = policyFields(name).filter((field) => field in LETTERS);
  // RSPLIB's RandomizedPriorityLeastUsed is written without a number; then a session adds no load.
  const optional = name === "RandomizedPriorityLeastUsed" && values.length === 0;
  if (!optional && values.length !== given.length) {
    const form = [name, ...given.map((field) => LETTERS[field])].join(":");
    throw new OptionError(`must look like ${form}, not ${JSON.stringify(text)}`);
  }
  const policy: Record<string, string | number> = { name, type: PolicyType[name] };
  for (const field of policyFields(name)) policy[field] = 0; // load and distance at first
  given.forEach((field, index) => policy[field] = readField(field, values[index] ?? "0"));
  return policy as unknown as PolicyParameter; // it has the fields of its name
}

function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(PolicyType, name);
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
    words: policyNames(),
    group: undefined,
    read: readPolicyOption,
  };
}

/** The names of all policies; a colon at the end says that a number belongs there. */
function policyNames(): string[] {
  const names = Object.keys(PolicyType).filter(isPolicyName);
  return names.map((name) => policyFields(name).some((field) => field in LETTERS) ? `${name}:` : name);
}

function readField(field: PolicyField, text: string): number {
  if (field === "weight" || field === "priority") {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (value <= 0xffffffff) return value;
    throw new OptionError(`has ${JSON.stringify(text)} where a whole number of 32 bits belongs`);
  }
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 1) return fractionToWire(value);
  throw new OptionError(`has ${JSON.stringify(text)} where a number from 0 to 1 belongs`);
}
