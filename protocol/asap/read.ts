import { readFrame } from "../param/frame.ts";
import { readCookie, readElementId, readHandleResolutionOption } from "../param/identifiers.ts";
import { ParameterReader } from "../param/parameter_reader.ts";
import { ParameterType } from "../param/parameter_type.ts";
import {
  given,
  takeElement,
  takeElementId,
  takeElements,
  takeError,
  takeOptionalError,
  takeOptionalPolicy,
  takeOptionalServer,
  takePoolHandle,
} from "../param/take.ts";
import { isTransportNext, takeTransport, type TransportParameter } from "../param/transport.ts";
import { DecodeError } from "../wire/errors.ts";
import type { Reader } from "../wire/reader.ts";
import {
  AsapFlag,
  type AsapMessage,
  AsapType,
  type EndpointKeepAlive,
  type ServerAnnounce,
} from "./message.ts";

/**
 * Reads a message of ASAP (RFC 5352 §2.2). Flags that are not defined are ignored.
 *
 * @param octets one whole SCTP user message of PPID 11, or one datagram of the announce group; borrowed
 * @param unrecognized gets a copy of each unknown parameter that is skipped but wants to be reported (action bits 11);
 *   absent = they are skipped without a word, as RSPLIB does it
 * @returns the message, which keeps nothing of `octets`
 * @throws {DecodeError} when the message cannot be read; `errorFor` says what to answer
 *
 * @example A handle resolution for one element of "EchoPool"
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const message = readAsap(Uint8Array.fromHex("050000180009000c4563686f506f6f6c803f000800000001"));
 * assert.ok(message.type === "handleResolution");
 * assert.equal(message.items, 1);
 * ```
 */
export function readAsap(octets: Uint8Array, unrecognized?: Uint8Array[]): AsapMessage {
  const { type, flags, body } = readFrame(octets);
  if (type === AsapType.endpointKeepAlive) return readKeepAlive(body, flags, unrecognized);
  if (type === AsapType.serverAnnounce) return readAnnounce(body, unrecognized);
  const readParameters = READERS[type];
  if (readParameters === undefined) {
    throw new DecodeError("unknown-type", `ASAP message type ${type} is unknown`, 0, octets.slice());
  }
  const parameters = ParameterReader.rest(body, unrecognized);
  const message = readParameters(parameters, flags);
  parameters.end();
  return message;
}

type ParametersReader = (parameters: ParameterReader, flags: number) => AsapMessage;

/** Readers of the messages that consist of parameters only. Properties are evaluated in the order of the wire. */
const READERS: { readonly [type: number]: ParametersReader } = {
  [AsapType.registration]: (parameters) => ({
    type: "registration",
    poolHandle: takePoolHandle(parameters),
    element: takeElement(parameters),
  }),
  [AsapType.deregistration]: (parameters) => ({
    type: "deregistration",
    poolHandle: takePoolHandle(parameters),
    elementId: takeElementId(parameters),
  }),
  [AsapType.registrationResponse]: (parameters, flags) => ({
    type: "registrationResponse",
    rejected: (flags & AsapFlag.rejected) !== 0,
    poolHandle: takePoolHandle(parameters),
    elementId: takeElementId(parameters),
    ...given("error", takeOptionalError(parameters)),
  }),
  [AsapType.deregistrationResponse]: (parameters) => ({
    type: "deregistrationResponse",
    poolHandle: takePoolHandle(parameters),
    elementId: takeElementId(parameters),
    ...given("error", takeOptionalError(parameters)),
  }),
  [AsapType.handleResolution]: (parameters, flags) => ({
    type: "handleResolution",
    ...given("subscribe", (flags & AsapFlag.subscribe) !== 0 || undefined),
    poolHandle: takePoolHandle(parameters),
    ...given("items", takeOptionalItems(parameters)),
  }),
  [AsapType.handleResolutionResponse]: (parameters, flags) => ({
    type: "handleResolutionResponse",
    ...given("acceptUpdates", (flags & AsapFlag.acceptUpdates) !== 0 || undefined),
    poolHandle: takePoolHandle(parameters),
    ...given("policy", takeOptionalPolicy(parameters)),
    elements: takeElements(parameters),
    ...given("error", takeOptionalError(parameters)),
  }),
  [AsapType.endpointKeepAliveAck]: (parameters) => ({
    type: "endpointKeepAliveAck",
    poolHandle: takePoolHandle(parameters),
    elementId: takeElementId(parameters),
  }),
  [AsapType.endpointUnreachable]: (parameters) => ({
    type: "endpointUnreachable",
    poolHandle: takePoolHandle(parameters),
    elementId: takeElementId(parameters),
  }),
  [AsapType.cookie]: (parameters) => ({ type: "cookie", cookie: takeCookie(parameters) }),
  [AsapType.cookieEcho]: (parameters) => ({ type: "cookieEcho", cookie: takeCookie(parameters) }),
  [AsapType.businessCard]: (parameters) => ({
    type: "businessCard",
    poolHandle: takePoolHandle(parameters),
    ...given("policy", takeOptionalPolicy(parameters)),
    elements: takeElements(parameters),
  }),
  [AsapType.error]: (parameters) => ({ type: "error", error: takeError(parameters) }),
};

function readKeepAlive(body: Reader, flags: number, unrecognized?: Uint8Array[]): EndpointKeepAlive {
  const registrarId = body.u32("registrar ID");
  const parameters = ParameterReader.rest(body, unrecognized);
  const message: EndpointKeepAlive = {
    type: "endpointKeepAlive",
    home: (flags & AsapFlag.home) !== 0,
    registrarId,
    poolHandle: takePoolHandle(parameters),
    ...given("elementId", parameters.optional(ParameterType.peIdentifier, "PE identifier", readElementId)),
  };
  parameters.end();
  return message;
}

function readAnnounce(body: Reader, unrecognized?: Uint8Array[]): ServerAnnounce {
  const registrarId = body.u32("registrar ID");
  const parameters = ParameterReader.rest(body, unrecognized);
  const transports: TransportParameter[] = [];
  while (isTransportNext(parameters)) transports.push(takeTransport(parameters, "transport"));
  const serverInformation = takeOptionalServer(parameters);
  parameters.end();
  return {
    type: "serverAnnounce",
    registrarId,
    ...given("transports", transports.length > 0 ? transports : undefined),
    ...given("serverInformation", serverInformation),
  };
}

function takeCookie(parameters: ParameterReader): Uint8Array {
  return parameters.take(ParameterType.cookie, "cookie", readCookie);
}

function takeOptionalItems(parameters: ParameterReader): number | undefined {
  return parameters.optional(
    ParameterType.handleResolutionOption,
    "handle resolution option",
    readHandleResolutionOption,
  );
}
