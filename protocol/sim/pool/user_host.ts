import { Outbox, Prng, TimerQueue } from "../../machine.ts";
import { earliest } from "../../machine.ts";
import type { Machine } from "../../machine.ts";
import type { EndpointOpened, Instant, NetworkEffect, NetworkInput, TransportEvent } from "../../net.ts";
import type { PoolElement } from "../../param/pool_element.ts";
import type { PoolHandle } from "../../param/pool_handle.ts";
import { PoolUser } from "../../user/pool_user.ts";
import type { PoolUserOptions, UserEffect } from "../../user/pool_user.ts";
import type { UserReport } from "../../user/report.ts";

/** What a user of the simulation is. */
export interface UserHostOptions extends PoolUserOptions {
  readonly seed: number;
  /** The pools that it uses, one after the other. */
  readonly poolHandles: readonly PoolHandle[];
  /** Mean time between two resolutions, ±50 %, in milliseconds. */
  readonly intervalMs: number;
  /** Elements it asks for at a time. */
  readonly items: number;
}

/** What a user takes. */
export type UserHostInput = NetworkInput | EndpointOpened | { readonly type: "start" };

/** What a user asks for, and tells. */
export type UserHostEffect =
  | NetworkEffect
  | { readonly type: "report"; readonly report: UserReport }
  /** A resolution has ended; no elements = the pool is unknown. */
  | {
    readonly type: "answer";
    readonly poolHandle: PoolHandle;
    readonly elements: readonly PoolElement[];
    /** Why there is none; undefined = all is well. */
    readonly failure: string | undefined;
  }
  /** The element that was offered first was tried. */
  | { readonly type: "tried"; readonly elementId: number; readonly reached: boolean };

interface Trial {
  readonly poolHandle: PoolHandle;
  readonly elementId: number;
}

/**
 * A pool user without an application: resolves one of its pools every now and then, connects to the first element that
 * it is offered, says goodbye, and reports the element unreachable when that fails (RFC 5352 §3.5).
 */
export class UserHost implements Machine<UserHostInput, UserHostEffect> {
  readonly #options: UserHostOptions;
  readonly #outbox = new Outbox<UserHostEffect>();
  readonly #random: Prng;
  readonly #user: PoolUser<PoolHandle>;
  readonly #timers = new TimerQueue<"resolve">();
  readonly #trials = new Map<number, Trial>();
  #lastRequest = 0;
  #turn = 0;

  /** @param options what the user is */
  constructor(options: UserHostOptions) {
    this.#options = options;
    this.#random = new Prng(options.seed);
    this.#user = new PoolUser(
      "hunt",
      "asap-announce",
      options,
      this.#outbox as Outbox<UserEffect>,
      this.#random,
    );
  }

  handle(input: UserHostInput, now: Instant): void {
    if (input.type === "start") {
      this.#user.start(now);
      this.#timers.set("resolve", now + this.#options.intervalMs * this.#random.uniform());
    } else if (input.type === "transport" && input.endpoint === "data") {
      this.#data(input.event, now);
    } else if (input.type === "transport" || input.type === "datagram") {
      this.#user.handle(input, now);
    }
    this.#pump();
  }

  tick(now: Instant): void {
    while (this.#timers.takeDue(now) !== undefined) {
      const { poolHandles, items, intervalMs } = this.#options;
      const poolHandle = poolHandles[this.#turn++ % poolHandles.length]!;
      this.#user.resolve(poolHandle, items, poolHandle, now);
      this.#timers.set("resolve", now + intervalMs * (0.5 + this.#random.uniform()));
    }
    this.#user.tick(now);
    this.#pump();
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#timers.next(), this.#user.nextTimeout());
  }

  drain(): UserHostEffect[] {
    return this.#outbox.drain();
  }

  #pump(): void {
    for (const event of this.#user.takeEvents()) {
      const elements = event.type === "resolved" ? event.elements : [];
      const failure = event.type === "resolutionFailed" ? event.reason : undefined;
      this.#outbox.push({ type: "answer", poolHandle: event.context, elements, failure });
      const first = elements[0];
      if (first !== undefined) this.#try(event.context, first);
    }
  }

  #try(poolHandle: PoolHandle, { elementId, userTransport: { addresses, port } }: PoolElement): void {
    const request = ++this.#lastRequest;
    this.#trials.set(request, { poolHandle, elementId });
    this.#outbox.push({
      type: "transport",
      endpoint: "data",
      command: { type: "connect", request, addresses, port },
    });
  }

  #data(event: TransportEvent, now: Instant): void {
    if (event.type !== "up" && event.type !== "down") return;
    const { request, association } = event;
    const trial = this.#trials.get(request ?? -1);
    if (request === undefined || trial === undefined) return;
    this.#trials.delete(request);
    const { poolHandle, elementId } = trial;
    if (event.type === "up") {
      this.#outbox.push({ type: "transport", endpoint: "data", command: { type: "shutdown", association } });
    } else if (event.origin === "local" && event.reason === "refused") {
      return; // the last association with this element has not ended yet
    } else {
      this.#user.reportUnreachable(poolHandle, elementId, now);
    }
    this.#outbox.push({ type: "tried", elementId, reached: event.type === "up" });
  }
}
