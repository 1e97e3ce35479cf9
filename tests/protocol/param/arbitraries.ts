/** Arbitrary parameters for property tests: everything that a writer accepts. */
import { formatIpAddress } from "../../../protocol/net.ts";
import type { ErrorCauseParameter, OperationError } from "../../../protocol/param/operation_error.ts";
import { policyName, type PolicyParameter } from "../../../protocol/param/policy.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import type { ServerInformation } from "../../../protocol/param/server_information.ts";
import type { SctpTransport, TransportParameter } from "../../../protocol/param/transport.ts";
import { POLICIES } from "./policies.ts";
import { fc } from "../../properties.ts";

/** Records like those that readers make. */
export const PLAIN = { noNullPrototype: true } as const;

/** 16 bits. */
export const u16: fc.Arbitrary<number> = fc.nat(0xffff);
/** 32 bits, unsigned. */
export const u32: fc.Arbitrary<number> = fc.nat(0xffffffff);
/** A pool handle of any usual length. */
export const poolHandle: fc.Arbitrary<Uint8Array> = fc.uint8Array({ minLength: 1, maxLength: 40 });
/** Octets of any length that fits. */
export const octets: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 100 });

const address: fc.Arbitrary<string> = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
).map(formatIpAddress);
const oneAddress = fc.tuple(address);
const use = fc.constantFrom("data" as const, "data+control" as const);

/** An SCTP transport. */
const sctpTransport: fc.Arbitrary<SctpTransport> = fc.record({
  protocol: fc.constant("sctp" as const),
  port: u16,
  use,
  addresses: fc.array(address, { minLength: 1, maxLength: 8 }),
}, PLAIN);

/** A transport of any protocol. */
export const transport: fc.Arbitrary<TransportParameter> = fc.oneof(
  sctpTransport,
  fc.record({
    protocol: fc.constant("tcp" as const),
    port: u16,
    use: fc.constant("data" as const),
    addresses: oneAddress,
  }, PLAIN),
  fc.record({
    protocol: fc.constantFrom("udp" as const, "udp-lite" as const),
    port: u16,
    use: fc.constant("data" as const),
    addresses: oneAddress,
  }, PLAIN),
  fc.record({
    protocol: fc.constant("dccp" as const),
    port: u16,
    use: fc.constant("data" as const),
    serviceCode: u32,
    addresses: oneAddress,
  }, PLAIN),
  fc.record({
    protocol: fc.constant("opaque" as const),
    port: fc.constant(0 as const),
    use: fc.constant("data" as const),
    addresses: fc.constant([] as const),
    value: octets,
  }, PLAIN),
);

/** A policy of any type: the known ones with other numbers, or an unknown one. */
export const policy: fc.Arbitrary<PolicyParameter> = fc.oneof(
  fc.tuple(
    fc.constantFrom(...POLICIES.filter(({ name }) => name !== "unknown")),
    fc.tuple(u32, u32, u32, u32),
  ).map(
    ([{ name, type, ...fields }, numbers]) => {
      const others = Object.keys(fields).map((field, i) => [field, numbers[i]]);
      return { name, type, ...Object.fromEntries(others) } as PolicyParameter;
    },
  ),
  fc.record({
    name: fc.constant("unknown" as const),
    type: u32.filter((type) => policyName(type) === undefined),
    value: octets,
  }, PLAIN),
);

/** A pool element with or without ASAP transport. */
export const element: fc.Arbitrary<PoolElement> = fc.record({
  elementId: u32,
  homeRegistrarId: u32,
  registrationLifeMs: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  userTransport: transport,
  policy,
  asapTransport: sctpTransport,
}, {
  noNullPrototype: true,
  requiredKeys: ["elementId", "homeRegistrarId", "registrationLifeMs", "userTransport", "policy"],
});

const cause: fc.Arbitrary<ErrorCauseParameter> = fc.record({ code: u16, data: octets }, PLAIN);

/** An operation error of one cause or more. */
export const operationError: fc.Arbitrary<OperationError> = fc.array(cause, { minLength: 1, maxLength: 3 });

/** A server information. */
export const serverInformation: fc.Arbitrary<ServerInformation> = fc.record(
  { registrarId: u32, transport: sctpTransport },
  PLAIN,
);

/** A message of this type with these fields; the optional ones come and go. */
export function messageOf<Type extends string, Fields, Optional = unknown>(
  type: Type,
  fields: { readonly [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> },
  optional?: { readonly [Name in keyof Optional]: fc.Arbitrary<Optional[Name]> },
): fc.Arbitrary<{ readonly type: Type } & Fields & Partial<Optional>> {
  const optionalFields = optional === undefined
    ? fc.constant({})
    : fc.record(optional, { noNullPrototype: true, requiredKeys: [] });
  return fc.tuple(fc.record(fields, PLAIN), optionalFields)
    .map((
      [given, more],
    ) => ({ type, ...given, ...more } as { readonly type: Type } & Fields & Partial<Optional>));
}
