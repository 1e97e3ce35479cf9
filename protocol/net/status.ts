/** What is known of associations and paths. */
import type { IpAddress } from "./address.ts";

/** State of a path, as RFC 6458 §6.1.2 and §8.2.2 and RFC 7829 §7.1 name it. */
export type PathState = "active" | "inactive" | "unconfirmed" | "potentially-failed";

/** What is known of a path to a peer. */
export interface PathStatus {
  /** The peer address that makes the path. */
  readonly address: IpAddress;
  /** Source address in use, as far as known. */
  readonly localAddress: IpAddress | undefined;
  /** UDP port of the peer on this path; 0 = plain SCTP over IP. */
  readonly encapsulationPort: number;
  /** Whether it can be used. */
  readonly state: PathState;
  /** Whether it is the path that data takes as long as it is active. */
  readonly primary: boolean;
  /** Congestion window in octets. */
  readonly cwnd: number;
  /** Smoothed round-trip time in milliseconds; 0 = none measured yet. */
  readonly srttMs: number;
  /** Retransmission time-out in milliseconds. */
  readonly rtoMs: number;
  /** Path MTU in octets, IP header included. */
  readonly mtu: number;
  /** Slow start threshold in octets; absent = not known. */
  readonly ssthresh?: number;
  /** Octets in flight on this path; absent = not known. */
  readonly flightOctets?: number;
  /** Time-outs in a row; absent = not known. */
  readonly errors?: number;
}

/** What is known of an association. */
export interface AssociationStatus {
  /** As RFC 9260 §4 names it. */
  readonly state:
    | "cookie-wait"
    | "cookie-echoed"
    | "established"
    | "shutdown-pending"
    | "shutdown-sent"
    | "shutdown-received"
    | "shutdown-ack-sent";
  /** SCTP port of the peer. */
  readonly peerPort: number;
  /** Streams that this side may send on. */
  readonly outboundStreams: number;
  /** Streams that the peer may send on. */
  readonly inboundStreams: number;
  /** The peer's advertised window less what is in flight, in octets. */
  readonly peerReceiveWindow: number;
  /** Octets accepted from the user and not yet acknowledged. */
  readonly queuedOctets: number;
  /** DATA chunks sent and not acknowledged; absent = not known. */
  readonly unacknowledgedChunks?: number;
  /** Received messages that are not delivered yet, since others of their stream are missing; absent = not known. */
  readonly pendingMessages?: number;
  /** Longest DATA chunk's user data in octets; longer messages are fragmented. Absent = not known. */
  readonly fragmentationPoint?: number;
  /** Verification tag of this side; absent = not known. */
  readonly localTag?: number;
  /** Verification tag of the peer; absent = not known. */
  readonly peerTag?: number;
  /** What both sides have agreed upon; absent = not known. */
  readonly extensions?: AssociationExtensions;
  /** One for each address of the peer. */
  readonly paths: readonly PathStatus[];
}

/** Extensions in use on an association: those that both sides offer. */
export interface AssociationExtensions {
  /** RFC 3758 */
  readonly partialReliability: boolean;
  /** RFC 6525 */
  readonly reconfiguration: boolean;
  /** RFC 8260 */
  readonly interleaving: boolean;
  /** RFC 4895 */
  readonly authentication: boolean;
  /** RFC 5061 */
  readonly dynamicAddresses: boolean;
}

/** Counts of one association since it came up, as kernel SCTP's SCTP_GET_ASSOC_STATS (reference/sctp.md §2.5). */
export interface AssociationStatistics {
  /** The longest RTO since it was last asked, in milliseconds; asking starts a new period. */
  readonly maxRtoMs: number;
  /** Where that RTO was seen. */
  readonly maxRtoAddress: IpAddress | undefined;
  readonly sacksReceived: number;
  readonly sacksSent: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  /** DATA chunks sent again. */
  readonly retransmittedChunks: number;
  /** TSNs received beyond the next expected one. */
  readonly outOfSequenceTsns: number;
  /** DATA chunks received twice, ordered and unordered. */
  readonly duplicateChunks: number;
  /** Gap ack blocks received. */
  readonly gapAcksReceived: number;
  readonly unorderedChunksSent: number;
  readonly unorderedChunksReceived: number;
  readonly orderedChunksSent: number;
  readonly orderedChunksReceived: number;
  /** Chunks other than DATA. */
  readonly controlChunksSent: number;
  readonly controlChunksReceived: number;
}
