import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { ReplyFlow } from "../reply_flow.ts";
import type { ReplyFlowReport } from "../reply_flow.ts";

/** What is worth a log line at an echo service. */
export type EchoReport = ReplyFlowReport | {
  /** Says which report it is. */
  readonly type: "echoed";
  /** Whose message it was. */
  readonly session: SessionId;
  /** How long it was. */
  readonly lengthBytes: number;
};

/**
 * Gives every message back as it came: with its payload protocol, on its stream (reference/rsplib.md §5.6). Users that do not
 * read what they get are stopped by {@linkcode ReplyFlow}, whose endpoint it wants.
 */
export class EchoServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, EchoReport>;
  readonly #flow: ReplyFlow;

  /** @param outlet where it answers */
  constructor(outlet: ApplicationOutlet<never, EchoReport>) {
    this.#outlet = outlet;
    this.#flow = new ReplyFlow(outlet);
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    this.#flow.sessionEvent(event, now);
    if (event.type !== "sessionMessage") return;
    const { session, ppid, stream, data } = event;
    this.#outlet.report({ type: "echoed", session, lengthBytes: data.length });
    this.#outlet.command({ type: "send", session, ppid, stream, data });
    this.#flow.answered(session, data.length);
  }

  tick(now: Instant): void {
    this.#flow.tick(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#flow.nextTimeout();
  }
}
