/**
 * What the kernel tells of an association and its paths when asked.
 *
 * @module
 */
import {
  type AssociationExtensions,
  type AssociationStatus,
  type PathState,
  type PathStatus,
  SocketOptionError,
  type SocketOptionName,
  type SocketOptionValue,
} from "../protocol/net.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { readOption } from "./kernel_option_access.ts";
import type { KernelTarget } from "./kernel_option_codec.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import type { SctpLibrary } from "./libsctp.ts";

/** Undefined when the kernel does not know the association any more. */
export function readStatus(
  library: SctpLibrary,
  association: KernelAssociation,
): AssociationStatus | undefined {
  const { socket, kernelId, peerPort } = association;
  const target = { kernelId, port: peerPort };
  const status = tryRead(socket, "status", target);
  if (status === undefined) return undefined;
  const { state } = status;
  if (state === "empty" || state === "closed") return undefined;
  const peers = library.peerAddresses(socket.fd, kernelId);
  return {
    state: state as AssociationStatus["state"],
    peerPort,
    outboundStreams: Number(status["outstrms"]),
    inboundStreams: Number(status["instrms"]),
    peerReceiveWindow: Number(status["rwnd"]),
    // With the kernel's overhead, since it counts nothing else; 0 is exact.
    queuedOctets: association.queuedOctets + socket.queuedOctets(),
    unacknowledgedChunks: Number(status["unackdata"]),
    pendingMessages: Number(status["penddata"]),
    fragmentationPoint: Number(status["fragmentation_point"]),
    extensions: readExtensions(socket, target),
    paths: peers.map(({ address, port }) =>
      readPath(socket, { kernelId, address, port }, address === status["primary"])
    ).filter((path) => path !== undefined),
  };
}

/** Of an association, these say what both sides have offered. */
function readExtensions(socket: KernelSocket, target: KernelTarget): AssociationExtensions {
  const offered = (name: SocketOptionName) => tryRead(socket, name, target)?.["value"] === true;
  return {
    partialReliability: offered("pr_supported"),
    reconfiguration: offered("reconfig_supported"),
    interleaving: offered("interleaving_supported"),
    authentication: offered("auth_supported"),
    dynamicAddresses: offered("asconf_supported"),
  };
}

function readPath(
  socket: KernelSocket,
  target: KernelTarget & { readonly address: string },
  primary: boolean,
): PathStatus | undefined {
  const path = tryRead(socket, "get_peer_addr_info", target);
  if (path === undefined) return undefined;
  const encapsulation = tryRead(socket, "remote_udp_encaps_port", target);
  return {
    address: target.address,
    localAddress: undefined, // the kernel does not say
    encapsulationPort: Number(encapsulation?.["port"] ?? 0),
    state: path["state"] as PathState,
    primary,
    cwnd: Number(path["cwnd"]),
    srttMs: Number(path["srtt"]),
    rtoMs: Number(path["rto"]),
    mtu: Number(path["mtu"]),
  };
}

function tryRead(
  socket: KernelSocket,
  name: SocketOptionName,
  target: KernelTarget,
): SocketOptionValue | undefined {
  try {
    return readOption(socket, name, target);
  } catch (error) {
    if (error instanceof SocketOptionError) return undefined;
    throw error;
  }
}
