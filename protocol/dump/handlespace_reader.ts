import { readEnrp, writeEnrp } from "../enrp/mod.ts";
import type { EnrpMessage, HandleTableResponse, ListResponse } from "../enrp/mod.ts";
import { Outbox, Prng, TimerQueue } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { Ppid, transportAddresses } from "../net.ts";
import type {
  AssociationId,
  EndpointOpened,
  Instant,
  IpAddress,
  MessageReceived,
  NetworkEffect,
  NetworkInput,
  TransportCommand,
  TransportEvent,
} from "../net.ts";
import { describeError } from "../param/describe.ts";
import { downText } from "../user/down_text.ts";
import { assert, DecodeError } from "../wire/mod.ts";
import { answerAsPeer, readerPresence } from "./peer_answers.ts";
import type { ReaderIdentity } from "./peer_answers.ts";
import type { ReaderReport } from "./reader_report.ts";
import type { PeerView } from "./state.ts";
import { GrowingTable } from "./table.ts";

export type { ReaderReport } from "./reader_report.ts";

/** A registrar that is starting is asked again after so long. */
const RETRY_MS = 500;
/** Between two questions whether the registrar still knows a reader that leaves. */
const LEAVE_POLL_MS = 1000;
/** How long a reader stays at most: RSPLIB forgets after 10 s unless it is told otherwise, RFC 5353's times after 66 s. */
const LEAVE_LIMIT_MS = 120_000;
/** How long the association may take to end in order. */
const LINGER_MS = 1000;

/** What a reader is. */
export interface ReaderOptions {
  /** How it calls itself in messages: 32 bits, random, not 0. */
  readonly readerId: number;
  readonly seed: number;
  /** Where the registrar's ENRP is reached. */
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** How long the association and each answer may take, in milliseconds. Default 10000. */
  readonly answerTimeoutMs?: number;
  /** From the end of a reading to the next one, in milliseconds; absent = one reading only. */
  readonly repeatMs?: number | undefined;
}

type ReaderTimer = "answer" | "retry" | "repeat" | "poll" | "leave" | "linger";

/** What a reader takes. The second `stop` does not wait until the registrar has forgotten the reader. */
export type ReaderInput =
  | NetworkInput
  | EndpointOpened
  | { readonly type: "start" }
  | { readonly type: "stop" };

/** What a reader asks for. `stopped` is its last effect. */
export type ReaderEffect =
  | NetworkEffect
  | { readonly type: "report"; readonly report: ReaderReport }
  | { readonly type: "stopped" };

/**
 * Reads a registrar's peers and handlespace by ENRP (RFC 5353 §3.2.2.2, §3.2.3) over the endpoint `enrp`, which should listen.
 *
 * Theory of operation: a list request and a handle table request ask for all. This project's registrar answers whoever
 * asks, but a registrar that is starting rejects requests for all (RFC 5353 §3.2.3); where it answers those for what it owns
 * itself, it is asked again. RSPLIB's answers its peers only, and a peer is who sent it a presence; a reader that is rejected
 * both ways sends one, and is then patient: this project's reject both, too, while they are starting.
 * From then on takeovers wait for the reader's acknowledgement – by that registrar, and by others that hear of the
 * reader from it – until it has been silent for 10 s. Therefore the reader acknowledges every takeover, and when it is
 * ready it stays, silent but for that, until the registrar's list of peers does not hold it any more. A registrar
 * without peers is left at once: one that comes now cannot be found dead before the reader is forgotten.
 *
 *     new --start--> connecting --up--> reading --last part--> resting --time--> reading …
 *                                          |                      | one reading only, or stop
 *                                          +--failure-------------+--> leaving --forgotten--> stopping --> stopped
 *
 * @example The first thing a reader wants is an association
 * ```ts
 * import { HandlespaceReader } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const reader = new HandlespaceReader({ readerId: 1, seed: 1, addresses: ["10.1.0.1"], port: 9901 });
 * reader.handle({ type: "start" }, 0);
 * const [effect] = reader.drain();
 * assert.ok(effect?.type === "transport" && effect.command.type === "connect");
 * ```
 */
export class HandlespaceReader implements Machine<ReaderInput, ReaderEffect> {
  readonly #options: ReaderOptions;
  readonly #random: Prng;
  readonly #outbox = new Outbox<ReaderEffect>();
  readonly #timers = new TimerQueue<ReaderTimer>();
  #state: "new" | "connecting" | "reading" | "resting" | "leaving" | "stopping" | "stopped" = "new";
  #here: EndpointOpened | undefined;
  #association: AssociationId | undefined;
  #request = 0;
  #registrarId = 0;
  /** Undefined = this reading has not got a list: a registrar that is starting rejects the request (RFC 5353 §3.2.2.2). */
  #peers: readonly PeerView[] | undefined;
  /** Whether the last list, of this reading or of one before, held other registrars: they may wait for us. */
  #hasPeers = false;
  #table: GrowingTable | undefined;
  /** What the last handle table request was for: all, or, to find out why that was rejected, what it owns itself. */
  #asked: "all" | "own" = "all";
  /** Whether the registrar has turned out to be starting during this reading. */
  #starting = false;
  /** Whether the registrar was told a presence: ever, and during this reading. */
  #introduced: "never" | "before" | "now" = "never";

