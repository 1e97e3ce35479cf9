/** A pool element: a server in a pool. */
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, Driver, OwnEffect } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import { randomIdentifier } from "../driver/random.ts";
import { locationOf } from "../driver/status_reports.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { readPolicyOption } from "../server/policy_option.ts";
import { ComponentGroup, componentId, elementStatus, RegistrarContact } from "../../protocol/csp/mod.ts";
import { transportAddresses } from "../../protocol/net.ts";
import type { EndpointOptions, TransportAddress } from "../../protocol/net.ts";
import type { PolicyParameter } from "../../protocol/param/mod.ts";
import { isSessionEvent, ServiceHost, serviceHostEndpoints } from "../../protocol/session/mod.ts";
import type {
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostReport,
  SessionId,
  SessionOpened,
} from "../../protocol/session/mod.ts";
import { ElementSession } from "./element_session.ts";
import type { ServedSession } from "./element_session.ts";
import { PoolError } from "./pool_error.ts";
import {
  announceChannel,
  checkedId,
  huntOf,
  localSocket,
  logEntry,
  optionError,
  poolHandleOf,
} from "./pool_options.ts";
import type { PoolOptions } from "./pool_options.ts";
import { queuedOctets } from "./queued_octets.ts";
import { leaseTransport, networkError } from "./shared_transport.ts";
import { beginReports, reportingOf } from "./status_reporting.ts";
import type { TransportLease } from "./shared_transport.ts";

/** Time for the machine to end in order before its associations are left to SHUTDOWN. */
const STOP_LIMIT_MS = 5000;

/** How a pool element behaves. */
export interface PoolElementOptions extends PoolOptions {
  /**
   * How users are spread over the pool, such as `RoundRobin`, `LeastUsed` or `WeightedRandom:5`; the first element says
   * it for all. Default `RoundRobin`.
   */
  readonly policy?: string | PolicyParameter | undefined;
  /** Where users connect to, such as `10.1.0.1:4711` or `10.1.0.1,10.2.0.1`. Default: all addresses, an ephemeral port. */
  readonly local?: string | undefined;
  /** 32 bits, not 0. Default: random. */
  readonly elementId?: number | undefined;
  /** Users at the same time; further ones are sent to another element. Default: no limit. */
  readonly maxSessions?: number | undefined;
  /** How often to register again, in milliseconds. Default 30000. */
  readonly reregistrationIntervalMs?: number | undefined;
  /**
   * Whether a first registration that a registrar refuses, say because of another policy, is tried again. Default false: the
   * element has failed. One that was in the pool tries again in any case, and serves its users meanwhile.
   */
  readonly retryRefused?: boolean | undefined;
  /**
   * Whether users are told which elements may take this one's place (RFC 5352 §3.9), so that they fail over without asking a
   * registrar. Default false: RSPLIB's users cannot read it.
   */
  readonly businessCards?: boolean | undefined;
  /** Takes what a service throws; the session is aborted then, so that its user fails over. Default: console.error. */
  readonly onError?: ((error: unknown, session: ElementSession) => void) | undefined;
}

/** How an element is on the network. */
interface ElementWays {
  readonly lease: TransportLease;
  readonly endpoints: Readonly<Record<string, EndpointOptions>>;
  readonly channels: Readonly<Record<string, ChannelOptions>>;
}

/** Serves one user. The session ends when it has returned and the user has what was sent ({@linkcode ElementSession.close}). */
export type PoolService = (session: ElementSession) => void | Promise<void>;

