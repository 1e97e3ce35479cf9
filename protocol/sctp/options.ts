import { rtoTimes } from "../net.ts";
import type { EndpointOptions, IpAddress, PartialReliability, RtoTimes } from "../net.ts";
import { StateError } from "../wire/errors.ts";
import type { SchedulerName } from "./stream_scheduler.ts";

/**
 * What is set for a path. An association's settings stand for all of its paths, until a socket option sets something for
 * one of them, which has its own from then on.
 */
export interface PathSettings {
  /** Whether idle paths get HEARTBEATs. */
  heartbeats: boolean;
  /** 0 = none. */
  heartbeatIntervalMs: number;
  pathMaxRetransmissions: number;
  potentiallyFailedMaxRetransmissions: number;
  /** Errors above which another path becomes the primary one (RFC 7829 §5, PSMR); Infinity = never. */
  primarySwitchoverMaxRetransmissions: number;
  plpmtudProbeIntervalMs: number;
  /** Whether the path MTU follows routes, ICMP and probes. */
  mtuDiscovery: boolean;
}

/** What a peer may ask for (RFC 6525 §6.3.1). */
export interface ReconfigurationPermissions {
  /** Outgoing and incoming streams reset. */
  readonly streams: boolean;
  /** All TSNs and SSNs reset. */
  readonly association: boolean;
  /** More streams. */
  readonly change: boolean;
}

/**
 * Options of an endpoint with every default filled in. Socket options change them; an association starts with a copy of
 * its endpoint's.
 */
export interface EndpointSettings extends PathSettings {
  readonly port: number;
  /** Empty = all addresses of this host. */
  addresses: readonly IpAddress[];
  readonly listen: boolean;
  outboundStreams: number;
  maxInboundStreams: number;
  rtoInitialMs: number;
  rtoMinMs: number;
  rtoMaxMs: number;
  maxInitRetransmissions: number;
  /** The time-out of an INIT is not doubled beyond this. */
  maxInitTimeoutMs: number;
  associationMaxRetransmissions: number;
  /** 0 = every packet with DATA is acknowledged at once. */
  sackDelayMs: number;
  sackFrequency: number;
  cookieLifeMs: number;
  sendBuffer: number;
  /** Undefined = what is queued may take however long. */
  readonly sendBufferMs: number | undefined;
  receiveBuffer: number;
  maxMessage: number;
  autoCloseMs: number;
  manualReceive: boolean;
  borrowedMessages: boolean;
  maxBurst: number;
  exposePotentiallyFailed: boolean;
  senderDryEvents: boolean;
  partialReliability: boolean;
  reconfiguration: boolean;
  interleaving: boolean;
  authentication: boolean;
  dynamicAddresses: boolean;
  /** Peers are told when an address of this host comes or goes; for endpoints that are bound to all of them. */
  autoAsconf: boolean;
  adaptation: number | undefined;
  /** Small messages do not wait until those before them are acknowledged (RFC 9260 §6.1: Nagle's algorithm). */
  noDelay: boolean;
  /** Messages that do not fit into a packet are refused. */
  disableFragments: boolean;
  /** Octets of user data in a DATA chunk at most; 0 = as many as the path MTU allows. */
  maxSegment: number;
  /** The peer's UDP port where a connect does not name it; undefined = it is found out. */
  remoteEncapsulationPort: number | undefined;
  /** When messages are given up that do not say so themselves. */
  defaultReliability: PartialReliability | undefined;
  streamReset: ReconfigurationPermissions;
  /** In which order streams have their turn (RFC 8260 §3). */
  scheduler: SchedulerName;
}

const MEBIBYTE = 1 << 20;

/** Retransmission time-outs where nothing else is said (RFC 9260 §16). */
const DEFAULT_RTO: RtoTimes = { initialMs: 1000, minMs: 1000, maxMs: 60_000 };

