import { StateError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterType } from "./parameter_type.ts";

/** Numbers of the pool member selection policies by RSPLIB's names (RFC 5356 §4–5; 0xb… are RSPLIB's own). */
export const PolicyType = {
  RoundRobin: 0x00000001,
  WeightedRoundRobin: 0x00000002,
  Random: 0x00000003,
  WeightedRandom: 0x00000004,
  Priority: 0x00000005,
  LeastUsed: 0x40000001,
  LeastUsedDegradation: 0x40000002,
  PriorityLeastUsed: 0x40000003,
  RandomizedLeastUsed: 0x40000004,
  RandomizedPriorityLeastUsed: 0xb0001001,
  RandomizedLeastUsedDegradation: 0xb0001002,
  PriorityLeastUsedDegradation: 0xb0001003,
  RandomizedPriorityLeastUsedDegradation: 0xb0001004,
  WeightedRandomDPF: 0xb0002001,
  LeastUsedDPF: 0xb0002002,
  LeastUsedDegradationDPF: 0xb0002003,
  PriorityLeastUsedDPF: 0xb0002004,
  PriorityLeastUsedDegradationDPF: 0xb0002005,
} as const;

/** Name of a policy whose parameter this program can read. */
export type PolicyName = keyof typeof PolicyType;

/** A policy of this name; {@linkcode PolicyParameter} says which fields it has. */
export interface KnownPolicy<Name extends PolicyName> {
  /** RSPLIB's name. */
  readonly name: Name;
  /** Its number. */
  readonly type: typeof PolicyType[Name];
}

/** Fields of the weighted policies. */
export interface WithWeight {
  /** The bigger, the more often chosen. */
  readonly weight: number;
}

/** Fields of the adaptive policies. */
export interface WithLoad {
  /** 0 = idle, 0xffffffff = fully loaded. See {@linkcode fractionToWire}. */
  readonly load: number;
}

/** Fields of the policies with load degradation. */
export interface WithLoadDegradation extends WithLoad {
  /** By how much one more session raises the load; unit as the load. */
  readonly loadDegradation: number;
}

/** Fields of the policies with delay penalty factor (draft-dreibholz-rserpool-delay). */
export interface WithDistance {
  /** Way to the element in milliseconds; registrars measure it. */
  readonly distanceMs: number;
}

/** Fields of the least used policies with degradation and delay penalty factor. */
export interface WithLoadAndDistance extends WithLoadDegradation, WithDistance {
  /** How much load a millisecond of distance is worth. */
  readonly loadDpf: number;
}

/** A policy of a type that this program does not know, kept for encoding it again. */
export interface UnknownPolicy {
  /** Tells it from the known ones. */
  readonly name: "unknown";
  /** Its number, 32 bits. */
  readonly type: number;
  /** What follows the number. */
  readonly value: Uint8Array;
}

/**
 * Pool Member Selection Policy parameter (RFC 5354 §3.8, RFC 5356). All numbers have 32 bits, unsigned. A delay penalty
 * factor (DPF) says how much a millisecond of distance counts; 0xffffffff = 1.
 *
 * RSPLIB has numbers and names for the two priority least used policies with DPF, but no layout. Here they have that of
 * LeastUsedDegradationDPF: it has the fields that they need, and no others.
 */
export type PolicyParameter =
  | KnownPolicy<"RoundRobin">
  | KnownPolicy<"Random">
  | KnownPolicy<"WeightedRoundRobin"> & WithWeight
  | KnownPolicy<"WeightedRandom"> & WithWeight
  | KnownPolicy<"Priority"> & { readonly priority: number }
  | KnownPolicy<"LeastUsed"> & WithLoad
  | KnownPolicy<"LeastUsedDegradation"> & WithLoadDegradation
  | KnownPolicy<"PriorityLeastUsed"> & WithLoadDegradation
  | KnownPolicy<"RandomizedLeastUsed"> & WithLoad
  | KnownPolicy<"RandomizedPriorityLeastUsed"> & WithLoadDegradation
  | KnownPolicy<"RandomizedLeastUsedDegradation"> & WithLoadDegradation
  | KnownPolicy<"PriorityLeastUsedDegradation"> & WithLoadDegradation
  | KnownPolicy<"RandomizedPriorityLeastUsedDegradation"> & WithLoadDegradation
  | KnownPolicy<"WeightedRandomDPF"> & WithWeight & WithDistance & { readonly weightDpf: number }
  | KnownPolicy<"LeastUsedDPF"> & WithLoad & WithDistance & { readonly loadDpf: number }
  | KnownPolicy<"LeastUsedDegradationDPF"> & WithLoadAndDistance
  | KnownPolicy<"PriorityLeastUsedDPF"> & WithLoadAndDistance
  | KnownPolicy<"PriorityLeastUsedDegradationDPF"> & WithLoadAndDistance
  | UnknownPolicy;

/** A number that some policies have. */
export type PolicyField =
  | "weight"
  | "priority"
  | "load"
  | "loadDegradation"
  | "weightDpf"
  | "loadDpf"
  | "distanceMs";

