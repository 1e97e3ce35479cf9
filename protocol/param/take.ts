/**
 * Takes the parameters that several messages share, by name.
 *
 * @module
 */
import { readElementId } from "./identifiers.ts";
import { type OperationError, readOperationError } from "./operation_error.ts";
import type { ParameterReader } from "./parameter_reader.ts";
import { ParameterType } from "./parameter_type.ts";
import { type PolicyParameter, readPolicy } from "./policy.ts";
import { type PoolElement, readPoolElement } from "./pool_element.ts";
import { type PoolHandle, readPoolHandle } from "./pool_handle.ts";
import { readServerInformation, type ServerInformation } from "./server_information.ts";

/** Takes a pool handle. */
export function takePoolHandle(parameters: ParameterReader): PoolHandle {
  return parameters.take(ParameterType.poolHandle, "pool handle", readPoolHandle);
}

/** Takes a PE identifier. */
export function takeElementId(parameters: ParameterReader): number {
  return parameters.take(ParameterType.peIdentifier, "PE identifier", readElementId);
}

/** Takes a pool element. */
export function takeElement(parameters: ParameterReader): PoolElement {
  return parameters.take(ParameterType.poolElement, "pool element", readPoolElement);
}

/** Takes all pool elements that come next: none or more. */
export function takeElements(parameters: ParameterReader): PoolElement[] {
  const elements: PoolElement[] = [];
  while (parameters.next === ParameterType.poolElement) elements.push(takeElement(parameters));
  return elements;
}

/** Takes a policy, if one comes next. */
export function takeOptionalPolicy(parameters: ParameterReader): PolicyParameter | undefined {
  return parameters.optional(ParameterType.memberSelectionPolicy, "policy", readPolicy);
}

/** Takes an operation error. */
export function takeError(parameters: ParameterReader): OperationError {
  return parameters.take(ParameterType.operationError, "operation error", readOperationError);
}

/** Takes an operation error, if one comes next. */
export function takeOptionalError(parameters: ParameterReader): OperationError | undefined {
  return parameters.optional(ParameterType.operationError, "operation error", readOperationError);
}

/** Takes a server information, if one comes next. */
export function takeOptionalServer(parameters: ParameterReader): ServerInformation | undefined {
  return parameters.optional(ParameterType.serverInformation, "server information", readServerInformation);
}

/** A property to spread into a message; absent when there is no value. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  return value === undefined ? {} : { [name]: value } as { readonly [N in Name]: Value };
}