/**
 * A pool element: registers in a pool, and serves the users that come.
 *
 * @example A service that counts, and goes on counting when it fails
 * ```ts
 * import { PoolElement, PoolRegistrar, PoolSession } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * await using registrar = await PoolRegistrar.start({ local: "127.0.0.1", announce: "off" });
 * const options = { registrars: [registrar.address], announce: "off" } as const;
 * const startCounter = () => PoolElement.serve("CountPool", async (session) => {
 *   const state = await session.cookie;
 *   let count = state === undefined ? 0 : new DataView(state.buffer, state.byteOffset).getUint32(0);
 *   for await (const _ of session) {
 *     count++;
 *     await session.send(String(count));
 *     await session.sendCookie(new Uint8Array(new Uint32Array([count]).buffer).reverse());
 *   }
 * }, options);
 *
 * const elements = [await startCounter(), await startCounter()];
 * await using session = await PoolSession.open("CountPool", options);
 * assert.equal((await session.request("next")).text, "1");
 * assert.equal((await session.request("next")).text, "2");
 *
 * // The element that serves ends: the other one goes on.
 * const serving = elements.find(({ elementId }) => elementId === session.elementId);
 * await serving?.close();
 * assert.equal((await session.request("next")).text, "3");
 * for (const element of elements) await element.close();
 * ```
 */
