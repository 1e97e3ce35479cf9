import type { SessionEvent, SessionId } from "../../session/types.ts";
import type { Application, ApplicationOutlet } from "../application.ts";

/** What is worth a log line at a discard service. */
export interface DiscardReport {
  /** Says which report it is. */
  readonly type: "discarded";
  /** Whose message it was. */
  readonly session: SessionId;
  /** How long it was. */
  readonly lengthBytes: number;
}

/** Takes every message and does nothing with it (reference/rsplib.md §5.6). */
export class DiscardServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, DiscardReport>;

  /** @param outlet where it says what it has thrown away */
  constructor(outlet: ApplicationOutlet<never, DiscardReport>) {
    this.#outlet = outlet;
  }

  sessionEvent(event: SessionEvent): void {
    if (event.type !== "sessionMessage") return;
    const { session, data } = event;
    this.#outlet.report({ type: "discarded", session, lengthBytes: data.length });
  }
}
