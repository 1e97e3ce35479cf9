/**
 * One end of an association that is measured: carries out its half of each run, as the side that asks or as the one that
 * answers. `control.ts` shows who says what.
 *
 * @module
 */
import type {
  AssociationUp,
  Endpoint,
  MessageReceived,
  SendCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import { type Control, CONTROL_PPID, type Plan, readControl, VERSION, writeControl } from "./control.ts";
import { type DirectionResult, type Figures, Tally } from "./figures.ts";
import type { Histogram } from "./histogram.ts";
import { Receiving } from "./receiving.ts";
import { createSending, type Sending } from "./sending.ts";

/** The peer has so long to say whether it takes part in a run. */
const ANSWER_LIMIT_MS = 10_000;

/**
 * What may be said while the transport has no room. A run takes five control messages of one side, and `latency` has one
 * message under way: who makes this side say more reads nothing, and would have it keep all of that.
 */
const MAX_SAID_WHILE_BLOCKED = 8;

/** What a run on one association yielded. */
export interface RunResult {
  readonly plan: Plan;
  /** From this side to the peer. */
  readonly outbound: DirectionResult | undefined;
  /** From the peer to this side. */
  readonly inbound: DirectionResult | undefined;
  /** Round-trip times; only of `latency`, at the side that asked. */
  readonly histogram: Histogram | undefined;
}

/** A run did not come to its end. The message is a clause for people. */
export class RunFailure extends Error {
  override readonly name = "RunFailure";
}

/** Whom a party tells what it did not start itself. */
export interface PartyHooks {
  /** A run that the peer asked for is over. */
  onRun(result: RunResult): void;
  /** The association ended, and the peer had sent messages without asking for a run: it is no `rsp bench`. */
  onForeign(figures: Figures): void;
}

/** One association, seen from one side. */
export class Party {
  readonly up: AssociationUp;
  readonly #endpoint: Endpoint;
  readonly #hooks: PartyHooks;
  #run: Run | undefined;
  #foreign: Tally | undefined;
  /** What was said since the transport has no room; undefined = it has. */
  #saidWhileBlocked: number | undefined;
  #before: Progress = { sentMessages: 0, sentOctets: 0, receivedMessages: 0, receivedOctets: 0 };

  constructor(endpoint: Endpoint, up: AssociationUp, hooks: PartyHooks) {
    this.#endpoint = endpoint;
    this.up = up;
    this.#hooks = hooks;
  }

  /** Asks the peer for a run. @throws {RunFailure} */
  async ask(plan: Plan): Promise<RunResult> {
    const answer = Promise.withResolvers<RunResult>();
    const run = this.#begin(plan, true, answer.resolve, answer.reject);
    this.#tell({ type: "run", version: VERSION, plan });
    const limit = setTimeout(() => {
      const text =
        "does not answer: is it `rsp bench -listen`? (-discard sends to any SCTP peer without asking)";
      this.#fail(new RunFailure(text));
    }, ANSWER_LIMIT_MS);
    run.onReady = () => clearTimeout(limit);
    try {
      return await answer.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Lets the run under way come to its end now, in order. */
  stop(): void {
    this.#run?.sending?.stop();
    if (this.#run?.receiving !== undefined) this.#tell({ type: "stop" });
  }

  /** Everything that was counted since the association came up. */
  progress(): Progress {
    return addProgress(this.#before, this.#run, this.#foreign);
  }

  /**
   * Takes the association's events, all but `up`.
   *
   * @param now one reading of the clock for a batch: where it is a system call, one for each message would cost more
   * than the message
   */
  handle(event: TransportEvent, now: number): void {
    switch (event.type) {
      case "message":
        if (event.ppid === CONTROL_PPID) this.#control(event.data);
        else this.#data(event, now);
        break;
      case "blocked":
        this.#saidWhileBlocked = 0;
        this.#run?.sending?.blocked();
        break;
      case "writable":
        this.#saidWhileBlocked = undefined;
        this.#run?.sending?.writable();
        break;
      case "sendFailed":
        if (event.failure === "refused") {
          this.#fail(new RunFailure("takes no messages of this size or stream"));
        }
        break;
      case "restarted":
        this.#fail(new RunFailure("was started anew"));
        break;
      case "down":
        this.#fail(new RunFailure(`ended the association (${event.reason})`));
        if (this.#foreign !== undefined) this.#hooks.onForeign(this.#foreign.figures());
        break;
    }
  }

  #begin(
    plan: Plan,
    asking: boolean,
    onOver: (result: RunResult) => void,
    onFailure: (failure: RunFailure) => void,
  ): Run {
    const { association } = this.up, { ppid, unordered, mode, direction } = plan;
    const sends = direction === "both" || (direction === "send") === asking;
    const receives = mode === "latency"
      ? !asking
      : direction === "both" || (direction === "receive") === asking;
    const run = new Run(plan, this.#retransmissions(), onOver, onFailure);
    if (sends && !(mode === "latency" && !asking)) {
      run.sending = createSending(plan, {
        send: (data, stream) =>
          this.#endpoint.execute({ type: "send", association, data, ppid, stream, unordered }),
        onStart: () => this.#tell({ type: "start" }),
        onEnd: (messages) => this.#tell({ type: "end", messages }),
      });
    }
    if (receives) run.receiving = new Receiving((figures) => this.#tell({ type: "result", figures }));
    run.echo = mode === "latency" && !asking;
    return this.#run = run;
  }

  #data(event: MessageReceived, now: number): void {
    const run = this.#run, { data, stream } = event;
    if (run === undefined) {
      this.#foreign ??= new Tally(now);
      this.#foreign.add(data.length, now);
    } else if (run.receiving === undefined) {
      run.sending?.reply(now);
    } else {
      if (run.echo) {
        const { ppid, unordered } = run.plan;
        this.#answerWith({ data, ppid, stream, unordered });
      }
      run.receiving.add(data.length, now);
    }
  }

  #control(octets: Uint8Array): void {
    const control = readControl(octets);
    if (control === undefined) return this.#abort("not a control message of rsp bench");
    if (control.type === "run") this.#answer(control.version, control.plan);
    else if (this.#run !== undefined) this.#proceed(this.#run, control);
  }

  /** The peer wants a run. */
  #answer(version: number, plan: Plan): void {
    const reason = this.#objection(version, plan);
    if (reason !== undefined) {
      this.#tell({ type: "refused", reason });
      return;
    }
    const run = this.#begin(plan, false, (result) => this.#hooks.onRun(result), () => {});
    this.#tell({ type: "ready" });
    run.sending?.begin();
  }

  #objection(version: number, { streams, direction }: Plan): string | undefined {
    if (version !== VERSION) return `speaks version ${VERSION} of the control protocol, not ${version}`;
    if (this.#run !== undefined) return "has another run under way";
    const { outboundStreams } = this.up;
    if (direction === "send" || streams <= outboundStreams) return undefined;
    return `has ${outboundStreams} streams to send on, not ${streams}; start it with -streams=${streams}`;
  }

  #proceed(run: Run, control: Exclude<Control, { readonly type: "run" }>): void {
    switch (control.type) {
      case "ready":
        run.onReady();
        run.sending?.begin();
        break;
      case "refused":
        this.#fail(new RunFailure(control.reason));
        break;
      case "start":
        run.receiving?.start();
        break;
      case "end":
        run.receiving?.end(control.messages);
        break;
      case "result":
        if (run.sending === undefined || run.outbound !== undefined) break;
        run.outbound = {
          sent: run.sending.tally.figures(),
          received: control.figures,
          retransmissions: difference(this.#retransmissions(), run.retransmissionsBefore),
        };
        this.#tell({
          type: "done",
          figures: run.outbound.sent,
          retransmissions: run.outbound.retransmissions,
        });
        this.#endIfOver(run);
        break;
      case "done":
        if (run.receiving === undefined || run.inbound !== undefined) break;
        run.inbound = {
          sent: control.figures,
          received: run.receiving.tally.figures(),
          retransmissions: control.retransmissions,
        };
        this.#endIfOver(run);
        break;
      case "stop":
        run.sending?.stop();
        break;
      default:
        control satisfies never;
    }
  }

  #endIfOver(run: Run): void {
    if (run.sending !== undefined && run.outbound === undefined) return;
    if (run.receiving !== undefined && run.inbound === undefined) return;
    this.#forget(run);
    const { plan, outbound, inbound } = run;
    run.onOver({ plan, outbound, inbound, histogram: run.sending?.histogram });
  }

  #fail(failure: RunFailure): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#forget(run);
    run.onFailure(failure);
  }

  #forget(run: Run): void {
    this.#before = addProgress(this.#before, run, undefined);
    run.sending?.cancel();
    run.receiving?.cancel();
    this.#run = undefined;
  }

  #tell(control: Control): void {
    this.#answerWith({ data: writeControl(control), ppid: CONTROL_PPID, sackImmediately: true });
  }

  /** Sends what the peer has made this side say. */
  #answerWith(message: Omit<SendCommand, "type" | "association">): void {
    if (this.#saidWhileBlocked !== undefined && ++this.#saidWhileBlocked > MAX_SAID_WHILE_BLOCKED) {
      return this.#abort("asks and does not read");
    }
    this.#endpoint.execute({ type: "send", association: this.up.association, ...message });
  }

  #abort(reason: string): void {
    this.#endpoint.execute({ type: "abort", association: this.up.association, reason });
  }

  #retransmissions(): number | undefined {
    return this.#endpoint.statistics(this.up.association)?.retransmittedChunks;
  }
}