export class PoolElement implements AsyncDisposable {
  /** The pool's name. */
  readonly pool: string;
  /** Its own ID. */
  readonly elementId: number;
  readonly #service: PoolService;
  readonly #options: PoolElementOptions;
  readonly #lease: TransportLease;
  readonly #machine: ServiceHost;
  readonly #driver: Driver<ServiceHostInput>;
  readonly #sessions = new Map<SessionId, ServedSession>();
  readonly #contact = new RegistrarContact();
  readonly #registered = Promise.withResolvers<void>();
  #trouble = "no registrar was found yet";
  #says = "";
  #reports: AsyncDisposable | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    pool: string,
    service: PoolService,
    machine: ServiceHost,
    elementId: number,
    options: PoolElementOptions,
    { lease, endpoints, channels }: ElementWays,
  ) {
    this.pool = pool;
    this.elementId = elementId;
    this.#service = service;
    this.#options = options;
    this.#lease = lease;
    this.#machine = machine;
    this.#driver = drive<ServiceHostInput, ServiceHostEffect>(machine, {
      transport: lease.transport,
      endpoints,
      channels,
      onProblem: (text) => options.log?.({ level: LogLevel.warning, text }),
      onEffect: (effect) => this.#effect(effect),
    });
    this.#driver.input({ type: "start" });
  }

  /**
   * Starts a pool element.
   *
   * @param pool the pool to register in
   * @param service serves one user; it is called for each
   * @returns the element, when it is registered
   * @throws {PoolError} when an option is wrong, there is no SCTP, the registration is refused, or the signal is aborted
   * before it is done; the message says what is missing
   */
  static async serve(
    pool: string,
    service: PoolService,
    options: PoolElementOptions = {},
  ): Promise<PoolElement> {
    const { elementId = randomIdentifier(), policy = "RoundRobin" } = options;
    const { maxSessions, reregistrationIntervalMs, businessCards, retryRefused, signal } = options;
    const machine = new ServiceHost({
      elementId: checkedId("elementId", elementId, 32),
      poolHandle: poolHandleOf(pool),
      policy: typeof policy === "string" ? policyOf(policy) : policy,
      seed: randomIdentifier(),
      hunt: await huntOf(options),
      manualReceive: true,
      maxSessions,
      reregistrationIntervalMs,
      businessCards,
      retryRefused: retryRefused === true || "afterwards",
    });
    const reporting = await reportingOf(options);
    const endpoints = await elementEndpoints(options), channels = await announceChannel(options);
    const lease = leaseTransport(options.transport ?? "auto", options.encapsulation ?? "auto");
    let made: PoolElement | undefined;
    try {
      const element = made = new PoolElement(pool, service, machine, elementId, options, {
        lease,
        endpoints,
        channels,
      });
      const location = locationOf(element.#driver.endpoint("data"));
      element.#reports = beginReports(reporting, options, {
        sender: componentId(ComponentGroup.element, elementId),
        status: (now) => elementStatus(machine, element.#contact, location, now, element.#says),
        transport: lease.transport,
      });
      await element.#awaitRegistration(signal);
      return element;
    } catch (error) {
      await made?.close();
      await lease.release();
      throw error instanceof PoolError ? error : networkError(error);
    }
  }

  /** Where users connect to. */
  get addresses(): readonly TransportAddress[] {
    const { addresses, port } = this.#driver.endpoint("data");
    return transportAddresses(addresses, port);
  }

  /** How many users it serves. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Says how busy the element is, 0 to 1, for a policy that looks at it. */
  setLoad(load: number): void {
    if (!(load >= 0 && load <= 1)) throw new RangeError(`Cannot set a load of ${load}: it is from 0 to 1`);
    this.#driver.input({ type: "setLoad", load });
  }

  /**
   * Says in words what the element does, for the monitor of `cspServer`. It shows the text while there is exactly one
   * session, and otherwise how many there are.
   */
  says(text: string): void {
    this.#says = text;
  }

  /**
   * Takes the registration back and ends the sessions in order, so that their users fail over. What a user has not taken
   * within two seconds it does not get any more: it belongs to the next element. Idempotent.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** As {@linkcode PoolElement.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const { conversation } of this.#sessions.values()) conversation.abandon();
    await stopMachine(this.#driver, STOP_LIMIT_MS);
    for (const [session, { tell }] of this.#sessions) {
      tell({ type: "sessionClosed", session, reason: "the element is closed" });
    }
    this.#sessions.clear();
    await this.#reports?.[Symbol.asyncDispose]();
    await this.#driver.close();
    await this.#lease.release();
  }

  async #awaitRegistration(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = () => {
      const message = `Cannot register in pool ${this.pool}: ${this.#trouble}`;
      this.#registered.reject(new PoolError("timeout", message, { cause: signal?.reason }));
    };
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted === true) onAbort();
    try {
      await this.#registered.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #effect(effect: OwnEffect<ServiceHostEffect>): void {
    if (effect.type === "report") return this.#report(effect.report);
    if (!isSessionEvent(effect)) return;
    if (effect.type === "sessionOpened") return this.#open(effect);
    this.#sessions.get(effect.session)?.tell(effect);
    if (effect.type === "sessionClosed") this.#sessions.delete(effect.session);
  }

  #open(opened: SessionOpened): void {
    const { session } = opened;
    const served = ElementSession.of(opened, {
      command: (command) => this.#driver.input(command),
      queuedOctets: () => queuedOctets(this.#driver, this.#machine.associationOf(session)),
    });
    this.#sessions.set(session, served);
    void this.#serve(served);
  }

  async #serve({ session, conversation }: ServedSession): Promise<void> {
    try {
      await this.#service(session);
      await session.close();
    } catch (error) {
      // That a user has left in the midst of an answer is nothing to complain about; that another session has ended is.
      if (conversation.isOver && error instanceof PoolError && error.reason === "ended") return;
      void session.close("abort");
      const { onError = (error) => console.error(error) } = this.#options;
      onError(error, session);
    }
  }

  #report(report: ServiceHostReport): void {
    this.#options.log?.(logEntry(report));
    this.#contact.report(report, performance.now());
    switch (report.type) {
      case "registered":
        return this.#registered.resolve();
      case "registrationRefused":
        this.#trouble = report.reason;
        if (report.retryMs !== undefined) return;
        return this.#registered.reject(
          new PoolError("refused", `Cannot register in pool ${this.pool}: ${report.reason}`),
        );
      case "huntWaiting":
      case "huntFailed":
      case "registrarLost":
        this.#trouble = describeReport(report).text;
        return;
      default:
        return;
    }
  }
}

function policyOf(text: string): PolicyParameter {
  try {
    return readPolicyOption(text);
  } catch (error) {
    throw optionError("policy", error);
  }
}

async function elementEndpoints({ local }: PoolElementOptions): Promise<Record<string, EndpointOptions>> {
  const { hunt, data } = serviceHostEndpoints();
  return { hunt, data: { ...data, ...await localSocket("local", local), manualReceive: true } };
}
