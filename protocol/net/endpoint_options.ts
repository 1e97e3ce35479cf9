/** How an endpoint behaves. */
import type { IpAddress } from "./address.ts";

/**
 * How an endpoint behaves. Everything has a default from RFC 9260 §16 unless said otherwise; on kernel SCTP times and limits of
 * the protocol have those of the system (`net.sctp.*`), which are the same unless somebody has changed them.
 */
export interface EndpointOptions {
  /** SCTP port, 0–65535; 0 or absent = an ephemeral one. */
  readonly port?: number;
  /** Local addresses; empty or absent = all of this host. */
  readonly addresses?: readonly IpAddress[];
  /** Whether peers may set up associations. Default false. */
  readonly listen?: boolean;
  /** Streams to send on, 1–65535; a peer may grant fewer. Default 10, as kernel SCTP. */
  readonly outboundStreams?: number;
  /** Streams that a peer may have at most, 1–65535. Default 65535. */
  readonly maxInboundStreams?: number;
  /** Retransmission time-out; defaults 1000 ms (initial), 1000 ms, 60000 ms, as far as they go with what is said. */
  readonly rto?: { readonly [name in keyof RtoTimes]?: number | undefined };
  /** How often an INIT or COOKIE ECHO is sent again before a connect fails. Default 8. */
  readonly maxInitRetransmissions?: number;
  /** Errors in a row after which an association is given up. Default 10. */
  readonly associationMaxRetransmissions?: number;
  /** Errors in a row after which a path is inactive. Default 5. */
  readonly pathMaxRetransmissions?: number;
  /** Between heartbeats on an idle path, besides its RTO and jitter, in milliseconds. Default 30000; 0 = none. */
  readonly heartbeatIntervalMs?: number;
  /** How long a SACK may be held back, in milliseconds. Default 200. */
  readonly sackDelayMs?: number;
  /** A SACK at least every so many packets. Default 2. */
  readonly sackFrequency?: number;
  /** How long a state cookie is valid, in milliseconds. Default 60000. */
  readonly cookieLifeMs?: number;
  /**
   * Octets queued for sending per association before `blocked`. Default 1 MiB. Many small messages block before: what
   * they cost besides their octets counts, too.
   */
  readonly sendBuffer?: number;
  /**
   * How long what is queued for sending may take to go, about, in milliseconds: on a slow way `blocked` comes before
   * `sendBuffer` is full, so that a message which is urgent does not stand behind so much. More than two round trips. Absent =
   * however long it takes, and so it is for associations that share a socket of the kernel.
   */
  readonly sendBufferMs?: number;
  /** Octets of receive buffer per association: the advertised window. Default 1 MiB. */
  readonly receiveBuffer?: number;
  /** Longest user message accepted in either direction, in octets. Default 16 MiB. */
  readonly maxMessage?: number;
  /** Ends an association that was idle for so long, by SHUTDOWN; in milliseconds. 0 = never (default). */
  readonly autoCloseMs?: number;
  /**
   * The reader says with `consumed` when it has taken messages; until then they occupy the receive window. Default
   * false: a delivered message counts as consumed.
   */
  readonly manualReceive?: boolean;
  /**
   * The reader copies what it keeps of a message before its event handler returns: long messages may be parts of buffers
   * that are used again then. Saves a copy and much garbage. Default false: a message's octets are its reader's for ever.
   */
  readonly borrowedMessages?: boolean;
  /** One association per socket, as kernel SCTP's SOCK_STREAM; the embedded stack makes no difference. */
  readonly style?: "one-to-many" | "one-to-one";
  /** Packets sent at once at most (RFC 9260 §6.1 D, Max.Burst). Default 4; 0 = no limit. */
  readonly maxBurst?: number;
  /** Errors in a row above which a path is potentially failed (RFC 7829, PFMR). Default 0. */
  readonly potentiallyFailedMaxRetransmissions?: number;
  /**
   * Errors in a row above which another path becomes the primary one for good (RFC 7829 §5, PSMR); not less than
   * `potentiallyFailedMaxRetransmissions`. Absent = never: data goes back when the primary path works again.
   */
  readonly primarySwitchoverMaxRetransmissions?: number;
  /** Whether `path` events tell of potentially failed paths. Default false, as kernel SCTP. */
  readonly exposePotentiallyFailed?: boolean;
  /** Whether `senderDry` is told. Default false: it comes with every message of a ping-pong. */
  readonly senderDryEvents?: boolean;
  /** Packetization layer path MTU discovery (RFC 8899): milliseconds between probes; 0 = off. Default 0 as kernel SCTP. */
  readonly plpmtudProbeIntervalMs?: number;
  /** Offers partial reliability (RFC 3758). Default true. */
  readonly partialReliability?: boolean;
  /** Offers and accepts stream reconfiguration (RFC 6525). Default true; kernel SCTP by itself: false. */
  readonly reconfiguration?: boolean;
  /** Offers user message interleaving (RFC 8260): I-DATA in the place of DATA. Default false. */
  readonly interleaving?: boolean;
  /** Offers authentication (RFC 4895). Default false. */
  readonly authentication?: boolean;
  /** Offers dynamic addresses (RFC 5061), which need authentication. Default false. */
  readonly dynamicAddresses?: boolean;
  /** Adaptation layer indication to announce (RFC 5061 §4.2.6); absent = none. */
  readonly adaptation?: number;
}

/** Retransmission time-outs in milliseconds (RFC 9260 §6.3.1). */
export interface RtoTimes {
  /** Before the first measurement. */
  readonly initialMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The time-outs of an endpoint.
 *
 * @param said what its options say, which holds
 * @param unsaid what else holds, unless it contradicts that
 */
export function rtoTimes(said: EndpointOptions["rto"], unsaid: RtoTimes): RtoTimes {
  const minMs = said?.minMs ?? Math.min(unsaid.minMs, said?.maxMs ?? Infinity);
  const maxMs = said?.maxMs ?? Math.max(unsaid.maxMs, minMs);
  return { initialMs: said?.initialMs ?? Math.min(Math.max(unsaid.initialMs, minMs), maxMs), minMs, maxMs };
}
