import type {
  AsapError,
  DeregistrationResponse,
  EndpointKeepAlive,
  RegistrationResponse,
} from "../asap/message.ts";
import { poolKey } from "../handlespace/pool_key.ts";
import { earliest } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { addressScope, scopeRank } from "../net.ts";
import type { AssociationId, Instant, IpAddress, NetworkEffect, NetworkInput } from "../net.ts";
import { describeError } from "../param/describe.ts";
import type { OperationError } from "../param/operation_error.ts";
import { fractionToWire } from "../param/policy.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { MAX_TRANSPORT_ADDRESSES } from "../param/transport.ts";
import type { HuntOptions } from "../user/hunt.ts";
import { RegistrarLink } from "../user/registrar_link.ts";
import type { LinkEvent } from "../user/registrar_link.ts";
import type { RequestOptions } from "../user/request_queue.ts";
import { MAX_POOL_MATES, PoolMates } from "./pool_mates.ts";
import type { ElementReport } from "./report.ts";

/**
 * The pool element's side of ASAP (RFC 5352 §3.1, §3.2, §3.4): finds a registrar, registers, registers again before
 * the registration's life ends, answers keep-alives, deregisters.
 *
 *     idle --start--> joining --response--> member --stop--> leaving --response, time-out, loss--> left
 *                        ^--- refused, registrar lost ---/   (or refused for good)
 */

/** The registration's life is this many re-registration intervals, so that two may be lost (RSPLIB does so too). */
const LIFE_INTERVALS = 3;

/** The longest life that is not "for ever": the field has 32 bits with a sign (RFC 5354 §3.10). */
const MAX_LIFE_MS = 0x7fff_ffff;

/** How long a refused element waits before it tries again at first; doubled each time up to the interval. */
const REFUSED_RETRY_MS = 1000;

/** A change of the load that is worth a registration of its own (reference/rsplib.md §1.4). */
const LOAD_STEP = 0.01;

/** What a pool element is. A registration is repeated for as long as it takes, whatever `maxTrials` says. */
export interface MembershipOptions extends RequestOptions {
  /** PE identifier: 32 bits, not 0. */
  readonly elementId: number;
  /** 1–32 octets. */
  readonly poolHandle: PoolHandle;
  /** How users are spread over the pool: the same for all its elements. */
  readonly policy: PolicyParameter;
  /** How often to register again, in milliseconds; the registration lives three times as long. Default 30000. */
  readonly reregistrationIntervalMs?: number | undefined;
  /**
   * Whether a refused registration is tried again (with back-off), beyond RFC 5352 §3.1, which wants the error corrected
   * first: what was wrong is often not the element's (a full registrar, a pool of old elements) and passes. `afterwards` =
   * only behind one that was accepted. Default true.
   */
  readonly retryRefused?: boolean | "afterwards" | undefined;
  /**
   * MAX-REG-ATTEMPT of RFC 5352 §3.1: so many registrations in a row that are refused or not answered end it. Default: no
   * limit, since a pool element has nothing better to do than to wait for a registrar.
   */
  readonly maxRegistrationAttempts?: number | undefined;
  /** Whether the element wants to know the others of its pool. Default false. */
  readonly knowsOthers?: boolean | undefined;
  /** How the registrar is found. */
  readonly hunt?: HuntOptions | undefined;
}

/** What a request to the registrar is about. */
type Purpose = "register" | "deregister" | "others";

/** What a membership asks for. */
export type MembershipEffect = NetworkEffect | { readonly type: "report"; readonly report: ElementReport };

/** Where a membership stands; see {@linkcode PoolMembership}. */
export type MembershipState = "idle" | "joining" | "member" | "leaving" | "left" | "refused";

