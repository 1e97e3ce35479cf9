import type { HandleResolutionResponse } from "../asap/message.ts";
import { poolKey } from "../handlespace/pool_key.ts";
import type { Prng } from "../machine.ts";
import type { Instant, NetworkEffect, NetworkInput } from "../net.ts";
import { describeError } from "../param/describe.ts";
import { CauseCode } from "../param/operation_error.ts";
import { PolicyType } from "../param/policy.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { HuntOptions } from "./hunt.ts";
import { RegistrarLink } from "./registrar_link.ts";
import type { LinkEvent } from "./registrar_link.ts";
import { ReportPace } from "./report_pace.ts";
import type { UserReport } from "./report.ts";
import type { RequestOptions } from "./request_queue.ts";
import { ResolutionCache } from "./resolution_cache.ts";
import { SecondOpinions } from "./second_opinions.ts";

/** The policy of a pool whose resolution names none (RFC 5352 §2.2.6). */
const DEFAULT_POLICY: PolicyParameter = { name: "RoundRobin", type: PolicyType.RoundRobin };

/** Registrars that are asked about one pool at most, when each says that it does not know it. */
export const MAX_OPINIONS = 4;

/** How a pool user behaves. */
export interface PoolUserOptions extends RequestOptions {
  /** How long a resolution is used again; 0 = the registrar is asked every time. Default 0, as RSPLIB. */
  readonly cacheLifeMs?: number | undefined;
  /** How the registrar is found. */
  readonly hunt?: HuntOptions | undefined;
}

/** What becomes of a resolution. `Context` is what the caller gave along. */
export type UserEvent<Context> =
  /** At least one element, the first choice first. */
  | { readonly type: "resolved"; readonly context: Context; readonly elements: readonly PoolElement[] }
  | { readonly type: "poolUnknown"; readonly context: Context }
  | { readonly type: "resolutionFailed"; readonly context: Context; readonly reason: string };

/** What a pool user asks for. */
export type UserEffect = NetworkEffect | { readonly type: "report"; readonly report: UserReport };

interface Resolution<Context> {
  readonly context: Context;
  readonly poolHandle: PoolHandle;
  readonly items: number;
  /** Registrars that do not know the pool. */
  readonly asked: Set<string>;
  /** How many have answered so. */
  opinions: number;
}

/**
 * The pool user's side of ASAP (RFC 5352 §3.3, §3.5): resolves pool handles, tells the registrar of elements that do
 * not answer.
 */
export class PoolUser<Context> {
  readonly #outbox: { push(effect: UserEffect): void };
  readonly #link: RegistrarLink<Resolution<Context>>;
  readonly #cache: ResolutionCache | undefined;
  readonly #pace = new ReportPace();
  readonly #secondOpinions = new SecondOpinions();
  #events: UserEvent<Context>[] = [];

  /**
   * Makes a pool user that does nothing until `start`.
   *
   * @param endpoint name of the hunt endpoint
   * @param channel name of the channel of announces
   * @param outbox where effects go
   * @param random chooses among registrars, and among elements of the cache
   */
  constructor(
    endpoint: string,
    channel: string,
    options: PoolUserOptions,
    outbox: { push(effect: UserEffect): void },
    random: Prng,
  ) {
    this.#outbox = outbox;
    this.#link = new RegistrarLink(endpoint, channel, options, outbox, random);
    const cacheLifeMs = options.cacheLifeMs ?? 0;
    this.#cache = cacheLifeMs > 0 ? new ResolutionCache(cacheLifeMs, random) : undefined;
  }

  /** Starts the hunt for a registrar. */
  start(now: Instant): void {
    this.#link.start(now);
  }

  /** Leaves the registrar. Resolutions under way are forgotten. */
  stop(): void {
    this.#link.stop();
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
    this.#link.tick(now);
    this.#pump(now);
  }

  /** When `tick` has something to do. */
  nextTimeout(): Instant | undefined {
    return this.#link.nextTimeout();
  }

