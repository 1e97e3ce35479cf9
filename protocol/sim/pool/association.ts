import type { Prng } from "../../machine.ts";
import { keptCommand } from "../../net.ts";
import type {
  AssociationDown,
  AssociationId,
  DownReason,
  ErrorCause,
  Instant,
  SendCommand,
  TransportEvent,
} from "../../net.ts";
import type { EventQueue } from "../event_queue.ts";
import type { OpenPort, SimulatedComputer } from "./host.ts";
import type { Ways } from "./ways.ts";

/**
 * Associations as their users see them: whole messages, in order, none lost as long as the association lives.
 *
 * What SCTP does below shows in four ways. A lost packet costs a retransmission time-out. A way that is cut, in either
 * direction, holds messages up, and when that lasts {@linkcode GIVE_UP_MS} the side that waits for acknowledgements
 * gives the association up. A side whose other side has forgotten the association learns it from the ABORT that its next
 * packet meets, a heartbeat at the latest. And what is not taken by the other program stays in the send buffer, until it
 * is `blocked`.
 */

/** How long data may go unacknowledged; RSPLIB's endpoints and ours give up after some ten seconds. */
export const GIVE_UP_MS = 10_000;

/** How often something that is held up is tried again. */
const RETRY_MS = 500;

/** Between heartbeats on an idle association. */
export const HEARTBEAT_MS = 15_000;

/** Octets on the way before a side is `blocked`: as the real endpoints have it. */
export const SEND_BUFFER: number = 1 << 20;

/** What travels from one side to the other, in order. */
type Item =
  | { readonly type: "message"; readonly command: SendCommand }
  | { readonly type: "shutdown" };

/** What sides need of the network around them. */
export interface SideContext {
  readonly events: EventQueue;
  readonly random: Prng;
  readonly ways: Ways;
  /** Gives a program an event of one of its endpoints. */
  tell(side: MessageSide, event: TransportEvent, onTaken?: () => void): void;
}

/** One side of an association. */
export class MessageSide {
  readonly association: AssociationId;
  readonly port: OpenPort;
  /** Where the other side is. */
  readonly remoteHost: SimulatedComputer;
  readonly remotePlace: number;
  readonly request: number | undefined;
  state: "connecting" | "up" | "closing" | "gone" = "connecting";
  /** The other side; it may be gone. */
  partner: MessageSide | undefined = undefined;
  /** Nothing arrives before this instant, so that nothing overtakes anything. */
  lastArrivalAt: Instant = 0;
  readonly #context: SideContext;
  #queuedOctets = 0;
  #blocked = false;
  /** What a cut holds up, in order. */
  #held: Item[] = [];
  /** Since when something is not acknowledged; undefined = all is well. */
  #waitingSince: Instant | undefined;

  constructor(
    context: SideContext,
    association: AssociationId,
    port: OpenPort,
    remoteHost: SimulatedComputer,
    remotePlace: number,
    request: number | undefined,
  ) {
    this.#context = context;
    this.association = association;
    this.port = port;
    this.remoteHost = remoteHost;
    this.remotePlace = remotePlace;
    this.request = request;
  }

  /** The computer of this side. */
  get host(): SimulatedComputer {
    return this.port.program.host;
  }

  /** Octets that the other program has not taken yet. */
  get queuedOctets(): number {
    return this.#queuedOctets;
  }

  /** Whether it can still hear something. */
  get alive(): boolean {
    return this.state === "up" || this.state === "closing";
  }

  /** Whether both directions are open. */
  get isOpen(): boolean {
    const { ways } = this.#context;
    return ways.isOpen(this.host, this.remoteHost) && ways.isOpen(this.remoteHost, this.host);
  }

  /** Sends a message. */
  send(command: SendCommand): void {
    if (this.state !== "up") return;
    const kept = keptCommand(command);
    this.#queuedOctets += kept.data.length;
    if (!this.#blocked && this.#queuedOctets > SEND_BUFFER) {
      this.#blocked = true;
      this.#context.tell(this, { type: "blocked", association: this.association });
    }
    this.#dispatch({ type: "message", command: kept });
  }

  /** This side's machine has consumed octets that the other side sent. */
  consumed(octets: number): void {
    const { partner, port } = this;
    if (port.manualReceive && partner !== undefined && this.#partnerKnowsUs()) partner.#taken(octets);
  }

  /** Begins to end in order. */
  shutdown(): void {
    if (this.state !== "up") return;
    this.state = "closing";
    this.#dispatch({ type: "shutdown" });
  }

  /** Ends at once, and tells the other side if there is a way to it. */
  abort(cause: ErrorCause): void {
    if (!this.alive) return;
    this.end("aborted", "local", undefined);
    this.#abortPartner(cause);
  }

  /** This side's program is gone: what a kernel does for it. */
  programEnded(): void {
    this.state = "gone";
    this.forget();
    this.#abortPartner({ code: 12, info: new Uint8Array(0) });
  }

  /** This side's computer lost its power. */
  powerLost(): void {
    this.state = "gone";
    this.forget();
    this.partner?.supervise();
  }

  /** It is established. */
  establish(partner: MessageSide): void {
    this.state = "up";
    this.partner = partner;
  }

  /** The other side began anew (RFC 9260 §5.2.4.1). */
  restart(partner: MessageSide): void {
    this.partner = partner;
    this.state = "up";
    this.#held = [];
    this.#waitingSince = undefined;
    this.#queuedOctets = 0;
    this.#context.tell(this, { type: "restarted", association: this.association });
    this.#unblock();
  }

  /** Ends, and tells its program. */
  end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    if (this.state === "gone") return;
    this.state = "gone";
    this.forget();
    this.#context.tell(this, this.#down(reason, origin, cause));
    this.partner?.supervise();
  }

