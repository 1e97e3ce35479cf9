import { writeFrame } from "../param/frame.ts";
import { writeCookie, writeElementId, writeHandleResolutionOption } from "../param/identifiers.ts";
import { writeOperationError } from "../param/operation_error.ts";
import { writePolicy } from "../param/policy.ts";
import { writePoolElement } from "../param/pool_element.ts";
import { writePoolHandle } from "../param/pool_handle.ts";
import { writeServerInformation } from "../param/server_information.ts";
import { writeTransport } from "../param/transport.ts";
import type { Writer } from "../wire/writer.ts";
import { AsapFlag, type AsapMessage, AsapType } from "./message.ts";

/**
 * Writes a message of ASAP (RFC 5352 §2.2).
 *
 * @param message what to say
 * @returns its octets, to be sent as one SCTP user message of PPID 11 (an announce: as one datagram)
 * @throws {StateError} when a field cannot be expressed: an empty pool handle, no address, more than 65535 octets
 *
 * @example An announce
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = writeAsap({ type: "serverAnnounce", registrarId: 0xc2818128 });
 * assert.equal(octets.toHex(), "0a000008c2818128");
 * ```
 */
export function writeAsap(message: AsapMessage): Uint8Array {
  return writeFrame(AsapType[message.type], flagsOf(message), (writer) => writeBody(writer, message));
}

function flagsOf(message: AsapMessage): number {
  switch (message.type) {
    case "registrationResponse":
      return message.rejected ? AsapFlag.rejected : 0;
    case "handleResolution":
      return message.subscribe ? AsapFlag.subscribe : 0;
    case "handleResolutionResponse":
      return message.acceptUpdates ? AsapFlag.acceptUpdates : 0;
    case "endpointKeepAlive":
      return message.home ? AsapFlag.home : 0;
    default:
      return 0;
  }
}

function writeBody(writer: Writer, message: AsapMessage): void {
  switch (message.type) {
    case "registration":
      writePoolHandle(writer, message.poolHandle);
      writePoolElement(writer, message.element);
      return;
    case "registrationResponse":
    case "deregistrationResponse":
      writePoolHandle(writer, message.poolHandle);
      writeElementId(writer, message.elementId);
      if (message.error !== undefined) writeOperationError(writer, message.error);
      return;
    case "deregistration":
    case "endpointKeepAliveAck":
    case "endpointUnreachable":
      writePoolHandle(writer, message.poolHandle);
      writeElementId(writer, message.elementId);
      return;
    case "handleResolution":
      writePoolHandle(writer, message.poolHandle);
      if (message.items !== undefined) writeHandleResolutionOption(writer, message.items);
      return;
    case "handleResolutionResponse":
      writePoolHandle(writer, message.poolHandle);
      if (message.policy !== undefined) writePolicy(writer, message.policy);
      for (const element of message.elements) writePoolElement(writer, element);
      if (message.error !== undefined) writeOperationError(writer, message.error);
      return;
    case "businessCard":
      writePoolHandle(writer, message.poolHandle);
      if (message.policy !== undefined) writePolicy(writer, message.policy);
      for (const element of message.elements) writePoolElement(writer, element);
      return;
    case "endpointKeepAlive":
      writer.u32(message.registrarId);
      writePoolHandle(writer, message.poolHandle);
      if (message.elementId !== undefined) writeElementId(writer, message.elementId);
      return;
    case "serverAnnounce":
      writer.u32(message.registrarId);
      for (const transport of message.transports ?? []) writeTransport(writer, transport);
      if (message.serverInformation !== undefined) writeServerInformation(writer, message.serverInformation);
      return;
    case "cookie":
    case "cookieEcho":
      writeCookie(writer, message.cookie);
      return;
    case "error":
      writeOperationError(writer, message.error);
      return;
    default:
      message satisfies never;
  }
}
