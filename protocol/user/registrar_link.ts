import { readAsap, writeAsap } from "../asap/mod.ts";
import type { AsapError, AsapMessage, DeregistrationResponse, EndpointKeepAlive } from "../asap/message.ts";
import { earliest } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { formatTransportAddress } from "../net.ts";
import type { AssociationId, Instant, IpAddress, NetworkInput, TransportAddress } from "../net.ts";
import { errorFor, unrecognizedParameters } from "../param/operation_error.ts";
import { DecodeError } from "../wire/mod.ts";
import { RegistrarHunt } from "./hunt.ts";
import type { CurrentRegistrar, HuntEffect, HuntOptions } from "./hunt.ts";
import { OncePerOffender } from "./once_per_offender.ts";
import type { RegistrarLinkReport } from "./report.ts";
import { RequestQueue } from "./request_queue.ts";
import type { RequestOptions, ResponseType } from "./request_queue.ts";

/**
 * Requests to whatever registrar there is, shared by pool elements and pool users.
 *
 * A request that meets no registrar waits for one. When a response is late the registrar is given up and the hunt starts
 * again; the requests under way are sent anew to the next registrar ({@linkcode RequestQueue}).
 */

/** What a link is made of. */
export interface LinkOptions extends RequestOptions {
  readonly hunt?: HuntOptions | undefined;
  /**
   * Whether a keep-alive is about an element of the owner. Only then it is told, and only then its sender may become
   * the registrar. Absent = the owner has no element.
   */
  readonly concerns?: ((message: EndpointKeepAlive) => boolean) | undefined;
}

/** What the link tells its owner. `Context` is what the owner gave along with the request. */
export type LinkEvent<Context> =
  | { readonly type: "connected"; readonly adopted: boolean }
  | { readonly type: "disconnected"; readonly reason: string }
  | {
    readonly type: "response";
    readonly context: Context;
    readonly message: Extract<AsapMessage, { type: ResponseType }>;
  }
  /** The registrar could not use the request (ASAP_ERROR, RFC 5352 §2.2.14). */
  | { readonly type: "error"; readonly context: Context; readonly message: AsapError }
  | { readonly type: "unanswered"; readonly context: Context; readonly reason: string }
  /** The registrar says unasked that a registration has ended (RFC 5352 §3.2). */
  | { readonly type: "expired"; readonly message: DeregistrationResponse }
  | { readonly type: "keepAlive"; readonly association: AssociationId; readonly message: EndpointKeepAlive };

/** A registrar, whichever it is, and the requests to it. */
export class RegistrarLink<Context> {
  readonly #endpoint: string;
  readonly #channel: string;
  readonly #outbox: { push(effect: HuntEffect): void };
  readonly #hunt: RegistrarHunt;
  readonly #concerns: (message: EndpointKeepAlive) => boolean;
  readonly #requests: RequestQueue<Context>;
  readonly #offenders = new OncePerOffender();
  #events: LinkEvent<Context>[] = [];

  /**
   * @param endpoint name of the hunt endpoint
   * @param channel name of the channel of announces
   * @param outbox where effects go
   * @param random chooses among registrars
   */
  constructor(
    endpoint: string,
    channel: string,
    options: LinkOptions,
    outbox: { push(effect: HuntEffect): void },
    random: Prng,
  ) {
    this.#endpoint = endpoint;
    this.#channel = channel;
    this.#outbox = outbox;
    this.#concerns = options.concerns ?? (() => false);
    this.#requests = new RequestQueue(options);
    this.#hunt = new RegistrarHunt(endpoint, options.hunt ?? {}, outbox, random);
  }

  /** The registrar in use; undefined while hunting. */
  get registrar(): CurrentRegistrar | undefined {
    return this.#hunt.current;
  }

  /** Starts hunting. */
  start(now: Instant): void {
    this.#hunt.start(now);
    this.#pump(now);
  }

  /** Leaves the registrar. Requests without an answer are forgotten. */
  stop(): void {
    this.#requests.resume();
    this.#requests.cancel(() => true);
    this.#hunt.stop();
  }

