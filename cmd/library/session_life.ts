/** A session of a pool user, from the wish to have it to its end. */
import type { SessionEvent, SessionFailover, SessionId, SessionLoss } from "../../protocol/session/mod.ts";
import { Conversation } from "./conversation.ts";
import type { ConversationWorld } from "./conversation.ts";
import { PoolError } from "./pool_error.ts";
import type { SendOptions } from "./pool_message.ts";
import { startTimer } from "./timer.ts";

/** How a session behaves. */
export interface PoolSessionOptions {
  /**
   * Whether another element is looked for as soon as one is lost (`auto`), or the program says when, by
   * {@linkcode PoolSession.failover} (`manual`). Default `auto`.
   */
  readonly failover?: "auto" | "manual" | undefined;
  /** So long the session may be without an element, in milliseconds; then it ends. Default: for ever. */
  readonly giveUpAfterMs?: number | undefined;
  /** Gives up the opening of the session; without effect afterwards. */
  readonly signal?: AbortSignal | undefined;
}

/** A session changes its element. */
export interface PoolFailover {
  /** Says which event it is. */
  readonly type: "failover";
  /** `necessary`: the element is lost. `complete`: another one (or the same one again) serves from now on. */
  readonly state: "necessary" | "complete";
  /**
   * Whether an element gave a cookie, so that the new one goes on from it. Without one the conversation starts over:
   * the new element knows nothing of it.
   */
  readonly hasCookie: boolean;
  /** The element that was lost, or the new one. */
  readonly elementId: number;
  /** `necessary`: how the element was lost; `complete`: undefined. */
  readonly loss: SessionLoss | undefined;
  /** For people. */
  readonly reason: string;
}

/** What a session needs of its client. */
export interface SessionWorld extends ConversationWorld {
  /** Why there is no registrar; undefined = there is one. */
  readonly registrarTrouble: () => string | undefined;
  /** The session is gone. */
  readonly forget: () => void;
}

/** From the wish to have a session to its end. */
export class SessionLife {
  /** What the application sees of it. */
  readonly conversation: Conversation<PoolFailover>;
  readonly #session: SessionId;
  readonly #pool: string;
  readonly #options: PoolSessionOptions;
  readonly #world: SessionWorld;
  readonly #opened = Promise.withResolvers<void>();
  readonly #since = performance.now();
  readonly #onAbort = () => this.#giveUp(this.#options.signal?.reason);
  #giveUpTimer: ReturnType<typeof setTimeout> | undefined;
  #trouble: string | undefined;
  #error: PoolError | undefined;
  #elementId = 0;
  /** How the element was lost, as long as nobody has looked for another one. */
  #loss: SessionLoss | undefined;
  /** A request waits to be sent: nobody reads of losses until it was. */
  #requestWaits = false;

  /** Begins with the wish. */
  constructor(session: SessionId, pool: string, options: PoolSessionOptions, world: SessionWorld) {
    this.#session = session;
    this.#pool = pool;
    this.#options = options;
    this.#world = world;
    this.conversation = new Conversation(session, `the session with pool ${pool}`, world);
    options.signal?.addEventListener("abort", this.#onAbort);
    this.#limit();
    // Not in the midst of the call: the machine does not know the session yet.
    if (options.signal?.aborted === true) queueMicrotask(this.#onAbort);
  }

  /** Resolves when an element has taken it. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** The element that serves, or served last; 0 = none yet. */
  get elementId(): number {
    return this.#elementId;
  }

  /** Notes why there is no element at the moment. */
  trouble(reason: string): void {
    this.#trouble = reason;
  }

  /** Looks for another element if the one before was lost and nobody has done so. */
  goOn(): void {
    if (this.#loss !== undefined) this.failover(this.#loss === "silent");
  }

  /**
   * Sends a request, to whatever element there is or comes next: it would wait for one that nobody looks for.
   *
   * @returns the era in which it was handed over
   */
  async sendRequest(data: Uint8Array | string, options: SendOptions): Promise<number> {
    this.#requestWaits = true;
    try {
      this.goOn();
      return await this.conversation.send(data, options);
    } finally {
      this.#requestWaits = false;
    }
  }

  /** Looks for another element. */
  failover(reportUnreachable: boolean): void {
    this.#loss = undefined;
    if (this.conversation.isOver) return;
    this.conversation.lost();
    this.#limit();
    this.#world.command({ type: "failover", session: this.#session, reportUnreachable });
  }

  /** It is over, however that came. */
  lost(reason: string): void {
    clearTimeout(this.#giveUpTimer);
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#world.forget();
    this.conversation.end(reason, this.#error);
    this.#opened.reject(
      this.#error ?? new PoolError("ended", `Cannot open a session with ${this.#pool}: ${reason}`),
    );
    this.#opened.promise.catch(() => {}); // nobody waits for it once it was open
  }

  /** Takes an event of the session layer. */
  event(event: SessionEvent): void {
    switch (event.type) {
      case "sessionOpened":
        this.#elementId = event.elementId;
        this.#served();
        this.#options.signal?.removeEventListener("abort", this.#onAbort);
        return this.#opened.resolve();
      case "sessionMessage":
        return this.conversation.message(event);
      case "sessionFailover":
        return this.#failover(event);
      case "sessionBlocked":
      case "sessionWritable":
        return this.conversation.blocked(event.type === "sessionBlocked");
      case "sessionClosed":
        return this.lost(event.reason);
      case "sessionCookie": // a pool element's
      case "sessionCookieHeld":
        return;
    }
  }

  #failover({ state, hasCookie, elementId, loss, reason }: SessionFailover): void {
    this.conversation.event({ type: "failover", state, hasCookie, elementId, loss, reason });
    if (state === "complete") {
      this.#elementId = elementId;
      return this.#served();
    }
    this.conversation.lost();
    this.#trouble = reason;
    this.#loss = loss;
    if (this.#options.failover !== "manual" || this.#requestWaits) this.goOn();
  }

  #served(): void {
    clearTimeout(this.#giveUpTimer);
    this.#giveUpTimer = undefined;
    this.#trouble = undefined;
    this.conversation.up();
  }

  /** From now on the session may be without an element for so long. */
  #limit(): void {
    const { giveUpAfterMs } = this.#options;
    if (giveUpAfterMs !== undefined) this.#giveUpTimer ??= startTimer(giveUpAfterMs, () => this.#giveUp());
  }

  #giveUp(cause?: unknown): void {
    const seconds = ((performance.now() - this.#since) / 1000).toFixed(1);
    const trouble = this.#world.registrarTrouble() ?? this.#trouble ?? "no element has answered yet";
    const message = this.#elementId === 0
      ? `Cannot open a session with pool ${this.#pool} within ${seconds} s: ${trouble}`
      : `The session with pool ${this.#pool} has ended, since no other element was found: ${trouble}`;
    this.#error = new PoolError("timeout", message, { cause });
    this.#world.command({ type: "closeSession", session: this.#session, how: "abort" });
  }
}
