/** The SCTP ports of the embedded transport: each is bound together with the UDP port that carries it, which is its lock. */
import { Errno, SctpError } from "../../ffi/errno.ts";
import type { PacketDriver } from "../../ffi/packet_driver.ts";
import type { EndpointOptions } from "../../protocol/net.ts";
import { isUnicast } from "../../protocol/sctp/addresses.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import { StateError } from "../../protocol/wire/errors.ts";

/** Ephemeral SCTP ports: their UDP ports, 30000-32767, lie just below those that Linux gives away itself. */
const FIRST_EPHEMERAL_PORT = 20000, EPHEMERAL_PORTS = 2768;

/**
 * Binds the SCTP port of an endpoint.
 *
 * @param options the port 0, or none, is some that is free
 * @param extra UDP ports besides the one that goes with it
 * @returns the port
 * @throws {StateError} for a port that there cannot be
 * @throws {SctpError} EADDRINUSE, or EADDRNOTAVAIL for an address that this host has not
 */
export function bindPort(driver: PacketDriver, options: EndpointOptions, extra: readonly number[]): number {
  const { port = 0, addresses = [] } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new StateError(`Cannot open SCTP port ${port}: ports are 0 to 65535`);
  }
  const foreign = addresses.find((address) => !isUnicast(address) || !driver.hasAddress(address));
  if (foreign !== undefined) {
    throw new SctpError("bind", Errno.EADDRNOTAVAIL, `Cannot use ${foreign} as a local address`);
  }
  if (port === 0) return bindEphemeralPort(driver, extra);
  driver.openPort(port, udpPortsOf(port, extra));
  return port;
}

function bindEphemeralPort(driver: PacketDriver, extra: readonly number[]): number {
  const start = crypto.getRandomValues(new Uint32Array(1))[0]!;
  for (let i = 0; i < EPHEMERAL_PORTS; i++) {
    const port = FIRST_EPHEMERAL_PORT + (start + i * 13) % EPHEMERAL_PORTS; // 13 is prime to 2768: all come up
    try {
      driver.openPort(port, udpPortsOf(port, extra));
      return port;
    } catch (error) {
      if (!(error instanceof SctpError) || error.errno !== Errno.EADDRINUSE) throw error;
    }
  }
  throw new SctpError("bind", Errno.EADDRINUSE, "Cannot find a free SCTP port from 20000 to 22767");
}

function udpPortsOf(port: number, extra: readonly number[]): number[] {
  return [...new Set([encapsulationPort(port), ...extra])];
}