  /** Everything that happened since the last call, in order. */
  takeEvents(): UserEvent<Context>[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /**
   * Resolves a pool handle, now or when a registrar is found. Ends in exactly one event, unless it is cancelled.
   *
   * @param items how many elements are wanted
   */
  resolve(poolHandle: PoolHandle, items: number, context: Context, now: Instant): void {
    const resolution = { poolHandle, items, context, asked: new Set<string>(), opinions: 0 };
    const cached = this.#cache?.select(poolHandle, items, now);
    if (cached !== undefined) return this.#resolved(resolution, cached, true);
    this.#request(resolution, now);
    this.#pump(now);
  }

  /** Takes back resolutions that still wait for a registrar. An answer under way may come all the same. */
  cancel(which: (context: Context) => boolean): void {
    this.#link.cancel(({ context }) => which(context));
  }

  /** Tells the registrar that an element does not answer (RFC 5352 §3.5), unless that was done just now, and forgets it. */
  reportUnreachable(poolHandle: PoolHandle, elementId: number, now: Instant): void {
    this.#cache?.forget(poolHandle, elementId);
    if (!this.#pace.admits(poolHandle, elementId, now)) return;
    if (!this.#link.tell({ type: "endpointUnreachable", poolHandle, elementId })) return;
    this.#pace.reported(poolHandle, elementId, now);
    this.#report({ type: "unreachableReported", poolHandle, elementId });
  }

  #request(resolution: Resolution<Context>, now: Instant): void {
    const { poolHandle, items } = resolution;
    // For a cache the registrar says how many elements are good, otherwise the option of
    // draft-dreibholz-rserpool-asap-hropt asks for what is needed (reference/rsplib.md §3.11).
    const message = this.#cache === undefined
      ? { type: "handleResolution", poolHandle, items } as const
      : { type: "handleResolution", poolHandle } as const;
    this.#link.request(message, "handleResolutionResponse", resolution, now);
  }

  #pump(now: Instant): void {
    for (let events = this.#link.takeEvents(); events.length > 0; events = this.#link.takeEvents()) {
      for (const event of events) this.#linkEvent(event, now);
    }
  }

  #linkEvent(event: LinkEvent<Resolution<Context>>, now: Instant): void {
    switch (event.type) {
      case "response":
        if (event.message.type === "handleResolutionResponse") {
          this.#response(event.context, event.message, now);
        }
        return;
      case "error":
        return this.#failed(event.context, describeError(event.message.error));
      case "unanswered":
        return this.#failed(event.context, event.reason);
      case "connected":
      case "disconnected":
      case "keepAlive": // meant for a pool element
      case "expired":
        return;
    }
  }

  #response(resolution: Resolution<Context>, response: HandleResolutionResponse, now: Instant): void {
    const { poolHandle } = resolution;
    const unknown = response.error?.some(({ code }) => code === CauseCode.unknownPoolHandle) ?? false;
    if (unknown || (response.error === undefined && response.elements.length === 0)) {
      this.#unknown(resolution, now);
    } else if (response.error !== undefined) {
      this.#failed(resolution, describeError(response.error));
    } else if (poolKey(response.poolHandle) !== poolKey(poolHandle)) {
      this.#failed(resolution, "the registrar answered for another pool");
    } else {
      this.#secondOpinions.known(poolHandle);
      this.#cache?.put(poolHandle, response.elements, now, response.policy ?? DEFAULT_POLICY);
      this.#resolved(resolution, response.elements, false);
    }
  }

  /** The registrar does not know the pool; perhaps another one does. */
  #unknown(resolution: Resolution<Context>, now: Instant): void {
    const { poolHandle, context, asked } = resolution;
    const key = this.#link.registrar?.key;
    resolution.opinions++;
    if (resolution.opinions < MAX_OPINIONS && this.#secondOpinions.areWorthwhile(poolHandle, now)) {
      if (key !== undefined) asked.add(key);
      if (this.#link.moveOn(asked, "it does not know the pool, another one may", now)) {
        return this.#request(resolution, now);
      }
    }
    if (resolution.opinions > 1) this.#secondOpinions.unknown(poolHandle, now);
    this.#report({ type: "poolUnknown", poolHandle });
    this.#events.push({ type: "poolUnknown", context });
  }

  #resolved(
    { poolHandle, context }: Resolution<Context>,
    elements: readonly PoolElement[],
    fromCache: boolean,
  ): void {
    const elementIds = elements.map(({ elementId }) => elementId);
    this.#report({ type: "resolved", poolHandle, elementIds, fromCache });
    this.#events.push({ type: "resolved", context, elements });
  }

  #failed({ poolHandle, context }: Resolution<Context>, reason: string): void {
    this.#report({ type: "resolutionFailed", poolHandle, reason });
    this.#events.push({ type: "resolutionFailed", context, reason });
  }

  #report(report: UserReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
