import type { IpAddress, Route, TransportEvent } from "../net.ts";

/** What the embedded stack needs from the world and cannot make itself. */
export interface StackEnvironment {
  /** Fills the octets with unpredictable bits: verification tags, TSNs, keys, nonces. */
  readonly random: (octets: Uint8Array) => void;
  /** HMAC-SHA-256 of `data` under `key`: 32 octets. */
  readonly mac: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  /**
   * HMAC-SHA-1: 20 octets. Every endpoint that authenticates has to know it (RFC 4895 §6.1), so without it none of this
   * stack does.
   */
  readonly macSha1?: (key: Uint8Array, data: Uint8Array) => Uint8Array;
  /** The routing answer for packets to `destination`; undefined = no route. */
  readonly route: (destination: IpAddress) => Route | undefined;
  /** All addresses of this host, loopback included. Asked when an endpoint is opened and when an INIT is built. */
  readonly localAddresses: () => readonly IpAddress[];
  /** Whether plain SCTP over IP can be sent and received. UDP encapsulation always can. */
  readonly raw: boolean;
}

/** What the stack tells: an event of an endpoint, or that the endpoint is closed for good. */
export interface StackEvent {
  /** The handle that the caller gave to `open`. */
  readonly endpoint: number;
  /** What happened. */
  readonly event: TransportEvent | { readonly type: "closed" };
}

/** What the stack has counted since it was made. */
export interface StackCounters {
  /** Packets handed in, whatever became of them. */
  packetsReceived: number;
  /** Packets handed out. */
  packetsSent: number;
  /** DATA chunks of associations, duplicates included. */
  dataChunksReceived: number;
  /** DATA chunks sent, retransmissions included. */
  dataChunksSent: number;
  /** Whole messages handed to users. */
  messagesReceived: number;
  /** Messages accepted from users. */
  messagesSent: number;
  /** DATA chunks that had been received before. */
  duplicateChunks: number;
  /** DATA chunks that were sent again, for whatever reason. */
  retransmissions: number;
  /** DATA chunks found lost by missing reports (RFC 9260 §7.2.4). */
  fastRetransmissions: number;
  /** Expiries of T3. */
  retransmissionTimeouts: number;
  /** SACK chunks sent. */
  sacksSent: number;
  /** SACK chunks received. */
  sacksReceived: number;
  /** Packets to a port that no endpoint of this stack has. */
  foreignPort: number;
  /** Packets with a wrong CRC32c. */
  checksumErrors: number;
  /** Packets or chunks that could not be read. */
  malformed: number;
  /** Packets that belong to no association (RFC 9260 §8.4). */
  outOfTheBlue: number;
  /** Packets of an association with a wrong verification tag (RFC 9260 §8.5). */
  wrongTag: number;
  /** Cookies that were forged, of another endpoint, or too old. */
  badCookies: number;
  /** Packets whose AUTH chunk was wrong, or of a key or algorithm that is not there (RFC 4895 §6.3). */
  unauthenticated: number;
  /** Something was dropped because a limit of this stack was reached. */
  limited: number;
  /** Associations that were established. */
  associationsUp: number;
  /** Associations that have ended. */
  associationsDown: number;
}

/** Counters that all stand at zero. */
export function newCounters(): StackCounters {
  return {
    packetsReceived: 0,
    packetsSent: 0,
    dataChunksReceived: 0,
    dataChunksSent: 0,
    messagesReceived: 0,
    messagesSent: 0,
    duplicateChunks: 0,
    retransmissions: 0,
    fastRetransmissions: 0,
    retransmissionTimeouts: 0,
    sacksSent: 0,
    sacksReceived: 0,
    foreignPort: 0,
    checksumErrors: 0,
    malformed: 0,
    outOfTheBlue: 0,
    wrongTag: 0,
    badCookies: 0,
    unauthenticated: 0,
    limited: 0,
    associationsUp: 0,
    associationsDown: 0,
  };
}
