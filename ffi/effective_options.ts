/**
 * What holds for an endpoint of the kernel where its options say nothing: the system's settings (`net.sctp.*`), which a
 * socket takes over when it is made. Unless somebody has changed them they are the values of RFC 9260 §16.
 *
 * @module
 */
import type { EndpointOptions, RtoTimes } from "../protocol/net.ts";
import { readOption } from "./kernel_option_access.ts";
import type { KernelSocket } from "./kernel_socket.ts";

/** Options of an endpoint, with the times and limits that it really has. */
export interface EffectiveOptions extends EndpointOptions {
  readonly rto: RtoTimes;
  readonly maxInitRetransmissions: number;
  readonly associationMaxRetransmissions: number;
  readonly pathMaxRetransmissions: number;
}

/**
 * Asks the kernel for what the options leave open.
 *
 * @param socket the endpoint's, on which the options have been set
 * @throws {SocketOptionError} when the kernel does not say
 */
export function effectiveOptions(socket: KernelSocket, options: EndpointOptions): EffectiveOptions {
  const { initial, min, max } = readOption(socket, "rtoinfo");
  return {
    ...options,
    rto: { initialMs: Number(initial), minMs: Number(min), maxMs: Number(max) },
    maxInitRetransmissions: Number(readOption(socket, "initmsg")["max_attempts"]),
    associationMaxRetransmissions: Number(readOption(socket, "associnfo")["asocmaxrxt"]),
    pathMaxRetransmissions: Number(readOption(socket, "peer_addr_params")["pathmaxrxt"]),
  };
}