/** Keeps one element a member of its pool. */
export class PoolMembership {
  readonly #options: MembershipOptions;
  readonly #intervalMs: number;
  readonly #outbox: { push(effect: MembershipEffect): void };
  readonly #link: RegistrarLink<Purpose>;
  readonly #mates: PoolMates;
  #policy: PolicyParameter;
  #port = 0;
  #addresses: readonly IpAddress[] = [];
  #state: MembershipState = "idle";
  /** A registration is under way. */
  #registering = false;
  /** When the next one is due. */
  #registerAt: Instant | undefined;
  /** Something changed since the registration under way was sent. */
  #outdated = false;
  /** A registrar has known us, so that there is something to end. */
  #wasMember = false;
  #refusals = 0;
  /** Registrations since the last one that was accepted. */
  #attempts = 0;
  #homeRegistrarId = 0;

  /**
   * Makes a membership that does nothing until `start`.
   *
   * @param endpoint name of the hunt endpoint
   * @param channel name of the channel of announces
   * @param outbox where effects go
   * @param random chooses among registrars
   */
  constructor(
    endpoint: string,
    channel: string,
    options: MembershipOptions,
    outbox: { push(effect: MembershipEffect): void },
    random: Prng,
  ) {
    this.#options = options;
    this.#intervalMs = options.reregistrationIntervalMs ?? 30_000;
    this.#policy = options.policy;
    this.#outbox = outbox;
    this.#mates = new PoolMates(options.elementId, (now) => this.#askForMates(now));
    const concerns = (message: EndpointKeepAlive) => this.#concerns(message);
    this.#link = new RegistrarLink(endpoint, channel, { ...options, concerns }, outbox, random);
  }

  /** Where the membership stands. `left` and `refused` are final. */
  get state(): MembershipState {
    return this.#state;
  }

  /**
   * Starts to become a member.
   *
   * @param port where users connect to
   * @param addresses of the same endpoint
   */
  start(port: number, addresses: readonly IpAddress[], now: Instant): void {
    this.#port = port;
    this.#addresses = addresses;
    this.#state = "joining";
    this.#link.start(now);
    this.#pump(now);
  }

