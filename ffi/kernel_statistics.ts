/**
 * What the kernel has counted of an association (SCTP_GET_ASSOC_STATS).
 *
 * @module
 */
import type { AssociationStatistics, SocketOptionValue } from "../protocol/net.ts";
import { readOption } from "./kernel_option_access.ts";
import type { KernelSocket } from "./kernel_socket.ts";

/** Ticks per second that a kernel of Linux can be built with (CONFIG_HZ). */
const TICK_RATES = [100, 250, 300, 1000];

let ticksPerSecond: number | undefined;

/** The fields of `get_assoc_stats`, the RTO in milliseconds. */
export function readStatistics(socket: KernelSocket, kernelId: number): SocketOptionValue {
  const target = { kernelId, port: 0 };
  const value = readOption(socket, "get_assoc_stats", target);
  ticksPerSecond ??= measureTicks(socket, kernelId);
  return { ...value, maxrto: Math.round(Number(value["maxrto"]) * 1000 / ticksPerSecond) };
}

/**
 * The kernel says the RTO in ticks of its clock, and nobody else says how long those are. But once it was read the
 * longest RTO starts anew with the smallest one that is allowed, which is known in milliseconds.
 */
function measureTicks(socket: KernelSocket, kernelId: number): number {
  const target = { kernelId, port: 0 };
  const ticks = Number(readOption(socket, "get_assoc_stats", target)["maxrto"]);
  const minMs = Number(readOption(socket, "rtoinfo", target)["min"]);
  const rate = ticks * 1000 / minMs;
  const distance = (candidate: number) => Math.abs(candidate - rate);
  return TICK_RATES.reduce((best, candidate) => distance(candidate) < distance(best) ? candidate : best);
}

/** The same as an endpoint tells it. */
export function statisticsOf(value: SocketOptionValue): AssociationStatistics {
  const count = (field: string) => Number(value[field]);
  const address = value["maxrto_address"];
  return {
    maxRtoMs: count("maxrto"),
    maxRtoAddress: typeof address === "string" ? address : undefined,
    sacksReceived: count("isacks"),
    sacksSent: count("osacks"),
    packetsSent: count("opackets"),
    packetsReceived: count("ipackets"),
    retransmittedChunks: count("rtxchunks"),
    outOfSequenceTsns: count("outofseqtsns"),
    duplicateChunks: count("idupchunks"),
    gapAcksReceived: count("gapcnt"),
    unorderedChunksSent: count("ouodchunks"),
    unorderedChunksReceived: count("iuodchunks"),
    orderedChunksSent: count("oodchunks"),
    orderedChunksReceived: count("iodchunks"),
    controlChunksSent: count("octrlchunks"),
    controlChunksReceived: count("ictrlchunks"),
  };
}
