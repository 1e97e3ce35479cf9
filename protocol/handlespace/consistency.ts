import {
  CauseCode,
  inconsistentPolicyError,
  inconsistentTransportError,
  operationError,
} from "../param/operation_error.ts";
import type { OperationError } from "../param/operation_error.ts";
import { MAX_POOL_HANDLE_LENGTH } from "../param/pool_handle.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { writePoolElement } from "../param/pool_element.ts";
import type { PoolElement } from "../param/pool_element.ts";
import { findPolicy } from "../policy/mod.ts";
import { Writer } from "../wire/mod.ts";
import type { Pool } from "./pool.ts";

/**
 * Longest opaque transport of an element. RFC 5354 §3.16 has no limit, but strangers choose it, and the answers, updates
 * and handle tables that carry the element must stay below 64 KiB.
 */
export const MAX_OPAQUE_TRANSPORT = 1024;

/**
 * Why an element cannot be in a pool, if so (RFC 5352 §3.1; reference/rsplib.md §2.4). The causes are RFC 5354's
 * where it has one, so that a refused element knows what to change.
 *
 * @param pool the pool as it is; undefined = the element founds it
 * @returns undefined when all is well
 */
export function checkElement(
  poolHandle: PoolHandle,
  element: PoolElement,
  pool: Pool | undefined,
): OperationError | undefined {
  const { userTransport, policy } = element;
  // RFC 5354 lets a handle be longer, but it would end RSPLIB's registrars and clients (reference/rsplib.md §0.6).
  // The handle is not quoted: the answer carries it anyway.
  if (poolHandle.length < 1 || poolHandle.length > MAX_POOL_HANDLE_LENGTH) {
    return operationError(CauseCode.invalidValues);
  }
  if (element.elementId === 0) return invalidElement(element);
  if (userTransport.protocol === "opaque") {
    if (userTransport.value.length > MAX_OPAQUE_TRANSPORT) return operationError(CauseCode.invalidValues);
  } else {
    if (userTransport.port === 0) return invalidElement(element);
    if (userTransport.addresses.length === 0) return operationError(CauseCode.noUsableUserAddresses);
  }
  // Before "unsupported": the pool's policy tells the element what it may be, whatever it is now.
  if (pool !== undefined && policy.type !== pool.policy.type) {
    return inconsistentPolicyError(pool.policyParameter);
  }
  if (findPolicy(policy.type) === undefined) return operationError(CauseCode.unsupportedPolicy);
  if (pool === undefined) return undefined;
  if (userTransport.protocol !== pool.protocol) return inconsistentTransportError(pool.transport);
  if (userTransport.use !== pool.use) return operationError(CauseCode.inconsistentDataControl);
  return undefined;
}

/** Elements with a longer policy are not quoted: the answer must stay below 64 KiB. Policies that we know are short. */
const MAX_QUOTED_POLICY = 4096;

/** Cause "invalid values" with the offending parameter (RFC 5354 §3.12.4), where it can be written. */
function invalidElement(element: PoolElement): OperationError {
  const { userTransport, policy } = element;
  const isTooLong = policy.name === "unknown" && policy.value.length > MAX_QUOTED_POLICY;
  if (userTransport.addresses.length === 0 || isTooLong) return operationError(CauseCode.invalidValues);
  const writer = new Writer();
  writePoolElement(writer, { ...element, asapTransport: undefined }); // not the sender's words
  return operationError(CauseCode.invalidValues, writer.finish());
}
