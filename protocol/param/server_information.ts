import type { Reader } from "../wire/reader.ts";
import type { Writer } from "../wire/writer.ts";
import { ParameterReader } from "./parameter_reader.ts";
import { ParameterType } from "./parameter_type.ts";
import { type SctpTransport, takeSctpTransport, writeTransport } from "./transport.ts";

/** Server Information parameter (RFC 5354 §3.11): a registrar and where it is reached. */
export interface ServerInformation {
  /** Registrar ID, 32 bits; 0 = not known yet (static peers of RSPLIB). */
  readonly registrarId: number;
  /** Where ENRP (in an announce: ASAP) is served. */
  readonly transport: SctpTransport;
}

/**
 * Reads the value of a Server Information parameter:
 *
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     |                           Server ID                           |
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *     :                   Server Transport parameter                  :
 *     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export function readServerInformation(reader: Reader, unrecognized?: Uint8Array[]): ServerInformation {
  const registrarId = reader.u32("registrar ID");
  const parameters = ParameterReader.rest(reader, unrecognized);
  const transport = takeSctpTransport(parameters, "server transport");
  parameters.end();
  return { registrarId, transport };
}

/** Writes a Server Information parameter. */
export function writeServerInformation(writer: Writer, information: ServerInformation): void {
  writer.tlv(ParameterType.serverInformation, (value) => {
    value.u32(information.registrarId);
    writeTransport(value, information.transport);
  });
}