  /**
   * Leaves the pool. The state is `left` at once, or when the registrar has answered or did not in time. RFC 5352 §3.2
   * would deregister with the next registrar then; but a registrar forgets an element with its association, and an
   * element that wants to end should not have to hunt for it.
   */
  stop(now: Instant): void {
    if (this.#state === "leaving" || this.#state === "left" || this.#state === "refused") return;
    this.#rest();
    const known = this.#state === "member" || this.#registering;
    if (!known || this.#link.registrar === undefined) return this.#leave(false);
    this.#state = "leaving";
    const { poolHandle, elementId } = this.#options;
    this.#link.request(
      { type: "deregistration", poolHandle, elementId },
      "deregistrationResponse",
      "deregister",
      now,
    );
    this.#pump(now);
  }

  /** The other elements of the pool, in the order in which its policy names them; another array when it is others. */
  get others(): readonly PoolElement[] {
    return this.#mates.elements;
  }

  /** The load of an adaptive policy, 0–1; undefined = the policy is not adaptive. */
  get load(): number | undefined {
    return "load" in this.#policy ? this.#policy.load / 0xffffffff : undefined;
  }

  /** Sets the load of an adaptive policy, 0–1. Without effect for the others. */
  setLoad(load: number, now: Instant): void {
    if (!("load" in this.#policy)) return;
    const wire = fractionToWire(Math.min(Math.max(load, 0), 1));
    if (Math.abs(wire - this.#policy.load) < LOAD_STEP * 0xffffffff) return;
    this.#policy = { ...this.#policy, load: wire };
    if (this.#registering) this.#outdated = true;
    else if (this.#state === "member") this.#register(now);
  }

  /**
   * Takes an input of the driver.
   *
   * @returns false when it is for somebody else
   */
  handle(input: NetworkInput, now: Instant): boolean {
    const taken = this.#link.handle(input, now);
    if (taken) this.#pump(now);
    return taken;
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    if (this.#registerAt !== undefined && this.#registerAt <= now) this.#register(now);
    this.#mates.tick(now);
    this.#link.tick(now);
    this.#pump(now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return earliest(this.#registerAt, this.#mates.nextTimeout(), this.#link.nextTimeout());
  }

  #pump(now: Instant): void {
    for (let events = this.#link.takeEvents(); events.length > 0; events = this.#link.takeEvents()) {
      for (const event of events) this.#linkEvent(event, now);
    }
  }

  #linkEvent(event: LinkEvent<Purpose>, now: Instant): void {
    switch (event.type) {
      case "connected":
        // A registrar that took over knows the element from its predecessor; another one has to be told. So has one
        // that took over what we had no answer about yet.
        this.#refusals = 0;
        if (!event.adopted || this.#state === "joining") this.#register(now);
        return;
      case "disconnected":
        this.#homeRegistrarId = 0;
        this.#refusals = 0; // the next registrar may think otherwise
        this.#registering = false;
        this.#link.cancel(() => true); // composed anew for the next registrar
        this.#rest();
        if (this.#state === "leaving") this.#leave(false);
        else if (this.#state === "member") this.#state = "joining";
        return;
      case "keepAlive":
        return this.#keepAlive(event.association, event.message);
      case "response":
        return this.#response(event, now);
      case "error":
        return this.#error(event.context, event.message, now);
      case "expired":
        return this.#expired(event.message, now);
      case "unanswered":
        if (event.context === "deregister") return this.#leave(false);
        if (event.context === "others") return;
        this.#registering = false;
        this.#registerAt = now + REFUSED_RETRY_MS;
        return;
    }
  }

  #register(now: Instant): void {
    this.#registerAt = undefined;
    if (this.#state !== "joining" && this.#state !== "member") return;
    if (this.#registering || this.#link.registrar === undefined) return;
    if (this.#attempts >= (this.#options.maxRegistrationAttempts ?? Infinity)) {
      return this.#notAccepted(0, `no registrar accepted it in ${this.#attempts} attempts`, undefined, now);
    }
    this.#attempts++;
    this.#registering = true;
    this.#outdated = false;
    const { poolHandle, elementId } = this.#options;
    const element = {
      elementId,
      homeRegistrarId: this.#homeRegistrarId,
      registrationLifeMs: Math.min(LIFE_INTERVALS * this.#intervalMs, MAX_LIFE_MS),
      userTransport: {
        protocol: "sctp",
        port: this.#port,
        use: "data+control",
        addresses: offeredAddresses(this.#addresses, this.#link.registrar.overLoopback),
      },
      policy: this.#policy,
    } as const;
    this.#link.request(
      { type: "registration", poolHandle, element },
      "registrationResponse",
      "register",
      now,
    );
  }

  #response({ message }: Extract<LinkEvent<Purpose>, { type: "response" }>, now: Instant): void {
    if (message.type === "registrationResponse") this.#registrationResponse(message, now);
    else if (message.type === "deregistrationResponse") this.#leave(message.error === undefined);
    else if (message.error === undefined) this.#mates.found(message.elements);
  }

  #registrationResponse(response: RegistrationResponse, now: Instant): void {
    this.#registering = false;
    if (!response.rejected) this.#wasMember = true; // even if it is about to leave
    if (this.#state !== "joining" && this.#state !== "member") return;
    // RFC 5352 §2.2.3 has the R bit; an error without it does not make a refusal.
    if (response.rejected) return this.#refused(response.error, now);
    const again = this.#state === "member";
    this.#state = "member";
    this.#refusals = 0;
    this.#attempts = 0;
    this.#registerAt = now + this.#intervalMs;
    const { poolHandle, elementId } = this.#options;
    const registrarId = this.#link.registrar?.registrarId ?? 0;
    this.#report({ type: "registered", poolHandle, elementId, registrarId, again });
    if (this.#outdated) this.#register(now);
    if (this.#options.knowsOthers === true) this.#mates.begin(now);
  }

  #askForMates(now: Instant): void {
    const { poolHandle } = this.#options;
    const message = { type: "handleResolution", poolHandle, items: 1 + MAX_POOL_MATES } as const;
    this.#link.request(message, "handleResolutionResponse", "others", now);
  }

  /** The registrar ended the registration; whoever wants to go on has to register again (RFC 5352 §3.1 R2.3). */
  #expired({ poolHandle, elementId }: DeregistrationResponse, now: Instant): void {
    if (elementId !== this.#options.elementId || poolKey(poolHandle) !== poolKey(this.#options.poolHandle)) {
      return;
    }
    this.#register(now);
  }

  #error(context: Purpose, message: AsapError, now: Instant): void {
    if (context === "deregister") return this.#leave(false);
    if (context === "others") return;
    this.#registering = false;
    if (this.#state === "joining" || this.#state === "member") this.#refused(message.error, now);
  }

  #refused(error: OperationError | undefined, now: Instant): void {
    const { retryRefused } = this.#options;
    const retry = retryRefused === "afterwards" ? this.#wasMember : retryRefused ?? true;
    const retryMs = retry ? Math.min(REFUSED_RETRY_MS * 2 ** this.#refusals++, this.#intervalMs) : undefined;
    const reason = error === undefined ? "no cause was given" : describeError(error);
    this.#notAccepted(error?.[0]?.code ?? 0, reason, retryMs, now);
  }

  /** @param retryMs when it is tried again; undefined = never */
  #notAccepted(causeCode: number, reason: string, retryMs: number | undefined, now: Instant): void {
    const { poolHandle, elementId } = this.#options;
    this.#report({ type: "registrationRefused", poolHandle, elementId, causeCode, reason, retryMs });
    this.#rest();
    this.#state = retryMs === undefined ? "refused" : "joining";
    if (retryMs === undefined) this.#link.stop();
    else this.#registerAt = now + retryMs;
  }

  /** Nothing is due until the registrar, or another one, accepts the element. */
  #rest(): void {
    this.#registerAt = undefined;
    this.#mates.end();
  }

  /** RFC 5352 §2.2.7 names no element: all elements of the pool are meant. RSPLIB adds the element's ID. */
  #concerns(message: EndpointKeepAlive): boolean {
    if (this.#state !== "joining" && this.#state !== "member") return false;
    const { poolHandle, elementId } = this.#options;
    return poolKey(message.poolHandle) === poolKey(poolHandle) &&
      (message.elementId ?? elementId) === elementId;
  }

  #keepAlive(association: AssociationId, message: EndpointKeepAlive): void {
    const { poolHandle, elementId } = this.#options;
    if (association === this.#link.registrar?.association) this.#homeRegistrarId = message.registrarId;
    this.#link.reply(association, { type: "endpointKeepAliveAck", poolHandle, elementId });
    this.#report({ type: "keepAlive", elementId, registrarId: message.registrarId, home: message.home });
  }

  #leave(confirmed: boolean): void {
    if (this.#state === "left") return;
    this.#state = "left";
    this.#rest();
    const { poolHandle, elementId } = this.#options;
    if (this.#wasMember) this.#report({ type: "deregistered", poolHandle, elementId, confirmed });
    this.#link.stop();
  }

  #report(report: ElementReport): void {
    this.#outbox.push({ type: "report", report });
  }
}

/**
 * The addresses to register. Loopback addresses mean something else on every host, and link-local ones on every
 * link: a registrar drops them (reference/rsplib.md §3.5). Loopback is offered only to a registrar on this host.
 */
function offeredAddresses(addresses: readonly IpAddress[], overLoopback: boolean): readonly IpAddress[] {
  const offered = addresses.filter((address) => {
    const scope = addressScope(address);
    return scope === "loopback" ? overLoopback : scopeRank(scope) >= scopeRank("site-local");
  });
  return (offered.length > 0 ? offered : addresses).slice(0, MAX_TRANSPORT_ADDRESSES);
}
