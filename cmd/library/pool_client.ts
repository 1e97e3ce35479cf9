/** A pool user with any number of sessions. */
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, Driver, OwnEffect } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import { randomIdentifier, randomObject } from "../driver/random.ts";
import { locationOf } from "../driver/status_reports.ts";
import { describeReport } from "../pool/describe_reports.ts";
import { ComponentGroup, componentId, UserStatus } from "../../protocol/csp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import type { EndpointOptions } from "../../protocol/net.ts";
import {
  DATA_ENDPOINT,
  isSessionEvent,
  SessionClient,
  sessionClientEndpoints,
} from "../../protocol/session/mod.ts";
import type {
  SessionClientEffect,
  SessionClientInput,
  SessionClientReport,
  SessionCommand,
  SessionEvent,
  SessionId,
} from "../../protocol/session/mod.ts";
import { PoolError } from "./pool_error.ts";
import { announceChannel, checkedId, huntOf, logEntry, poolHandleOf } from "./pool_options.ts";
import type { PoolOptions } from "./pool_options.ts";
import { PoolSession } from "./pool_session.ts";
import { queuedOctets } from "./queued_octets.ts";
import { SessionLife } from "./session_life.ts";
import type { PoolSessionOptions } from "./session_life.ts";
import { leaseTransport, networkError } from "./shared_transport.ts";
import type { TransportLease } from "./shared_transport.ts";
import { beginReports, reportingOf } from "./status_reporting.ts";

/** Time for the machine, whose sessions have ended, to end in order. */
const STOP_LIMIT_MS = 3000;

/** How a pool user behaves. */
export interface PoolClientOptions extends PoolOptions {
  /**
   * How long an answer of the registrar is used again, in milliseconds: further sessions with a pool are spread over its
   * elements by the pool's policy without asking. Default 0: the registrar is asked each time.
   */
  readonly cacheLifeMs?: number | undefined;
  /** How long a pool element may take to answer before another one is tried, in milliseconds. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** What a monitor knows this pool user by: 56 bits, not 0. Default: random. */
  readonly userId?: number | bigint | undefined;
  /** How long a registrar may take to answer before another one is asked, in milliseconds. Default 3000. */
  readonly responseTimeoutMs?: number | undefined;
}

/**
 * A pool user: one registrar, any number of sessions with any pools.
 *
 * @example Two sessions of one client, with two elements of a pool on this host
 * ```ts
 * import { PoolClient, PoolElement, PoolRegistrar } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * await using registrar = await PoolRegistrar.start({ local: "127.0.0.1", announce: "off" });
 * const options = { registrars: [registrar.address], announce: "off" } as const;
 * const tellName = (name: string) => PoolElement.serve("NamePool", async (session) => {
 *   for await (const _ of session) await session.send(name);
 * }, options);
 * await using _alpha = await tellName("alpha");
 * await using _beta = await tellName("beta");
 *
 * await using client = await PoolClient.start(options);
 * await using one = await client.open("NamePool");
 * await using other = await client.open("NamePool");
 * const answers = await Promise.all([one.request("who?"), other.request("who?")]);
 * assert.deepEqual(answers.map(({ text }) => text).sort(), ["alpha", "beta"], "the pool's policy is round robin");
 * ```
 */
export class PoolClient implements AsyncDisposable {
  readonly #machine: SessionClient;
  readonly #driver: Driver<SessionClientInput>;
  readonly #lease: TransportLease;
  readonly #sessions = new Map<SessionId, SessionLife>();
  readonly #log: PoolOptions["log"];
  #lastSession = 0;
  #endpointCount = 1;
  readonly #status = new UserStatus(Ppid.none);
  #reports: AsyncDisposable | undefined;
  #closed: Promise<void> | undefined;
  /** Why there is no registrar at the moment. */
  #registrarTrouble: string | undefined = "no registrar was found yet";

