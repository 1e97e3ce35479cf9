import { writeChecksum } from "../param/checksum.ts";
import { writeFrame } from "../param/frame.ts";
import { writeOperationError } from "../param/operation_error.ts";
import { writePoolElement } from "../param/pool_element.ts";
import { writePoolHandle } from "../param/pool_handle.ts";
import { writeServerInformation } from "../param/server_information.ts";
import type { Writer } from "../wire/writer.ts";
import { EnrpFlag, type EnrpMessage, EnrpType } from "./message.ts";

/**
 * Writes a message of ENRP (RFC 5353 §2).
 *
 * @param message what to say
 * @returns its octets, to be sent as one SCTP user message of PPID 12 (a presence also: as one datagram)
 * @throws {StateError} when a field cannot be expressed: an empty pool handle, no address, more than 65535 octets
 *
 * @example A list request
 * ```ts
 * import assert from "node:assert/strict";
 *
 * const octets = writeEnrp({ type: "listRequest", senderId: 0xc2818128, receiverId: 0xe7bbf4ba });
 * assert.equal(octets.toHex(), "0500000cc2818128e7bbf4ba");
 * ```
 */
export function writeEnrp(message: EnrpMessage): Uint8Array {
  return writeFrame(EnrpType[message.type], flagsOf(message), (writer) => {
    writer.u32(message.senderId);
    writer.u32(message.receiverId);
    writeBody(writer, message);
  });
}

function flagsOf(message: EnrpMessage): number {
  switch (message.type) {
    case "presence":
      return message.replyRequired ? EnrpFlag.replyRequired : 0;
    case "handleTableRequest":
      return message.ownChildrenOnly ? EnrpFlag.ownChildrenOnly : 0;
    case "handleTableResponse":
      return (message.rejected ? EnrpFlag.rejected : 0) | (message.more ? EnrpFlag.more : 0);
    case "handleUpdate":
      return message.takeoverSuggested ? EnrpFlag.takeoverSuggested : 0;
    case "listResponse":
      return message.rejected ? EnrpFlag.rejected : 0;
    default:
      return 0;
  }
}

function writeBody(writer: Writer, message: EnrpMessage): void {
  switch (message.type) {
    case "presence":
      writeChecksum(writer, message.checksum);
      if (message.serverInformation !== undefined) writeServerInformation(writer, message.serverInformation);
      return;
    case "handleTableResponse":
      for (const { poolHandle, elements } of message.pools) {
        writePoolHandle(writer, poolHandle);
        for (const element of elements) writePoolElement(writer, element);
      }
      return;
    case "handleUpdate":
      writer.u16(message.action === "add" ? 0 : 1);
      writer.u16(0);
      writePoolHandle(writer, message.poolHandle);
      writePoolElement(writer, message.element);
      return;
    case "listResponse":
      for (const server of message.servers) writeServerInformation(writer, server);
      return;
    case "initTakeover":
    case "initTakeoverAck":
    case "takeoverServer":
      writer.u32(message.targetId);
      return;
    case "error":
      writeOperationError(writer, message.error);
      return;
    case "handleTableRequest":
    case "listRequest":
      return;
    default:
      message satisfies never;
  }
}
