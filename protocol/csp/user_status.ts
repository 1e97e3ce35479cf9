import type { Instant, Ppid } from "../net.ts";
import type { SessionId, SessionReport } from "../session/types.ts";
import { ComponentGroup, componentId } from "./component_id.ts";
import { HUNTING_STATUS, RegistrarContact } from "./registrar_contact.ts";
import { count } from "./registrar_status.ts";
import { SCTP_PROTOCOL } from "./report.ts";
import { microseconds } from "./reporter.ts";
import type { ComponentStatus } from "./reporter.ts";

interface Talk {
  readonly elementId: number;
  readonly since: Instant;
  /** What was spoken last. */
  ppid: Ppid;
}

/** How a pool user is, as its reports tell: its sessions with elements, its registrar, and what it does. */
export class UserStatus {
  readonly #contact = new RegistrarContact();
  readonly #sessions = new Map<SessionId, Talk>();
  readonly #ppid: Ppid;
  #text = "";
  #isOfAll = false;

  /** @param ppid what is spoken with elements, unless another one is named */
  constructor(ppid: Ppid) {
    this.#ppid = ppid;
  }

  /** Takes a report of the session client. */
  report(report: SessionReport, now: Instant): void {
    switch (report.type) {
      case "sessionUp":
        if (!("elementId" in report)) return; // a service host's
        return this.#serves(report, now);
      case "sessionFailover":
        if (report.state === "necessary") this.#sessions.delete(report.session);
        else this.#serves(report, now);
        return;
      case "sessionDown":
        this.#sessions.delete(report.session);
        return;
      case "sessionRefused":
      case "sessionConnecting":
      case "sessionConnectFailed":
      case "sessionWaiting":
      case "sessionViolation":
        return;
      default:
        this.#contact.report(report, now);
    }
  }

  /** A session speaks this from now on, until it changes its element. */
  speaks(session: SessionId, ppid: Ppid): void {
    const talk = this.#sessions.get(session);
    if (talk !== undefined) talk.ppid = ppid;
  }

  /**
   * What it does, in words.
   *
   * @param of `session`: the text is told as long as there is exactly one, as RSPLIB's users do; `all`: it is about all that
   * the user does, and always told
   */
  says(text: string, of: "session" | "all" = "session"): void {
    this.#text = text;
    this.#isOfAll = of === "all";
  }

  /**
   * How it is now.
   *
   * @param location where it is
   */
  status(location: string, now: Instant): ComponentStatus {
    const sessions = [...this.#sessions.values()];
    const own = this.#text !== "" && (this.#isOfAll || sessions.length === 1)
      ? this.#text
      : count(sessions.length, "Session");
    return {
      location,
      status: this.#contact.isHunting ? HUNTING_STATUS : own,
      workload: undefined,
      associations: [
        ...this.#contact.associations(now),
        ...sessions.map(({ elementId, since, ppid }) => ({
          receiver: componentId(ComponentGroup.element, elementId),
          durationUs: microseconds(now - since),
          protocol: SCTP_PROTOCOL,
          ppid,
        })),
      ],
    };
  }

  #serves(
    { session, elementId }: { readonly session: SessionId; readonly elementId: number },
    now: Instant,
  ): void {
    const ppid = this.#sessions.get(session)?.ppid ?? this.#ppid;
    this.#sessions.set(session, { elementId, since: now, ppid });
  }
}
