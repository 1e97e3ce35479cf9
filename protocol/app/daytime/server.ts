import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { encodeText } from "../../wire/text.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { daytimeText } from "./text.ts";
import type { WallClockTime } from "./text.ts";

/** What is worth a log line at a daytime service. */
export interface DaytimeReport {
  /** Says which report it is. */
  readonly type: "timeTold";
  /** To whom. */
  readonly session: SessionId;
  /** What, without the line feed. */
  readonly text: string;
}

/** Tells each new session the time of day, and ends it in order (reference/rsplib.md §5.6, after RFC 867). */
export class DaytimeServer implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, DaytimeReport>;
  readonly #wallClock: (now: Instant) => WallClockTime;

  /**
   * Makes the service.
   *
   * @param outlet where it answers
   * @param wallClock what the clock on the wall shows at an instant
   */
  constructor(outlet: ApplicationOutlet<never, DaytimeReport>, wallClock: (now: Instant) => WallClockTime) {
    this.#outlet = outlet;
    this.#wallClock = wallClock;
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    if (event.type !== "sessionOpened") return;
    const { session } = event;
    const text = daytimeText(this.#wallClock(now));
    this.#outlet.command({ type: "send", session, ppid: Ppid.none, data: encodeText(text) });
    this.#outlet.command({ type: "closeSession", session, how: "shutdown" });
    this.#outlet.report({ type: "timeTold", session, text: text.trimEnd() });
  }
}
