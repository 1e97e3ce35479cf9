import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  Instant,
  IpAddress,
  PacketError,
  PacketMeta,
  PacketTransmit,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import type { Prng } from "../machine.ts";
import type { Endpoint } from "./endpoint.ts";
import type { StackCounters, StackEnvironment } from "./environment.ts";
import type { LentOctets } from "./lent_octets.ts";
import type { EndpointSettings } from "./options.ts";
import type { Target } from "./path.ts";

/**
 * Something with a verification tag: an association, or the attempt to set one up. It does nothing but when the stack
 * calls it, and asks for that by `Host.wake` (it has packets to send) and `Host.schedule` (it has a timer).
 */
export interface Party {
  readonly id: AssociationId;
  readonly endpoint: Endpoint;
  /** Its own: those of the endpoint when it began, and what was changed for it since. */
  readonly settings: EndpointSettings;
  readonly localTag: number;
  readonly peerPort: number;
  /** The peer's verification tag; 0 = not known yet. */
  readonly peerTag: number;
  /** Until when a cookie that names `localTag` is good; -Infinity = none was given out. */
  cookieEndsAt: Instant;
  /** Addresses that this party is found by. */
  readonly peerAddresses: readonly IpAddress[];
  /** Whether it stands in the stack's list of those that have something to send; the stack's own. */
  queuedToSend: boolean;
  /** When the stack will call `tick`; the stack's own. */
  scheduledAt: Instant;

  /** Takes a packet whose checksum and verification tag are right. */
  receive(packet: Uint8Array, meta: PacketMeta, now: Instant): void;
  /** Takes an ICMP message about a packet to one of its addresses. */
  receiveError(error: PacketError, now: Instant): void;
  execute(command: TransportCommand, now: Instant): void;
  /** Runs the timers that are due and gives the instant of the next one. */
  tick(now: Instant): Instant;
  /** Builds the next packet; false = nothing to send. */
  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, now: Instant): boolean;
  status(): AssociationStatus;
  statistics(): AssociationStatistics;
  checkInvariants(): void;
}

/** What a party asks of the stack. */
export interface Host {
  readonly environment: StackEnvironment;
  readonly counters: StackCounters;
  /** Copies of what users have lent. */
  readonly lentOctets: LentOctets;
  /** For jitter; nothing secret. */
  readonly prng: Prng;
  /** A number that nobody can guess, not 0: a tag. */
  randomTag(): number;
  /** A new association ID. */
  newId(): AssociationId;
  /** The party has something to send. */
  wake(party: Party): void;
  /** The party has a timer; only an instant before `party.scheduledAt` makes a difference. */
  schedule(party: Party, dueAt: Instant): void;
  emit(endpoint: Endpoint, event: TransportEvent): void;
  /** Puts a new party in the place of an old one, or of none. */
  replace(old: Party | undefined, next: Party): void;
  /** The party has ended: it is forgotten. */
  remove(party: Party): void;
  /** Whether the user has closed the handle that the party belongs to. */
  isClosing(party: Party): boolean;
  /** Queues a packet of its own. */
  reply(
    endpoint: Endpoint,
    target: Target,
    peerPort: number,
    tag: number,
    chunks: readonly Uint8Array[],
  ): void;
}