  /** Use {@linkcode PoolClient.start}. */
  private constructor(
    machine: SessionClient,
    lease: TransportLease,
    channels: Readonly<Record<string, ChannelOptions>>,
    log: PoolOptions["log"],
  ) {
    this.#machine = machine;
    this.#lease = lease;
    this.#log = log;
    this.#driver = drive<SessionClientInput, SessionClientEffect>(machine, {
      transport: lease.transport,
      endpoints: clientEndpoints(),
      channels,
      onProblem: (text) => this.#log?.({ level: LogLevel.warning, text }),
      onEffect: (effect) => this.#effect(effect),
    });
    this.#driver.input({ type: "start" });
  }

  /**
   * Starts a pool user, which looks for a registrar from now on.
   *
   * @throws {PoolError} when an option is wrong, or there is no SCTP
   */
  static async start(options: PoolClientOptions = {}): Promise<PoolClient> {
    const { cacheLifeMs, connectTimeoutMs, responseTimeoutMs = 3000, userId = randomObject() } = options;
    const hunt = await huntOf(options);
    const channels = await announceChannel(options);
    const machine = new SessionClient({
      seed: randomIdentifier(),
      manualReceive: true,
      hunt,
      cacheLifeMs,
      connectTimeoutMs,
      responseTimeoutMs,
    });
    const reporting = await reportingOf(options);
    const sender = componentId(ComponentGroup.user, checkedId("userId", userId, 56));
    const lease = leaseTransport(options.transport ?? "auto", options.encapsulation ?? "auto");
    let client: PoolClient | undefined;
    try {
      const made = client = new PoolClient(machine, lease, channels, options.log);
      const location = locationOf(made.#driver.endpoint("hunt"), false);
      made.#reports = beginReports(reporting, options, {
        sender,
        status: (now) => made.#status.status(location, now),
        transport: lease.transport,
      });
      return made;
    } catch (error) {
      await client?.close();
      await lease.release();
      throw networkError(error);
    }
  }

  /**
   * Opens a session with a pool: finds an element that serves it.
   *
   * @returns the session, when an element has taken it
   * @throws {PoolError} when the signal is aborted or the time is over before; the message says what is missing
   */
  async open(pool: string, options: PoolSessionOptions = {}): Promise<PoolSession> {
    const poolHandle = poolHandleOf(pool);
    if (this.#closed !== undefined) {
      throw new PoolError("ended", `Cannot open a session with pool ${pool}: the client is closed`);
    }
    const session = ++this.#lastSession;
    this.#addEndpoint();
    const life = new SessionLife(session, pool, options, {
      command: (command) => this.#command(command),
      queuedOctets: () => queuedOctets(this.#driver, this.#machine.associationOf(session)),
      registrarTrouble: () => this.#registrarTrouble,
      forget: () => this.#sessions.delete(session),
    });
    this.#sessions.set(session, life);
    this.#driver.input({ type: "openSession", session, poolHandle });
    await life.opened;
    return new PoolSession(pool, life);
  }

  /**
   * Says in words what the program does, for the monitor of `cspServer`. It shows the text while there is exactly one
   * session, and otherwise how many there are.
   */
  says(text: string): void {
    this.#status.says(text);
  }

  /** How many sessions there are, the ones that are being opened included. */
  get sessionCount(): number {
    return this.#sessions.size;
  }

  /**
   * Ends all sessions as {@linkcode PoolSession.close} does, and then leaves the registrar. Idempotent. It waits for each
   * session as long as its element takes something at least once in a minute; `session.close("abort")` ends the waiting for
   * one.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** As {@linkcode PoolClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ conversation }) => conversation.close("shutdown")));
    await stopMachine(this.#driver, STOP_LIMIT_MS);
    for (const life of [...this.#sessions.values()]) life.lost("the client is closed");
    await this.#reports?.[Symbol.asyncDispose]();
    await this.#driver.close();
    await this.#lease.release();
  }

  /** Each session that may meet another one at the same element needs an endpoint of its own (RFC 9260 §1.3). */
  #addEndpoint(): void {
    while (this.#endpointCount <= this.#sessions.size) {
      this.#driver.open(`data ${++this.#endpointCount}`, DATA_OPTIONS);
    }
  }

  #command(command: SessionCommand): void {
    if (command.type === "send") this.#status.speaks(command.session, command.ppid);
    this.#driver.input(command);
  }

  #effect(effect: OwnEffect<SessionClientEffect>): void {
    if (effect.type === "report") return this.#report(effect.report);
    if (isSessionEvent(effect)) this.#event(effect);
  }

  #event(event: SessionEvent): void {
    this.#sessions.get(event.session)?.event(event);
  }

  #report(report: SessionClientReport): void {
    this.#log?.(logEntry(report));
    this.#status.report(report, performance.now());
    switch (report.type) {
      case "registrarFound":
        this.#registrarTrouble = undefined;
        return;
      case "huntWaiting":
      case "huntFailed":
      case "registrarLost":
        this.#registrarTrouble = describeReport(report).text;
        return;
      case "sessionWaiting":
      case "sessionConnectFailed":
        return this.#sessions.get(report.session)?.trouble(report.reason);
      default:
        return;
    }
  }
}

const DATA_OPTIONS: EndpointOptions = { ...DATA_ENDPOINT, manualReceive: true };

function clientEndpoints(): Record<string, EndpointOptions> {
  return { ...sessionClientEndpoints(1), data: DATA_OPTIONS };
}
