/**
 * What a user can ask of single paths on kernel SCTP: the primary one, heartbeats, the peer's UDP port.
 *
 * @module
 */
import type { IpAddress } from "../protocol/net.ts";
import { PathFlag, SctpOption } from "./kernel_abi.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import { AddressFamily, encodeSockaddr } from "./sockaddr.ts";
import { Protocol } from "./structs.ts";

/** struct sctp_prim, packed: id 0, address 4. */
const PRIMARY_BYTES = 132;
/** struct sctp_paddrparams, packed: id 0, address 4, flags 146. */
const PARAMETERS_BYTES = 156;
/** struct sctp_udpencaps, not packed: id 0, address 8, port 136 in network order. */
const ENCAPSULATION_BYTES = 144;

/** Has an association send to one of the peer's addresses; without effect when it is none. */
export function setPrimaryPath(association: KernelAssociation, address: IpAddress): void {
  const primary = ofPath(association, address, PRIMARY_BYTES);
  association.socket.set(Protocol.sctp, SctpOption.primaryAddress, primary);
}

/** Sends HEARTBEAT now, to one of the peer's addresses or to all. */
export function requestHeartbeat(association: KernelAssociation, address: IpAddress | undefined): void {
  for (const target of address === undefined ? association.peerAddresses : [address]) {
    const parameters = ofPath(association, target, PARAMETERS_BYTES);
    parameters.setUint32(146, PathFlag.heartbeatDemand, true);
    association.socket.set(Protocol.sctp, SctpOption.peerAddressParameters, parameters);
  }
}

function ofPath(association: KernelAssociation, address: IpAddress, length: number): DataView<ArrayBuffer> {
  const octets = new Uint8Array(length);
  const view = new DataView(octets.buffer);
  view.setInt32(0, association.kernelId, true);
  octets.set(encodeSockaddr({ address, port: association.peerPort }), 4);
  return view;
}

/**
 * Does something while a UDP port is set as that of the peers whose associations start now (RFC 6951 §6.1).
 *
 * @param port 0 = plain SCTP; undefined leaves what is set
 */
export function withEncapsulation<Result>(
  socket: KernelSocket,
  port: number | undefined,
  action: () => Result,
): Result {
  if (port === undefined) return action();
  const before = new DataView(new ArrayBuffer(ENCAPSULATION_BYTES));
  before.setUint16(8, AddressFamily.inet, true); // with a zero address: the socket's default
  const known = socket.get(Protocol.sctp, SctpOption.encapsulationPort, before) > 0;
  const wanted = new DataView(before.buffer.slice(0));
  wanted.setUint16(136, port);
  socket.set(Protocol.sctp, SctpOption.encapsulationPort, wanted);
  try {
    return action();
  } finally {
    if (known) socket.set(Protocol.sctp, SctpOption.encapsulationPort, before);
  }
}