/** Longest delay of a SACK (RFC 9260 §6.2: "MUST NOT be more than 500 ms"). */
export const MAX_SACK_DELAY_MS = 500;

/** Delay of a SACK where nothing else is said (RFC 9260 §6.2). */
export const DEFAULT_SACK_DELAY_MS = 200;

/** Smallest receive buffer: a_rwnd must not start below 1500 (RFC 9260 §3.3.2). */
export const MIN_RECEIVE_BUFFER = 1500;

/** Fills in the defaults of RFC 9260 §16, and those that net.ts names. */
export function completeOptions(options: EndpointOptions & { readonly port: number }): EndpointSettings {
  const { initialMs, minMs, maxMs } = rtoTimes(options.rto, DEFAULT_RTO);
  return {
    port: options.port,
    addresses: options.addresses ?? [],
    listen: options.listen ?? false,
    outboundStreams: clamp(options.outboundStreams ?? 10, 1, 65_535),
    maxInboundStreams: clamp(options.maxInboundStreams ?? 65_535, 1, 65_535),
    rtoInitialMs: initialMs,
    rtoMinMs: minMs,
    rtoMaxMs: maxMs,
    maxInitRetransmissions: options.maxInitRetransmissions ?? 8,
    maxInitTimeoutMs: maxMs,
    associationMaxRetransmissions: options.associationMaxRetransmissions ?? 10,
    pathMaxRetransmissions: options.pathMaxRetransmissions ?? 5,
    heartbeats: true,
    heartbeatIntervalMs: options.heartbeatIntervalMs ?? 30_000,
    sackDelayMs: clamp(options.sackDelayMs ?? DEFAULT_SACK_DELAY_MS, 0, MAX_SACK_DELAY_MS),
    sackFrequency: Math.max(1, options.sackFrequency ?? 2),
    cookieLifeMs: options.cookieLifeMs ?? 60_000,
    sendBuffer: Math.max(1, options.sendBuffer ?? MEBIBYTE),
    sendBufferMs: options.sendBufferMs,
    receiveBuffer: clamp(options.receiveBuffer ?? MEBIBYTE, MIN_RECEIVE_BUFFER, 0x7fff_ffff),
    maxMessage: Math.max(1, options.maxMessage ?? 16 * MEBIBYTE),
    autoCloseMs: options.autoCloseMs ?? 0,
    manualReceive: options.manualReceive ?? false,
    borrowedMessages: options.borrowedMessages ?? false,
    maxBurst: options.maxBurst ?? 4,
    potentiallyFailedMaxRetransmissions: options.potentiallyFailedMaxRetransmissions ?? 0,
    primarySwitchoverMaxRetransmissions: switchover(options),
    exposePotentiallyFailed: options.exposePotentiallyFailed ?? false,
    senderDryEvents: options.senderDryEvents ?? false,
    plpmtudProbeIntervalMs: options.plpmtudProbeIntervalMs ?? 0,
    mtuDiscovery: true,
    partialReliability: options.partialReliability ?? true,
    reconfiguration: options.reconfiguration ?? true,
    interleaving: options.interleaving ?? false,
    authentication: options.authentication ?? false,
    dynamicAddresses: options.dynamicAddresses ?? false,
    autoAsconf: true,
    adaptation: options.adaptation,
    noDelay: true,
    disableFragments: false,
    maxSegment: 0,
    remoteEncapsulationPort: undefined,
    defaultReliability: undefined,
    scheduler: "fcfs",
    streamReset: { streams: true, association: true, change: true },
  };
}

/** RFC 7829 §5, 1: any value below PFMR is to be rejected. */
function switchover(options: EndpointOptions): number {
  const errors = options.primarySwitchoverMaxRetransmissions ?? Infinity;
  const least = options.potentiallyFailedMaxRetransmissions ?? 0;
  if (errors >= least) return errors;
  throw new StateError(`Cannot switch the primary path after ${errors} errors: it fails after ${least}`);
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
