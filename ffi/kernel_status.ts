/**
 * What the kernel tells of an association and its paths when asked.
 *
 * @module
 */
import type { AssociationStatus, PathState, PathStatus, TransportAddress } from "../protocol/net.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { SctpOption } from "./kernel_abi.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import type { SctpLibrary } from "./libsctp.ts";
import { encodeSockaddr, readSockaddrAddress } from "./sockaddr.ts";
import { Protocol } from "./structs.ts";

/** struct sctp_status: id 0, state 4, rwnd 8, instrms 16, outstrms 18, primary (struct sctp_paddrinfo) 24. */
const STATUS_BYTES = 176;
/** struct sctp_paddrinfo, packed: id 0, address 4, state 132, cwnd 136, srtt 140, rto 144, mtu 148. */
const PATH_BYTES = 152;
/** struct sctp_udpencaps, not packed: id 0, address 8, port 136 in network order. */
const ENCAPSULATION_BYTES = 144;

/** sstat_state; 0 and 1 are no association, 2 and 3 are set-up. */
const STATES: readonly (AssociationStatus["state"] | undefined)[] = [
  undefined,
  undefined,
  "cookie-wait",
  "cookie-echoed",
  "established",
  "shutdown-pending",
  "shutdown-sent",
  "shutdown-received",
  "shutdown-ack-sent",
];

/** spinfo_state: 1 is "potentially failed", which RFC 7829 §3 counts as active. */
const PATH_STATES: readonly PathState[] = ["inactive", "active", "active", "unconfirmed"];

/** Undefined when the kernel does not know the association any more. */
export function readStatus(
  library: SctpLibrary,
  association: KernelAssociation,
): AssociationStatus | undefined {
  const { socket, kernelId } = association;
  const view = new DataView(new ArrayBuffer(STATUS_BYTES));
  view.setInt32(0, kernelId, true);
  if (socket.get(Protocol.sctp, SctpOption.status, view) < 0) return undefined;
  const state = STATES[view.getInt32(4, true)];
  if (state === undefined) return undefined;
  const primary = readSockaddrAddress(view, 24 + 4);
  const peers = library.peerAddresses(socket.fd, kernelId);
  return {
    state,
    peerPort: association.peerPort,
    outboundStreams: view.getUint16(18, true),
    inboundStreams: view.getUint16(16, true),
    peerReceiveWindow: view.getUint32(8, true),
    // With the kernel's overhead, since it counts nothing else; 0 is exact.
    queuedOctets: association.queuedOctets + socket.queuedOctets(),
    paths: peers.map((peer) => readPath(socket, kernelId, peer, primary)).filter((path) =>
      path !== undefined
    ),
  };
}

function readPath(
  socket: KernelSocket,
  kernelId: number,
  peer: TransportAddress,
  primary: string | undefined,
): PathStatus | undefined {
  const view = new DataView(new ArrayBuffer(PATH_BYTES));
  view.setInt32(0, kernelId, true);
  new Uint8Array(view.buffer).set(encodeSockaddr(peer), 4);
  if (socket.get(Protocol.sctp, SctpOption.peerAddressInfo, view) < 0) return undefined;
  return {
    address: peer.address,
    localAddress: undefined, // the kernel does not say
    encapsulationPort: readEncapsulation(socket, kernelId, peer),
    state: PATH_STATES[view.getInt32(132, true)] ?? "inactive",
    primary: peer.address === primary,
    cwnd: view.getUint32(136, true),
    srttMs: view.getUint32(140, true),
    rtoMs: view.getUint32(144, true),
    mtu: view.getUint32(148, true),
  };
}

function readEncapsulation(socket: KernelSocket, kernelId: number, peer: TransportAddress): number {
  const view = new DataView(new ArrayBuffer(ENCAPSULATION_BYTES));
  view.setInt32(0, kernelId, true);
  new Uint8Array(view.buffer).set(encodeSockaddr(peer), 8);
  return socket.get(Protocol.sctp, SctpOption.encapsulationPort, view) < 0 ? 0 : view.getUint16(136);
}
