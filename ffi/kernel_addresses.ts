/**
 * Local addresses of an endpoint on kernel SCTP, changed while it lives (RFC 6458 §9.1, sctp_bindx). Where an association
 * has dynamic addresses, the kernel tells its peer by ASCONF (RFC 5061).
 *
 * @module
 */
import { SocketOptionError, type TransportAddress } from "../protocol/net.ts";
import { Errno, errnoMeaning, errnoName } from "./errno.ts";
import { readOption, writeOption } from "./kernel_option_access.ts";
import { sharePort } from "./kernel_setup.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";
import type { SctpLibrary } from "./libsctp.ts";

/**
 * Adds an address.
 *
 * @throws {SocketOptionError} EADDRNOTAVAIL, EADDRINUSE or EINVAL
 */
export function bindAddress(library: SctpLibrary, sockets: KernelSockets, address: TransportAddress): void {
  requireSocket("add", sockets, address);
  const result = library.bindAdd(sockets.main.fd, [address]);
  if (result < 0) {
    const why = -result === Errno.EINVAL ? "the endpoint has it already" : errnoMeaning(-result);
    refuse("add", address, -result, why);
  }
  // Associations have sockets of their own, which belong to the same port.
  sharePort(sockets.all, () => {
    for (const socket of sockets.all) if (socket !== sockets.main) library.bindAdd(socket.fd, [address]);
  });
}

/**
 * Takes an address away.
 *
 * @throws {SocketOptionError} EINVAL when it is the last one, or not one of the endpoint's
 */
export function unbindAddress(library: SctpLibrary, sockets: KernelSockets, address: TransportAddress): void {
  requireSocket("remove", sockets, address);
  const result = library.bindRemove(sockets.main.fd, [address]);
  if (result < 0) {
    const last = -result === Errno.EBUSY;
    const why = last ? "it is the last one" : "it is not an address of the endpoint";
    refuse("remove", address, last ? Errno.EINVAL : -result, why);
  }
  for (const socket of sockets.all) if (socket !== sockets.main) library.bindRemove(socket.fd, [address]);
}

/** A socket that was peeled off or accepted forgets that its association tells the peer of new addresses. */
export function keepDynamicAddresses(main: KernelSocket, own: KernelSocket): void {
  try {
    const setting = readOption(main, "asconf_supported");
    if (setting["value"] === true) writeOption(own, "asconf_supported", setting);
  } catch (error) {
    if (!(error instanceof SocketOptionError)) throw error; // a kernel before 5.4
  }
}

/** Where the association of a peeled-off endpoint is over, the number of its descriptor may be another's. */
function requireSocket(doing: string, sockets: KernelSockets, address: TransportAddress): void {
  if (sockets.all.includes(sockets.main)) return;
  refuse(doing, address, Errno.ENOTCONN, "the association is over");
}

function refuse(
  doing: string,
  { address }: TransportAddress,
  number: number,
  why: string | undefined,
): never {
  const code = errnoName(number);
  throw new SocketOptionError(code, `Cannot ${doing} ${address}: ${why ?? "the kernel refuses"} (${code})`);
}
