/**
 * The socket options of authentication (RFC 6458 §8.1.16, §8.1.17, §8.2.3, §8.2.4, §8.3.2–§8.3.5). Lists of chunks and
 * algorithms belong to the endpoint and never change within an association; each association has its own keys.
 */
import { parseIpAddress, SocketOptionError } from "../net.ts";
import { encodeText } from "../wire/text.ts";
import type { Authentication } from "./authentication.ts";
import { askForPrimary } from "./endpoint_addresses.ts";
import { booleanSetting, invalid, theAssociation } from "./socket_option_scope.ts";
import type { OptionFields, OptionHandler, OptionHandlers, OptionScope } from "./socket_option_scope.ts";
import type { SharedKeys } from "./shared_keys.ts";

/** Handlers of the options of dynamic addresses (RFC 6458 §8.1.23, §8.3.1). */
export const DYNAMIC_ADDRESS_OPTIONS: OptionHandlers = {
  auto_asconf: booleanSetting("autoAsconf"),
  set_peer_primary_addr: {
    set: (scope, fields) => {
      const text = fields.required("address", fields.text("address"));
      const address = parseIpAddress(text);
      if (address === undefined) throw invalid(`set_peer_primary_addr: ${text} is no address`);
      askForPrimary(theAssociation(scope).association, address, scope.now);
    },
  },
};

const KEY_NUMBERS = 0xffff;

/** Handlers of the options of authentication. */
export const AUTHENTICATION_OPTIONS: OptionHandlers = {
  auth_chunk: {
    set: (scope, fields) => {
      keysOf(scope);
      scope.endpoint.authentication.addChunkType(fields.required("chunk", fields.number("chunk", 0, 255)));
    },
  },
  hmac_ident: {
    get: (scope) => {
      keysOf(scope);
      return { idents: scope.endpoint.authentication.hmacIds };
    },
    set: (scope, fields) => {
      keysOf(scope);
      scope.endpoint.authentication.setHmacIds(fields.required("idents", fields.list("idents")));
    },
  },
  auth_key: {
    set: (scope, fields) => keysOf(scope).set(keyNumber(fields), octetsOf(fields.text("key") ?? "")),
  },
  auth_active_key: {
    get: (scope) => ({ keynumber: keysOf(scope).activeId }),
    set: (scope, fields) => keysOf(scope).activate(keyNumber(fields)),
  },
  auth_deactivate_key: {
    set: (scope, fields) => {
      keysOf(scope).deactivate(keyNumber(fields));
      scope.parts?.events.freeKeys();
    },
  },
  auth_delete_key: {
    set: (scope, fields) => {
      const id = keyNumber(fields);
      if (scope.parts?.outbound.usesKey(id)) { // a lost packet goes again, and needs it
        throw invalid(`Key ${id} is in use: deactivate it, and delete it when "free-key" has come`);
      }
      keysOf(scope).delete(id);
    },
  },
  peer_auth_chunks: {
    get: (scope) => {
      theAssociation(scope);
      return { chunks: authenticationOf(scope)?.peerChunkTypes ?? [] };
    },
  },
  local_auth_chunks: {
    get: (scope) => ({
      chunks: authenticationOf(scope)?.localChunkTypes ?? scope.endpoint.authentication.chunkTypes,
    }),
  } satisfies OptionHandler,
};

/** @throws {SocketOptionError} EACCES when nothing is authenticated here */
function authenticationOf({ endpoint, parts }: OptionScope): Authentication | undefined {
  if (!endpoint.settings.authentication) {
    throw new SocketOptionError("EACCES", "This endpoint does not authenticate: open it with authentication");
  }
  if (parts === undefined) return undefined;
  const { authentication } = parts.association;
  if (authentication !== undefined) return authentication;
  throw new SocketOptionError("EACCES", "The peer of this association does not authenticate");
}

function keysOf(scope: OptionScope): SharedKeys {
  return authenticationOf(scope)?.keys ?? scope.endpoint.authentication.keys;
}

function keyNumber(fields: OptionFields): number {
  return fields.required("keynumber", fields.number("keynumber", 0, KEY_NUMBERS));
}

/** A key as text, or as `0x…`. */
function octetsOf(text: string): Uint8Array {
  if (!text.toLowerCase().startsWith("0x")) return encodeText(text);
  if (!/^0x([0-9a-f]{2})*$/i.test(text)) {
    throw invalid("auth_key: a key in hexadecimal has two digits an octet");
  }
  return Uint8Array.fromHex(text.slice(2));
}
