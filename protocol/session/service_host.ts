import { PoolMembership } from "../element/membership.ts";
import { earliest, Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import type { EndpointOpened, Instant, NetworkInput } from "../net.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { HuntOptions } from "../user/hunt.ts";
import type { RequestOptions } from "../user/request_queue.ts";
import { assert } from "../wire/mod.ts";
import { HostSessions } from "./host_sessions.ts";
import type { ServiceHostEffect, ServiceHostInput, SessionAssociation, SessionId } from "./types.ts";

/** How long sessions may take to end in order when the host stops; then they are aborted. */
const STOP_LINGER_MS = 2000;

/** What a service host is. */
export interface ServiceHostOptions extends RequestOptions {
  /** PE identifier: 32 bits, random, not 0. */
  readonly elementId: number;
  /** 1–32 octets. */
  readonly poolHandle: PoolHandle;
  /** How users are spread over the pool: the same for all its elements. */
  readonly policy: PolicyParameter;
  /** Seeds the choices of the registrar hunt. */
  readonly seed: number;
  /** The registration lives three times as long. Default 30000. */
  readonly reregistrationIntervalMs?: number | undefined;
  /** Sessions at the same time; further ones are aborted at once with a reason in words. Default: no limit. */
  readonly maxSessions?: number | undefined;
  /**
   * Whether a refused registration is tried again (with back-off); otherwise the host stops. `afterwards` = only behind one
   * that was accepted. Default true.
   */
  readonly retryRefused?: boolean | "afterwards" | undefined;
  /** MAX-REG-ATTEMPT of RFC 5352 §3.1; then the host stops. Default: no limit. */
  readonly maxRegistrationAttempts?: number | undefined;
  /** Whether the endpoint `data` has this option, so that received octets are to be given back. Default false. */
  readonly manualReceive?: boolean | undefined;
  /**
   * Whether users are told by business cards which elements may take this one's place (RFC 5352 §3.9), so that they fail
   * over without asking a registrar. Default false: RSPLIB's pool users cannot read one (reference/rsplib.md §3.3).
   */
  readonly businessCards?: boolean | undefined;
  /** How the registrar is found. */
  readonly hunt?: HuntOptions | undefined;
}

/**
 * A pool element with its sessions: the membership in the pool on the endpoint `hunt`, the sessions on the listening
 * endpoint `data`, announces on the channel `asap-announce`.
 *
 * Theory of operation: the host is in service while its element is in the pool, or tries to be; sessions
 * (`host_sessions.ts`) come and go meanwhile. When it stops, the element leaves the pool first, so that nobody new comes, and
 * those that are here may finish what is under way.
 *
 *     new --start--> running --stop--> deregistering --deregistered--> closing --no session--> stopped
 *                        \-----------refusal for good-----------------/
 *
 * @example A pool element finds its registrar and registers
 * ```ts
 * import { encodeText, readAsap, ServiceHost } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const host = new ServiceHost({
 *   elementId: 0x11223344,
 *   poolHandle: encodeText("EchoPool"),
 *   policy: { name: "RoundRobin", type: 1 },
 *   seed: 1,
 *   hunt: { registrars: [[{ address: "10.1.0.1", port: 3863 }]] },
 * });
 * host.handle({ type: "endpointOpened", endpoint: "hunt", port: 40001, addresses: ["10.1.0.2"] }, 0);
 * host.handle({ type: "endpointOpened", endpoint: "data", port: 40002, addresses: ["10.1.0.2"] }, 0);
 * host.handle({ type: "start" }, 0);
 * const commands = () => host.drain().flatMap((effect) => effect.type === "transport" ? [effect.command] : []);
 * const [connect] = commands();
 * assert.ok(connect?.type === "connect");
 *
 * // The driver connects, and says so.
 * const event = {
 *   type: "up",
 *   association: 7,
 *   request: connect.request,
 *   peerAddresses: ["10.1.0.1"],
 *   peerPort: 3863,
 *   outboundStreams: 10,
 *   inboundStreams: 10,
 * } as const;
 * host.handle({ type: "transport", endpoint: "hunt", event }, 3);
 * const [send] = commands();
 * assert.ok(send?.type === "send");
 * assert.equal(readAsap(send.data).type, "registration");
 * ```
 */
export class ServiceHost implements Machine<ServiceHostInput, ServiceHostEffect> {
  /** The pool that the element is in. */
  readonly poolHandle: PoolHandle;
  readonly #outbox = new Outbox<ServiceHostEffect>();
  readonly #timers = new TimerQueue<"linger">();
  readonly #membership: PoolMembership;
  readonly #sessions: HostSessions;
  #data: EndpointOpened | undefined;
  #state: "new" | "running" | "deregistering" | "closing" | "stopped" = "new";

  /**
   * Makes a host that does nothing until `start`.
   *
   * @param options what the host is
   */
  constructor(options: ServiceHostOptions) {
    this.poolHandle = options.poolHandle;
    this.#sessions = new HostSessions(options, this.#outbox);
    this.#membership = new PoolMembership(
      "hunt",
      "asap-announce",
      { ...options, knowsOthers: options.businessCards },
      this.#outbox,
      new Prng(options.seed),
    );
  }

  /** How many sessions are up. */
  get sessionCount(): number {
    return this.#sessions.count;
  }

  /** What carries a session; undefined = it has ended. */
  associationOf(session: SessionId): SessionAssociation | undefined {
    return this.#sessions.associationOf(session);
  }

  /** The load that pool users are told of, 0–1; undefined = the pool's policy does not look at it. */
  get load(): number | undefined {
    return this.#membership.load;
  }

  handle(input: ServiceHostInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        if (input.endpoint === "data") this.#data = input;
        break;
      case "start":
        this.#start(now);
        break;
      case "stop":
        this.#stop(now);
        break;
      case "transport":
      case "datagram":
        this.#network(input, now);
        break;
      case "setLoad":
        this.#membership.setLoad(input.load, now);
        break;
      default:
        this.#sessions.command(input);
        break;
    }
    this.#proceed(now);
  }

  tick(now: Instant): void {
    while (this.#timers.takeDue(now) !== undefined) this.#sessions.endAll("abort", "the server stops");
    this.#membership.tick(now);
    this.#proceed(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#membership.nextTimeout());
  }

  drain(): ServiceHostEffect[] {
    return this.#outbox.drain();
  }

  #start(now: Instant): void {
    if (this.#state !== "new") return;
    assert(this.#data !== undefined, 'a service host gets "endpointOpened" of "data" before "start"');
    this.#state = "running";
    this.#membership.start(this.#data.port, this.#data.addresses, now);
  }

  #stop(now: Instant): void {
    if (this.#state !== "new" && this.#state !== "running") return;
    this.#state = "deregistering";
    this.#membership.stop(now);
  }

  /** Goes from state to state as far as things stand. */
  #proceed(now: Instant): void {
    this.#sessions.name(this.#membership.others);
    const membership = this.#membership.state;
    const over = membership === "left" || membership === "refused";
    if ((this.#state === "deregistering" || this.#state === "running") && over) {
      this.#state = "closing";
      // No new user comes any more; those that are here may finish what is under way.
      this.#sessions.endAll("shutdown", "the server stops");
      this.#timers.set("linger", now + STOP_LINGER_MS);
    }
    if (this.#state === "closing" && this.#sessions.count === 0) {
      this.#state = "stopped";
      this.#timers.clear("linger");
      this.#outbox.push({ type: "stopped" });
    }
  }

  #network(input: NetworkInput, now: Instant): void {
    if (this.#membership.handle(input, now)) return;
    if (input.type !== "transport" || input.endpoint !== "data") return;
    this.#sessions.transportEvent(input.event, this.#state === "running");
  }
}
