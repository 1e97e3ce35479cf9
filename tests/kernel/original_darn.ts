/** The original `sctp_darn` as the tests start and read it. */
import { ipAddressOctets } from "../../protocol/net.ts";
import type { Pc, Program } from "../net/lab.ts";

/** Starts it, with its output line by line. */
export function original(pc: Pc, ...words: readonly string[]): Program {
  return pc.startTyping("stdbuf", "-oL", "sctp_darn", ...words);
}

/** An address as the original writes it: eight groups of four digits, IPv4 as mapped into IPv6. */
export function inFull(address: string): string {
  const octets = ipAddressOctets(address)!; // these are addresses
  const hex = (octets.length === 4 ? "00000000000000000000ffff" : "") + octets.toHex();
  return hex.match(/..../g)!.join(":");
}
