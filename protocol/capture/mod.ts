/**
 * Packet captures for Wireshark: the file format, and the headers that stand around an SCTP packet on the wire. One place
 * for all who write captures: the transports' (`Transport.capture`) and the simulation's.
 *
 * @module
 */
export { ipPacket } from "./ip_packet.ts";
export { captureHeader, captureRecord } from "./pcapng.ts";
export type { EnclosedPacket } from "./ip_packet.ts";
export type { CaptureHeader, CaptureRecord } from "./pcapng.ts";