/** One run on one association. */
class Run {
  sending: Sending | undefined;
  receiving: Receiving | undefined;
  /** Sends back what it gets. */
  echo = false;
  outbound: DirectionResult | undefined;
  inbound: DirectionResult | undefined;
  onReady: () => void = () => {};
  readonly plan: Plan;
  readonly retransmissionsBefore: number | undefined;
  readonly onOver: (result: RunResult) => void;
  readonly onFailure: (failure: RunFailure) => void;

  constructor(
    plan: Plan,
    retransmissionsBefore: number | undefined,
    onOver: (result: RunResult) => void,
    onFailure: (failure: RunFailure) => void,
  ) {
    this.plan = plan;
    this.retransmissionsBefore = retransmissionsBefore;
    this.onOver = onOver;
    this.onFailure = onFailure;
  }
}

/** Running totals, warm-ups included. */
export interface Progress {
  readonly sentMessages: number;
  readonly sentOctets: number;
  readonly receivedMessages: number;
  readonly receivedOctets: number;
}

function addProgress(before: Progress, run: Run | undefined, foreign: Tally | undefined): Progress {
  const sent = run?.sending?.tally.total ?? 0;
  const received = run?.receiving?.tally.total ?? 0;
  const size = run?.plan.size ?? 0;
  return {
    sentMessages: before.sentMessages + sent,
    sentOctets: before.sentOctets + sent * size,
    receivedMessages: before.receivedMessages + received + (foreign?.total ?? 0),
    receivedOctets: before.receivedOctets + received * size + (foreign?.octets ?? 0),
  };
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before;
}