  /** Its place is free for another association. */
  forget(): void {
    const { port, remotePlace, association } = this;
    if (port.sides.get(remotePlace) === this) port.sides.delete(remotePlace);
    port.program.sides.delete(association);
    this.#held = [];
  }

  /** Something changed on the way, or at the other end: a heartbeat will find out. */
  supervise(): void {
    if (!this.alive) return;
    const { events, random } = this.#context;
    events.schedule(events.now + HEARTBEAT_MS * random.uniform(), () => {
      if (this.alive && (!this.isOpen || !this.#partnerKnowsUs())) this.#unacknowledged();
    });
  }

  #partnerKnowsUs(): boolean {
    return this.partner !== undefined && this.partner.alive && this.partner.partner === this;
  }

  #dispatch(item: Item): void {
    const { events, ways, random } = this.#context;
    if (this.#held.length > 0) {
      this.#held.push(item);
      return;
    }
    const transitMs = ways.transitMs(this.host, this.remoteHost, random);
    this.lastArrivalAt = Math.max(this.lastArrivalAt, events.now + transitMs);
    events.schedule(this.lastArrivalAt, () => this.#arrive(item));
  }

  #arrive(item: Item): void {
    if (!this.alive) return;
    const { ways } = this.#context;
    if (this.#held.length > 0 || !ways.isOpen(this.host, this.remoteHost)) {
      this.#held.push(item);
      return this.#unacknowledged();
    }
    this.#handOver(item);
    if (!ways.isOpen(this.remoteHost, this.host)) this.#unacknowledged();
  }

  #handOver(item: Item): void {
    const { partner } = this;
    if (partner === undefined || !this.#partnerKnowsUs()) return this.#unacknowledged();
    if (item.type === "shutdown") return this.#closePartner(partner);
    const { data, ppid, stream, unordered } = item.command;
    const message = {
      type: "message",
      association: partner.association,
      stream: stream ?? 0,
      ssn: 0,
      tsn: 0,
      ppid,
      unordered: unordered ?? false,
      data,
    } as const;
    const onTaken = partner.port.manualReceive ? undefined : () => this.#taken(data.length);
    this.#context.tell(partner, message, onTaken);
  }

  #taken(octets: number): void {
    this.#queuedOctets = Math.max(this.#queuedOctets - octets, 0);
    if (this.#queuedOctets < SEND_BUFFER / 2) this.#unblock();
  }

  #unblock(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    if (this.alive) this.#context.tell(this, { type: "writable", association: this.association });
  }

  #closePartner(partner: MessageSide): void {
    const { events, ways, random } = this.#context;
    if (partner.state === "up") {
      partner.state = "closing";
      this.#context.tell(partner, { type: "peerShutdown", association: partner.association });
    }
    // What the partner has sent arrives before the end.
    const answeredAt = events.now + ways.transitMs(this.remoteHost, this.host, random);
    events.schedule(Math.max(answeredAt, partner.lastArrivalAt), () => {
      if (!this.alive || !partner.alive) return;
      if (!this.isOpen) return this.#unacknowledged();
      this.end("shutdown", "local", undefined);
      partner.end("shutdown", "peer", undefined);
    });
  }

  /** Something waits for an acknowledgement that cannot come now. */
  #unacknowledged(): void {
    if (this.#waitingSince !== undefined || !this.alive) return;
    this.#waitingSince = this.#context.events.now;
    this.#retryLater();
  }

  #retryLater(): void {
    const { events } = this.#context;
    events.schedule(events.now + RETRY_MS, () => this.#retry());
  }

  #retry(): void {
    if (!this.alive || this.#waitingSince === undefined) return;
    const { events, ways } = this.#context;
    const gets = ways.isOpen(this.host, this.remoteHost);
    if (gets && this.#partnerKnowsUs()) {
      const held = this.#held;
      this.#held = [];
      for (const item of held) this.#handOver(item);
    }
    if (gets && ways.isOpen(this.remoteHost, this.host)) {
      this.#waitingSince = undefined;
      // Nobody knows the association there: the ABORT of RFC 9260 §8.4.
      if (!this.#partnerKnowsUs()) this.end("aborted", "peer", undefined);
    } else if (events.now - this.#waitingSince > GIVE_UP_MS) {
      this.end("timeout", "local", undefined);
      this.#abortPartner({ code: 12, info: new Uint8Array(0) });
    } else {
      this.#retryLater();
    }
  }

  #abortPartner(cause: ErrorCause): void {
    const { partner } = this;
    if (partner === undefined || !partner.alive || partner.partner !== this) return;
    const { events, ways, random } = this.#context;
    if (!ways.isOpen(this.host, this.remoteHost)) return partner.supervise();
    events.schedule(events.now + ways.transitMs(this.host, this.remoteHost, random), () => {
      if (partner.partner === this) partner.end("aborted", "peer", cause);
    });
  }

  #down(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): AssociationDown {
    const { association, request } = this;
    return { type: "down", association, request, reason, origin, cause };
  }
}