/** What follows the policy type on the wire, 32 bits each. */
const FIELDS: Readonly<Record<PolicyName, readonly PolicyField[]>> = {
  RoundRobin: [],
  WeightedRoundRobin: ["weight"],
  Random: [],
  WeightedRandom: ["weight"],
  Priority: ["priority"],
  LeastUsed: ["load"],
  LeastUsedDegradation: ["load", "loadDegradation"],
  PriorityLeastUsed: ["load", "loadDegradation"],
  RandomizedLeastUsed: ["load"],
  RandomizedPriorityLeastUsed: ["load", "loadDegradation"],
  RandomizedLeastUsedDegradation: ["load", "loadDegradation"],
  PriorityLeastUsedDegradation: ["load", "loadDegradation"],
  RandomizedPriorityLeastUsedDegradation: ["load", "loadDegradation"],
  WeightedRandomDPF: ["weight", "weightDpf", "distanceMs"],
  LeastUsedDPF: ["load", "loadDpf", "distanceMs"],
  LeastUsedDegradationDPF: ["load", "loadDegradation", "loadDpf", "distanceMs"],
  PriorityLeastUsedDPF: ["load", "loadDegradation", "loadDpf", "distanceMs"],
  PriorityLeastUsedDegradationDPF: ["load", "loadDegradation", "loadDpf", "distanceMs"],
};

const NAMES: ReadonlyMap<number, PolicyName> = new Map(
  (Object.keys(PolicyType) as PolicyName[]).map((name) => [PolicyType[name], name]),
);

/** The name of a policy type; undefined when this program does not know it. */
export function policyName(type: number): PolicyName | undefined {
  return NAMES.get(type);
}

/** The numbers of a policy in the order of the wire. */
export function policyFields(name: PolicyName): readonly PolicyField[] {
  return FIELDS[name];
}

/**
 * Reads the value of a Pool Member Selection Policy parameter:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                          Policy Type                          |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :                Policy-specific data, as FIELDS says           :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function readPolicy(reader: Reader): PolicyParameter {
  const type = reader.u32("policy type");
  const name = NAMES.get(type);
  if (name === undefined) {
    return { name: "unknown", type, value: reader.bytes(reader.remaining, "policy value") };
  }
  const policy: { name: PolicyName; type: number } & { [field in PolicyField]?: number } = { name, type };
  for (const field of FIELDS[name]) policy[field] = reader.u32(field);
  return policy as PolicyParameter; // FIELDS says what the type says
}

/** Writes a Pool Member Selection Policy parameter. */
export function writePolicy(writer: Writer, policy: PolicyParameter): void {
  writer.tlv(ParameterType.memberSelectionPolicy, (value) => {
    value.u32(policy.type);
    if (policy.name === "unknown") {
      value.bytes(policy.value);
      return;
    }
    const fields: AnyPolicy = policy;
    for (const field of FIELDS[policy.name]) value.u32(fields[field]!); // its type says that it has them
  });
}

/** A policy whose numbers are looked at without knowing which it has: every policy is one. */
export type AnyPolicy =
  & { readonly name: PolicyParameter["name"] }
  & { readonly [field in PolicyField]?: number };

/** One of a policy's numbers; 0 when it has none of this name. */
export function policyField(policy: PolicyParameter, field: PolicyField): number {
  const fields: AnyPolicy = policy;
  return fields[field] ?? 0;
}

/** Whether two policies are of one type and have the same numbers. */
export function isSamePolicy(a: PolicyParameter, b: PolicyParameter): boolean {
  if (a === b) return true;
  if (a.type !== b.type) return false;
  if (a.name === "unknown" || b.name === "unknown") {
    return a.name === b.name && "value" in a && "value" in b && sameOctets(a.value, b.value);
  }
  const one: AnyPolicy = a, other: AnyPolicy = b;
  for (const field of FIELDS[a.name]) if (one[field] !== other[field]) return false;
  return true;
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, index) => octet === b[index]);
}

/** What a load, degradation or delay penalty factor of 1 is on the wire. */
const WIRE_ONE = 0xffffffff;

/**
 * A load, load degradation or delay penalty factor as policies carry it.
 *
 * @param fraction 0..1
 * @returns 0..0xffffffff, rounded as RSPLIB rounds
 * @throws {StateError} when the fraction is out of range
 */
export function fractionToWire(fraction: number): number {
  if (!(fraction >= 0 && fraction <= 1)) {
    throw new StateError(`${fraction} is not a fraction between 0 and 1`);
  }
  return Math.round(fraction * WIRE_ONE);
}

/** The fraction, 0..1, of a load, load degradation or delay penalty factor of a policy. */
export function fractionFromWire(value: number): number {
  return value / WIRE_ONE;
}

/** Whether the policy is adaptive: its element registers again when its load changes (RFC 5356 §5). */
export function isAdaptive(policy: PolicyParameter): boolean {
  return "load" in policy;
}
