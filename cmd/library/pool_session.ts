/** A pool user's end of a session. */
import { isMessage, messagesOf } from "./conversation.ts";
import type { PoolMessageEvent } from "./conversation.ts";
import { PoolClient } from "./pool_client.ts";
import type { PoolClientOptions } from "./pool_client.ts";
import { PoolError } from "./pool_error.ts";
import type { PoolMessage, SendOptions } from "./pool_message.ts";
import type { PoolFailover, PoolSessionOptions, SessionLife } from "./session_life.ts";
import { startTimer } from "./timer.ts";

/** What a program reads from a session. */
export type PoolSessionEvent = PoolMessageEvent | PoolFailover;

/** How a request behaves. */
export interface RequestMessageOptions extends SendOptions {
  /**
   * So long an element may take to answer, in milliseconds; then it is reported as unreachable, and the request goes to
   * another one. Default 5000.
   */
  readonly timeoutMs?: number | undefined;
}

/** How long an element may take to answer a request. */
const REQUEST_TIMEOUT_MS = 5000;

/**
 * A conversation with a pool: with one of its elements, and when that one fails with another.
 *
 * @example A pool that echoes, and its user, on one host
 * ```ts
 * import { PoolElement, PoolRegistrar, PoolSession } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * await using registrar = await PoolRegistrar.start({ local: "127.0.0.1", announce: "off" });
 * const options = { registrars: [registrar.address], announce: "off" } as const;
 * await using _server = await PoolElement.serve("EchoPool", async (session) => {
 *   for await (const message of session) await session.send(message.data);
 * }, options);
 *
 * await using session = await PoolSession.open("EchoPool", options);
 * await session.send("hello");
 * for await (const { text } of session) {
 *   assert.equal(text, "hello");
 *   break;
 * }
 * ```
 *
 * In a network with a registrar the options may be left out: it announces itself.
 */
export class PoolSession implements AsyncDisposable, AsyncIterable<PoolMessage> {
  /** The pool's name. */
  readonly pool: string;
  readonly #life: SessionLife;
  #request: Promise<unknown> = Promise.resolve();
  /** The client that was made for this session alone. */
  #client: PoolClient | undefined;

  /** Use {@linkcode PoolSession.open} or {@linkcode PoolClient.open}. */
  constructor(pool: string, life: SessionLife) {
    this.pool = pool;
    this.#life = life;
  }

  /**
   * Opens a session with a pool, with a client of its own. Several sessions share one by {@linkcode PoolClient.open}.
   *
   * @returns the session, when an element has taken it
   * @throws {PoolError} when an option is wrong, there is no SCTP, or the signal is aborted or the time is over before
   * there is an element; the message says what is missing
   */
  static async open(
    pool: string,
    options: PoolClientOptions & PoolSessionOptions = {},
  ): Promise<PoolSession> {
    const client = await PoolClient.start(options);
    try {
      const session = await client.open(pool, options);
      session.#client = client;
      return session;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The ID of the element that serves, or served last. */
  get elementId(): number {
    return this.#life.elementId;
  }

  /** Resolves with the reason, in words, when the session has ended. */
  get closed(): Promise<string> {
    return this.#life.conversation.closed;
  }

  /**
   * Sends a message. While there is no element, or no room in the send buffer, it waits.
   *
   * @returns when the message was handed to the transport; whether it was of use tells an answer
   * @throws {PoolError} when the session has ended
   */
  send(data: Uint8Array | string, options: SendOptions = {}): Promise<void> {
    return this.#life.conversation.send(data, options).then(() => {});
  }

  /**
   * Sends a message and gives the next one that comes. After a failover, and when no answer comes in time, the request is
   * sent again; so it suits what may be done twice. Requests of one session go one after the other.
   *
   * @throws {PoolError} when the session ends before there is an answer
   */
  request(data: Uint8Array | string, options: RequestMessageOptions = {}): Promise<PoolMessage> {
    const answer = this.#request.then(() => this.#ask(data, options));
    this.#request = answer.catch(() => {});
    return answer;
  }

  /** Messages and failovers in order. Take them either here or from the session itself. */
  events(): AsyncIterableIterator<PoolSessionEvent, undefined> {
    return {
      next: () => this.#life.conversation.next(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Messages in order; failovers are passed over. Leaving the loop does not end the session: another one goes on. */
  [Symbol.asyncIterator](): AsyncIterator<PoolMessage, undefined> {
    return messagesOf(() => this.#life.conversation.next());
  }

  /**
   * Leaves the element for another one: it does not do its work, or was lost with `failover: "manual"`.
   *
   * @param details whether the registrar is told that the element does not answer; default true
   */
  failover(details: { readonly reportUnreachable?: boolean } = {}): void {
    this.#life.failover(details.reportUnreachable ?? true);
  }

  /**
   * Ends the session, and drops what is unread. In order (`shutdown`), it waits until the element has taken what was sent, as
   * long as it takes something at least once in a minute; `abort` waits for nothing, and ends such waiting, too.
   */
  async close(how: "shutdown" | "abort" = "shutdown"): Promise<void> {
    await this.#life.conversation.close(how);
    await this.#client?.close();
  }

  /** As {@linkcode PoolSession.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ask(data: Uint8Array | string, options: RequestMessageOptions): Promise<PoolMessage> {
    const { timeoutMs = REQUEST_TIMEOUT_MS } = options;
    const { conversation } = this.#life;
    let timer: ReturnType<typeof setTimeout> | undefined;
    /** In which era the request was sent: it is not lost with the associations before, whose failovers are read only now. */
    let sent = 0;
    const ask = async () => {
      sent = await this.#life.sendRequest(data, options);
      timer = startTimer(timeoutMs, () => this.failover());
    };
    try {
      await ask();
      for (;;) {
        const { done, value } = await conversation.nextEntry();
        if (done === true) throw new PoolError("ended", `Cannot ask pool ${this.pool}: ${await this.closed}`);
        const { event, era } = value;
        if (isMessage(event)) return event.message;
        if (event.state === "complete" ? era <= sent : era < sent) continue;
        clearTimeout(timer);
        if (event.state === "complete") await ask();
        else this.#life.goOn();
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
