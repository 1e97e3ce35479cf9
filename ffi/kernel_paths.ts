/**
 * What a user can ask of single paths on kernel SCTP: the primary one, heartbeats, the peer's UDP port.
 *
 * @module
 */
import { type IpAddress, SocketOptionError } from "../protocol/net.ts";
import { PathFlag, SctpOption } from "./kernel_abi.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { readOption, writeOption } from "./kernel_option_access.ts";
import { encodeQuestion, layoutOf } from "./kernel_option_codec.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import { Protocol } from "./structs.ts";

/** spp_flags in struct sctp_paddrparams. */
const PATH_FLAGS_AT = 146;

/** Has an association send to one of the peer's addresses; without effect when it is none. */
export function setPrimaryPath(association: KernelAssociation, address: IpAddress): void {
  const { socket, kernelId, peerPort: port } = association;
  try {
    writeOption(socket, "primary_addr", { address }, { kernelId, port });
  } catch (error) {
    if (!(error instanceof SocketOptionError)) throw error;
  }
}

/** Sends HEARTBEAT now to some of the peer's addresses. */
export function requestHeartbeats(association: KernelAssociation, addresses: readonly IpAddress[]): void {
  const { socket, kernelId, peerPort: port } = association;
  for (const target of addresses) {
    const parameters = encodeQuestion(layoutOf("peer_addr_params"), { kernelId, port, address: target });
    parameters.setUint32(PATH_FLAGS_AT, PathFlag.heartbeatDemand, true);
    socket.set(Protocol.sctp, SctpOption.peerAddressParameters, parameters);
  }
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
  let before;
  try {
    before = readOption(socket, "remote_udp_encaps_port");
    writeOption(socket, "remote_udp_encaps_port", { port });
  } catch (error) {
    if (!(error instanceof SocketOptionError)) throw error; // a kernel without encapsulation: plain SCTP it is
  }
  try {
    return action();
  } finally {
    if (before !== undefined) writeOption(socket, "remote_udp_encaps_port", before);
  }
}
