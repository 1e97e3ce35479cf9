/**
 * The socket options of the embedded stack: which handler reads and sets each, and what an option may be asked for.
 * The names, fields and scopes are those of `SOCKET_OPTIONS`; an option without a handler is one that this stack has not.
 */
import { socketOption, SocketOptionError } from "../net.ts";
import type { Instant, SocketOptionName, SocketOptionTarget, SocketOptionValue } from "../net.ts";
import type { EndpointHandles } from "./endpoint_handles.ts";
import { invalid, OptionFields } from "./socket_option_scope.ts";
import type { OptionHandler, OptionHandlers, OptionScope } from "./socket_option_scope.ts";
import { AUTHENTICATION_OPTIONS, DYNAMIC_ADDRESS_OPTIONS } from "./socket_options_authentication.ts";
import { BASIC_OPTIONS } from "./socket_options_basic.ts";
import { EXTENSION_OPTIONS } from "./socket_options_extension.ts";
import { PATH_OPTIONS } from "./socket_options_path.ts";

const HANDLERS: OptionHandlers = {
  ...BASIC_OPTIONS,
  ...PATH_OPTIONS,
  ...EXTENSION_OPTIONS,
  ...AUTHENTICATION_OPTIONS,
  ...DYNAMIC_ADDRESS_OPTIONS,
};

/**
 * Finds what an option is read from or set for.
 *
 * @throws {SocketOptionError} when there is no such endpoint, association or path
 */
export function optionScope(
  handles: EndpointHandles,
  handle: number,
  name: SocketOptionName,
  target: SocketOptionTarget,
  now: Instant,
): OptionScope {
  const owner = handles.get(handle);
  const { endpoint } = owner;
  const { association: id = owner.association, address, stream } = target;
  const associations = (): number[] =>
    handles.partiesOf(owner).map((party) => party.id).sort((a, b) => a - b);
  const scope = { name, endpoint, stream, now, associations };
  if (id === undefined) {
    if (address !== undefined) throw invalid("An address belongs to an association: say which one");
    return { ...scope, parts: undefined, path: undefined, settings: endpoint.settings };
  }
  const parts = handles.associationOf(owner, id)?.parts;
  if (parts === undefined) {
    throw new SocketOptionError("ENOTCONN", `There is no association ${id} that is up`);
  }
  const path = address === undefined ? undefined : parts.paths.find(address);
  if (address !== undefined && path === undefined) throw invalid(`${address} is not an address of the peer`);
  return { ...scope, parts, path, settings: parts.settings };
}

/**
 * Reads an option.
 *
 * @throws {SocketOptionError} when there is no such option, or nothing to say for this target
 */
export function getSocketOption(scope: OptionScope): SocketOptionValue {
  const { get } = handlerOf(scope.name);
  if (get === undefined) throw new SocketOptionError("ENOPROTOOPT", `${scope.name} cannot be read`);
  return get(scope);
}

/**
 * Sets an option. Nothing is changed when a field is refused.
 *
 * @throws {SocketOptionError} when the value or the target is refused
 */
export function setSocketOption(scope: OptionScope, value: SocketOptionValue): void {
  const { name } = scope;
  const { set } = handlerOf(name);
  const { fields, readOnly = [], scope: smallest } = socketOption(name);
  if (set === undefined) throw new SocketOptionError("ENOPROTOOPT", `${name} cannot be set`);
  for (const field of Object.keys(value)) {
    if (!Object.hasOwn(fields, field)) throw invalid(`${name} has no field ${field}`);
    if (readOnly.includes(field) && value[field] !== undefined) {
      throw invalid(`${name}: ${field} can be read only`);
    }
  }
  if (smallest === "endpoint" && scope.parts !== undefined) {
    throw invalid(`${name} is set for an endpoint: it holds for associations to come`);
  }
  if (smallest !== "path" && scope.path !== undefined) throw invalid(`${name} is not an option of a path`);
  set(scope, new OptionFields(name, value));
}

function handlerOf(name: SocketOptionName): OptionHandler {
  const handler = HANDLERS[name];
  if (handler === undefined) {
    throw new SocketOptionError("ENOPROTOOPT", `The embedded stack has no option ${name}`);
  }
  return handler;
}