  /**
   * Takes an input of the driver.
   *
   * @returns false when it is for somebody else
   */
  handle(input: NetworkInput, now: Instant): boolean {
    if (input.type === "transport") {
      if (input.endpoint !== this.#endpoint) return false;
      this.#hunt.handle(input.event, now);
    } else {
      if (input.channel !== this.#channel) return false;
      this.#announce(input.source, input.data, now);
    }
    this.#pump(now);
    return true;
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    const lateAt = this.#requests.nextTimeout();
    if (lateAt !== undefined && lateAt <= now) this.#late(now);
    this.#hunt.tick(now);
    this.#pump(now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#requests.nextTimeout(), this.#hunt.nextTimeout());
  }

  /** Everything that happened since the last call, in order. */
  takeEvents(): LinkEvent<Context>[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Sends a request, now or when there is a registrar. Ends in exactly one `response`, `error` or `unanswered`. */
  request(message: AsapMessage, expect: ResponseType, context: Context, now: Instant): void {
    if (this.#requests.add(message, expect, context)) return this.#sendWaiting(now);
    this.#events.push({ type: "unanswered", context, reason: "too many requests wait for an answer" });
  }

  /**
   * Leaves the registrar for one that was not asked yet.
   *
   * @param asked keys of registrars that need not be asked
   * @returns false when no other one is known: the registrar stays
   */
  moveOn(asked: ReadonlySet<string>, reason: string, now: Instant): boolean {
    return this.#hunt.moveOn(asked, reason, now);
  }

  /** Takes back requests that still wait for a registrar. */
  cancel(which: (context: Context) => boolean): void {
    this.#requests.cancel(which);
  }

  /**
   * Sends a message that has no answer.
   *
   * @returns false when there is no registrar: the message is lost
   */
  tell(message: AsapMessage): boolean {
    const current = this.#hunt.current;
    if (current === undefined) return false;
    this.#hunt.send(current.association, writeAsap(message));
    return true;
  }

  /** Answers on the association that a message came by; while nothing is read there, only the newest answer waits. */
  reply(association: AssociationId, message: AsapMessage): void {
    this.#hunt.reply(association, writeAsap(message));
  }

  #announce(source: TransportAddress, data: Uint8Array, now: Instant): void {
    let message: AsapMessage;
    try {
      message = readAsap(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#malformed(formatTransportAddress(source), error);
    }
    if (message.type !== "serverAnnounce") return;
    const { registrarId, transports } = message;
    if (transports === undefined) {
      // No address in it: the datagram's source is the registrar's SCTP address (reference/rsplib.md §0.2). RFC 5352
      // §3.6 has the well-known port, but RSPLIB's registrars choose theirs.
      return this.#hunt.announce([source.address], source.port, registrarId, now);
    }
    for (const { protocol, addresses, port } of transports) {
      if (protocol !== "sctp") continue; // we speak nothing else to registrars
      this.#hunt.announce(preferred(addresses, source.address), port, registrarId, now);
    }
  }

  #pump(now: Instant): void {
    for (let events = this.#hunt.takeEvents(); events.length > 0; events = this.#hunt.takeEvents()) {
      for (const event of events) {
        switch (event.type) {
          case "connected":
            this.#requests.resume();
            this.#events.push(event);
            this.#sendWaiting(now);
            break;
          case "disconnected":
            this.#requests.resume();
            this.#events.push(event);
            break;
          case "blocked":
          case "writable":
            this.#requests.setBlocked(event.type === "blocked", now);
            break;
          case "message":
            this.#message(event.association, event.data, now);
            break;
        }
      }
    }
  }

  #sendWaiting(now: Instant): void {
    const current = this.#hunt.current;
    if (current === undefined) return;
    this.#requests.send((octets) => this.#hunt.send(current.association, octets), now);
  }

  #message(association: AssociationId, data: Uint8Array, now: Instant): void {
    const unrecognized: Uint8Array[] = [];
    let message: AsapMessage;
    try {
      message = readAsap(data, unrecognized);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#unreadable(association, error, now);
    }
    this.#dispatch(association, message, now);
    const error = unrecognizedParameters(unrecognized);
    if (error !== undefined && this.#isRegistrar(association)) {
      this.reply(association, { type: "error", error });
    }
  }

  #dispatch(association: AssociationId, message: AsapMessage, now: Instant): void {
    const fromRegistrar = this.#isRegistrar(association);
    switch (message.type) {
      case "endpointKeepAlive":
        return this.#keepAlive(association, message);
      case "registrationResponse":
      case "deregistrationResponse":
      case "handleResolutionResponse":
        if (fromRegistrar) this.#response(message, now);
        return;
      case "error":
        if (fromRegistrar) this.#error(message, now);
        return;
      default: // nothing that a registrar says to us on an association
        return;
    }
  }