  /** Makes a reader that does nothing until `start`. */
  constructor(options: ReaderOptions) {
    assert(options.readerId !== 0, "a reader has an ID");
    this.#options = options;
    this.#random = new Prng(options.seed);
  }

  handle(input: ReaderInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        this.#here = input;
        return;
      case "start":
        if (this.#state === "new") this.#begin(now);
        return;
      case "stop":
        if (this.#state === "leaving" || this.#state === "new") this.#stop(now);
        else if (this.#state !== "stopping" && this.#state !== "stopped") this.#leave(now);
        return;
      case "transport":
        return this.#event(input.event, now);
      case "datagram":
        return;
    }
  }

  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      if (key === "answer") this.#late(now);
      else if (key === "retry") this.#askForAll();
      else if (key === "repeat") this.#begin(now);
      else if (key === "poll") this.#poll(now);
      else if (key === "leave") this.#stop(now);
      else this.#stopped();
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  drain(): ReaderEffect[] {
    return this.#outbox.drain();
  }

  /** Begins a reading. */
  #begin(now: Instant): void {
    this.#expectAnswer(now);
    if (this.#introduced === "now") this.#introduced = "before";
    if (this.#association !== undefined) return this.#read();
    this.#state = "connecting";
    const { addresses, port } = this.#options;
    this.#command({ type: "connect", request: ++this.#request, addresses, port });
  }

  #read(): void {
    this.#state = "reading";
    this.#table = new GrowingTable(this.#random);
    this.#peers = undefined;
    this.#starting = false;
    this.#askForAll();
  }

  /** Asks for the list, unless it is here, and for the table. */
  #askForAll(): void {
    if (this.#peers === undefined) this.#send({ type: "listRequest", ...this.#ids() });
    this.#ask("all");
  }

  #ask(what: "all" | "own"): void {
    this.#asked = what;
    this.#send({ type: "handleTableRequest", ...this.#ids(), ownChildrenOnly: what === "own" });
  }

  #event(event: TransportEvent, now: Instant): void {
    if (event.type === "up" && event.request !== undefined) {
      if (event.request !== this.#request || this.#state !== "connecting") {
        return this.#command({ type: "abort", association: event.association, reason: "too late" });
      }
      this.#association = event.association;
      const peer = transportAddresses(event.peerAddresses, event.peerPort);
      this.#report({ type: "connected", peer });
      this.#expectAnswer(now);
      this.#read();
    } else if (event.type === "down") {
      const isOurs = event.association === this.#association || event.request === this.#request;
      if (isOurs) this.#lost(downText(event), now);
    } else if (event.type === "message" && event.ppid === Ppid.enrp) {
      this.#message(event, now);
    }
  }

