/**
 * Answers to HEARTBEATs that a user asked for. The kernel tells of none, so they are looked for on the wire: by a packet
 * socket, which is open only while an answer is awaited, and takes the time when a packet passed. Without CAP_NET_RAW
 * nothing is told.
 *
 * @module
 */
import type { CapturedPacket, HeartbeatAnswered, IpAddress } from "../protocol/net.ts";
import { SctpError } from "./errno.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { captureKernelPackets } from "./kernel_capture.ts";

/** So long an answer is awaited, in milliseconds: after the largest retransmission time-out nobody cares. */
const PATIENCE_MS = 60_000;
/** Packets with HEARTBEATs are shorter than this; of longer ones only the start is copied, and they are left out. */
const HEARTBEAT_PACKET_BYTES = 512;
/** HEARTBEATs that are awaited at once. Of more the oldest are forgotten: they went to who does not answer. */
const MAX_AWAITED = 256;
const HEADER_BYTES = 12;
const ChunkType = { heartbeat: 4, heartbeatAck: 5 } as const;

interface Awaited {
  readonly association: KernelAssociation;
  readonly address: IpAddress;
  /** Heartbeat information (RFC 9260 §3.3.5) in hexadecimal, once it was seen to leave. */
  info: string | undefined;
  sentAt: number;
}

/** The HEARTBEATs of one endpoint. */
export class KernelHeartbeats {
  readonly #port: number;
  readonly #tell: (event: HeartbeatAnswered) => void;
  readonly #captureOf: typeof captureKernelPackets;
  readonly #awaited = new Set<Awaited>();
  #capture: Disposable | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #forbidden = false;

  /**
   * @param port the endpoint's SCTP port
   * @param tell takes the answers
   * @param captureOf the kernel's packets unless a test has its own
   */
  constructor(
    port: number,
    tell: (event: HeartbeatAnswered) => void,
    captureOf: typeof captureKernelPackets = captureKernelPackets,
  ) {
    this.#port = port;
    this.#tell = tell;
    this.#captureOf = captureOf;
  }

  /** A HEARTBEAT is about to be sent to each of these addresses. */
  expect(association: KernelAssociation, addresses: readonly IpAddress[]): void {
    if (!this.#open()) return;
    for (const address of addresses) {
      this.#awaited.add({ association, address, info: undefined, sentAt: 0 });
    }
    for (const oldest of this.#awaited) {
      if (this.#awaited.size <= MAX_AWAITED) break;
      this.#awaited.delete(oldest);
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), PATIENCE_MS);
  }

  /** Awaits nothing any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#awaited.clear();
    this.#capture?.[Symbol.dispose]();
    this.#capture = undefined;
  }

  #open(): boolean {
    if (this.#capture !== undefined) return true;
    if (this.#forbidden) return false;
    try {
      const ports = [this.#port];
      this.#capture = this.#captureOf(
        () => ports,
        (packet, at) => this.#onPacket(packet, at),
        HEARTBEAT_PACKET_BYTES,
      );
      return true;
    } catch (error) {
      if (!(error instanceof SctpError)) throw error;
      this.#forbidden = true; // and will be
      return false;
    }
  }

  #onPacket({ direction, destination, sctp }: CapturedPacket, at: number): void {
    const type = direction === "sent" ? ChunkType.heartbeat : ChunkType.heartbeatAck;
    const info = findChunk(sctp, type);
    if (info === undefined) return;
    const peerPort = direction === "sent" ? sctp[2]! << 8 | sctp[3]! : sctp[0]! << 8 | sctp[1]!;
    for (const awaited of this.#awaited) {
      const { association, address } = awaited;
      if (association.peerPort !== peerPort) continue;
      if (direction === "sent") {
        if (awaited.info !== undefined || address !== destination) continue;
        awaited.info = info;
        awaited.sentAt = at;
        return;
      }
      if (awaited.info !== info) continue;
      this.#awaited.delete(awaited);
      const roundTripMs = Math.max(0, at - awaited.sentAt);
      if (association.up && association.down === undefined) {
        this.#tell({ type: "heartbeatAck", association: association.id, address, roundTripMs });
      }
      if (this.#awaited.size === 0) this.close();
      return;
    }
  }
}

/** Value of the first chunk of a type, in hexadecimal. */
function findChunk(sctp: Uint8Array, type: number): string | undefined {
  for (let at = HEADER_BYTES; at + 4 <= sctp.length;) {
    const length = sctp[at + 2]! << 8 | sctp[at + 3]!;
    if (length < 4 || at + length > sctp.length) return undefined;
    if (sctp[at] === type) return sctp.subarray(at + 4, at + length).toHex();
    at += length + 3 & ~3;
  }
  return undefined;
}