  /**
   * A registrar may know more than we do: a message or parameter that is only unknown is discarded, and reported if it
   * wants to be (RFC 5352 §2.2.14). One that talks nonsense is left, as RSPLIB does it (reference/rsplib.md §3.11).
   */
  #unreadable(association: AssociationId, error: DecodeError, now: Instant): void {
    const fromRegistrar = this.#isRegistrar(association);
    const source = fromRegistrar ? "the registrar" : "a stranger";
    this.#malformed(`${source}, association ${association}`, error);
    if (!fromRegistrar) return this.#hunt.dismiss(association, "no valid ASAP message");
    if (error.reason !== "unknown-type" && error.reason !== "unknown-parameter") {
      return this.#hunt.fail("it sent a message that cannot be read", now);
    }
    const answer = errorFor(error);
    if (answer !== "silent") this.reply(association, { type: "error", error: answer });
  }

  #isRegistrar(association: AssociationId): boolean {
    return association === this.#hunt.current?.association;
  }

  #keepAlive(association: AssociationId, message: EndpointKeepAlive): void {
    if (!this.#concerns(message)) return;
    // With the H bit the sender is the home registrar from now on (RFC 5352 §3.4).
    if (message.home) this.#hunt.adopt(association, message.registrarId);
    if (association === this.#hunt.current?.association) this.#hunt.identify(message.registrarId);
    this.#events.push({ type: "keepAlive", association, message });
  }

  #response(message: Extract<AsapMessage, { type: ResponseType }>, now: Instant): void {
    const request = this.#requests.first;
    if (message.type === "deregistrationResponse" && request?.expect !== message.type) {
      this.#events.push({ type: "expired", message }); // it may cross a request
      return;
    }
    if (request === undefined) return; // answers nothing that we asked: harmless
    if (request.expect !== message.type) {
      return this.#hunt.fail("it answered something else than was asked", now);
    }
    this.#requests.answered(now);
    this.#hunt.succeeded();
    this.#events.push({ type: "response", context: request.context, message });
  }

  #error(message: AsapError, now: Instant): void {
    const request = this.#requests.first;
    if (request === undefined) return;
    this.#requests.answered(now);
    this.#events.push({ type: "error", context: request.context, message });
  }

  #late(now: Instant): void {
    const request = this.#requests.late();
    if (request !== undefined) {
      const reason = `no answer in ${request.trials} trials`;
      this.#events.push({ type: "unanswered", context: request.context, reason });
    }
    this.#hunt.fail("it does not answer", now);
  }

  #malformed(source: string, error: DecodeError): void {
    if (this.#offenders.isFirst(source)) this.#report({ type: "malformed", source, reason: error.message });
  }

  #report(report: RegistrarLinkReport): void {
    this.#outbox.push({ type: "report", report });
  }
}

/** The address that something came from goes first, if it is among them: it is known to work. */
function preferred(addresses: readonly IpAddress[], first: IpAddress): readonly IpAddress[] {
  return addresses.includes(first) ? [first, ...addresses.filter((address) => address !== first)] : addresses;
}