  #lost(reason: string, now: Instant): void {
    this.#association = undefined;
    if (this.#state === "connecting") return this.#failed(`no association: ${reason}`, now);
    if (this.#state === "reading") return this.#failed(`the association ended: ${reason}`, now);
    if (this.#state === "leaving" || this.#state === "stopping") this.#stopped();
  }

  #message({ association, data }: MessageReceived, now: Instant): void {
    const fromRegistrar = association === this.#association;
    let message: EnrpMessage;
    try {
      message = readEnrp(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (fromRegistrar && this.#state === "reading") {
        this.#failed(`it sent what cannot be read: ${error.message}`, now);
      }
      return;
    }
    const answer = this.#introduced === "never" ? undefined : answerAsPeer(this.#identity(), message);
    if (answer !== undefined) this.#send(answer, association);
    if (!fromRegistrar) return;
    if (message.type === "listResponse") this.#list(message, now);
    else if (this.#state !== "reading") return;
    else if (message.type === "handleTableResponse") this.#part(message, now);
    else if (message.type === "error") this.#failed(`it answers: ${describeError(message.error)}`, now);
  }

  #list({ senderId, rejected, servers }: ListResponse, now: Instant): void {
    this.#registrarId = senderId;
    if (rejected) return;
    const { readerId } = this.#options;
    if (this.#state === "leaving") {
      if (servers.every(({ registrarId }) => registrarId !== readerId)) this.#stop(now);
      return;
    }
    this.#peers = servers.filter(({ registrarId }) => registrarId !== readerId)
      .map(({ registrarId, transport: { addresses, port } }) => ({ registrarId, addresses, port }));
    this.#hasPeers = this.#peers.length > 0;
  }

  #part(response: HandleTableResponse, now: Instant): void {
    this.#registrarId = response.senderId;
    if (this.#asked === "own") return response.rejected ? this.#strange(now) : this.#wait(now);
    if (response.rejected) return this.#ask("own");
    const table = this.#table;
    assert(table !== undefined, "a reading has a table");
    const failure = table.take(response, (report) => this.#report(report));
    if (failure !== undefined) return this.#failed(failure, now);
    if (response.more) {
      this.#expectAnswer(now);
      return this.#ask("all");
    }
    const { handlespace } = table;
    this.#report({
      type: "state",
      state: { registrarId: this.#registrarId, peers: this.#peers ?? [], handlespace },
    });
    this.#rest(now);
  }

  /** The registrar is starting: it has our time limit to be ready. */
  #wait(now: Instant): void {
    if (!this.#starting) this.#report({ type: "starting", registrarId: this.#registrarId });
    this.#starting = true;
    this.#timers.set("retry", now + RETRY_MS);
  }

  /** The registrar does not talk to strangers. */
  #strange(now: Instant): void {
    if (this.#introduced === "now") return this.#wait(now);
    this.#introduced = "now";
    this.#report({ type: "introduced", registrarId: this.#registrarId });
    this.#expectAnswer(now);
    this.#send(readerPresence(this.#identity(), this.#registrarId));
    this.#askForAll();
  }

  #failed(reason: string, now: Instant): void {
    this.#report({ type: "failed", reason });
    this.#rest(now);
  }

  #rest(now: Instant): void {
    this.#clear("answer", "retry");
    this.#table = undefined;
    const { repeatMs } = this.#options;
    if (repeatMs === undefined) return this.#leave(now);
    this.#state = "resting";
    this.#timers.set("repeat", now + repeatMs);
  }

  #late(now: Instant): void {
    if (this.#association !== undefined) {
      this.#command({ type: "abort", association: this.#association, reason: "no answer" });
      this.#association = undefined;
    }
    // What comes of an attempt to connect comes too late: it is another request's by then.
    this.#request++;
    this.#failed(`${this.#whatIsLate()} ${this.#answerTimeoutMs} ms`, now);
  }

  #whatIsLate(): string {
    if (!this.#starting) return "no answer within";
    return this.#introduced === "now"
      ? "it does not take us for a peer, or is still starting, after"
      : "it is still starting after";
  }

  /** Stays until the registrar has forgotten us, if somebody could wait for us. */
  #leave(now: Instant): void {
    this.#clear("answer", "retry", "repeat");
    const mayBeMissed = this.#introduced !== "never" && this.#hasPeers;
    if (!mayBeMissed || this.#association === undefined) return this.#stop(now);
    this.#state = "leaving";
    this.#report({ type: "staying", registrarId: this.#registrarId });
    this.#timers.set("leave", now + LEAVE_LIMIT_MS);
    this.#poll(now);
  }

  #poll(now: Instant): void {
    this.#timers.set("poll", now + LEAVE_POLL_MS);
    this.#send({ type: "listRequest", ...this.#ids() });
  }

  #stop(now: Instant): void {
    this.#state = "stopping";
    this.#clear("answer", "retry", "repeat", "poll", "leave");
    if (this.#association === undefined) return this.#stopped();
    this.#command({ type: "shutdown", association: this.#association });
    this.#timers.set("linger", now + LINGER_MS);
  }

  #stopped(): void {
    if (this.#state === "stopped") return;
    this.#state = "stopped";
    this.#clear("answer", "retry", "repeat", "poll", "leave", "linger");
    this.#outbox.push({ type: "stopped" });
  }

  #clear(...timers: readonly ReaderTimer[]): void {
    for (const timer of timers) this.#timers.clear(timer);
  }

  get #answerTimeoutMs(): number {
    return this.#options.answerTimeoutMs ?? 10_000;
  }

  #expectAnswer(now: Instant): void {
    this.#timers.set("answer", now + this.#answerTimeoutMs);
  }

  #ids(): { readonly senderId: number; readonly receiverId: number } {
    return { senderId: this.#options.readerId, receiverId: this.#registrarId };
  }

  #identity(): ReaderIdentity {
    const { addresses = [], port = 0 } = this.#here ?? {};
    const stays = this.#options.repeatMs !== undefined &&
      (this.#state === "reading" || this.#state === "resting");
    return { readerId: this.#options.readerId, addresses, port, stays };
  }

  #send(message: EnrpMessage, association: AssociationId | undefined = this.#association): void {
    if (association === undefined) return;
    this.#command({ type: "send", association, data: writeEnrp(message), ppid: Ppid.enrp });
  }

  #command(command: TransportCommand): void {
    this.#outbox.push({ type: "transport", endpoint: "enrp", command });
  }

  #report(report: ReaderReport): void {
    this.#outbox.push({ type: "report", report });
  }
}
