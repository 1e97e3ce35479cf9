import type { EndpointOptions, IpAddress } from "../net.ts";

/** Options of an endpoint with every default filled in. */
export interface EndpointSettings {
  readonly port: number;
  /** Empty = all addresses of this host. */
  readonly addresses: readonly IpAddress[];
  readonly listen: boolean;
  readonly outboundStreams: number;
  readonly maxInboundStreams: number;
  readonly rtoInitialMs: number;
  readonly rtoMinMs: number;
  readonly rtoMaxMs: number;
  readonly maxInitRetransmissions: number;
  readonly associationMaxRetransmissions: number;
  readonly pathMaxRetransmissions: number;
  readonly heartbeatIntervalMs: number;
  readonly sackDelayMs: number;
  readonly sackFrequency: number;
  readonly cookieLifeMs: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  readonly maxMessage: number;
  readonly autoCloseMs: number;
  readonly manualReceive: boolean;
}

const MEBIBYTE = 1 << 20;

/** Longest delay of a SACK (RFC 9260 §6.2: "MUST NOT be more than 500 ms"). */
const MAX_SACK_DELAY_MS = 500;

/** Smallest receive buffer: a_rwnd must not start below 1500 (RFC 9260 §3.3.2). */
const MIN_RECEIVE_BUFFER = 1500;

/** Fills in the defaults of RFC 9260 §16, and those that net.ts names. */
export function completeOptions(options: EndpointOptions & { readonly port: number }): EndpointSettings {
  return {
    port: options.port,
    addresses: options.addresses ?? [],
    listen: options.listen ?? false,
    outboundStreams: clamp(options.outboundStreams ?? 10, 1, 65_535),
    maxInboundStreams: clamp(options.maxInboundStreams ?? 65_535, 1, 65_535),
    rtoInitialMs: options.rto?.initialMs ?? 1000,
    rtoMinMs: options.rto?.minMs ?? 1000,
    rtoMaxMs: options.rto?.maxMs ?? 60_000,
    maxInitRetransmissions: options.maxInitRetransmissions ?? 8,
    associationMaxRetransmissions: options.associationMaxRetransmissions ?? 10,
    pathMaxRetransmissions: options.pathMaxRetransmissions ?? 5,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 30_000,
    sackDelayMs: clamp(options.sackDelayMs ?? 200, 0, MAX_SACK_DELAY_MS),
    sackFrequency: Math.max(1, options.sackFrequency ?? 2),
    cookieLifeMs: options.cookieLifeMs ?? 60_000,
    sendBuffer: Math.max(1, options.sendBuffer ?? MEBIBYTE),
    receiveBuffer: clamp(options.receiveBuffer ?? MEBIBYTE, MIN_RECEIVE_BUFFER, 0x7fff_ffff),
    maxMessage: Math.max(1, options.maxMessage ?? 16 * MEBIBYTE),
    autoCloseMs: options.autoCloseMs ?? 0,
    manualReceive: options.manualReceive ?? false,
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
