import { openDgramDriver } from "../../ffi/dgram_io.ts";
import { LibraryError } from "../../ffi/errno.ts";
import type { PacketDriver, PacketDriverOptions, PacketHandler } from "../../ffi/packet_driver.ts";
import { openPacketDriver, probePacketDriver } from "../../ffi/packet_io.ts";

/** Which packet driver it will be, decided once. */
export interface DriverChoice extends Pick<PacketDriver, "raw" | "encapsulation"> {
  open(handler: PacketHandler): PacketDriver;
}

/**
 * Decides it: native sockets where there are any, `node:dgram` elsewhere.
 *
 * @param portable demands `node:dgram`
 * @throws {SctpError} EPERM when `raw` is "on" and this process may not
 */
export function chooseDriver(options: PacketDriverOptions, portable: boolean): DriverChoice {
  if (portable) return portableChoice("portable driver");
  try {
    const { raw, encapsulation } = probePacketDriver(options);
    return {
      raw,
      encapsulation,
      open: (handler) => openPacketDriver(handler, { ...options, raw: raw ? "on" : "off" }),
    };
  } catch (error) {
    if (error instanceof LibraryError) return portableChoice("portable driver: no native sockets here");
    if (error instanceof Deno.errors.NotCapable) return portableChoice("portable driver: no --allow-ffi");
    throw error;
  }
}

function portableChoice(why: string): DriverChoice {
  return { raw: false, encapsulation: `UDP (${why})`, open: openDgramDriver };
}
