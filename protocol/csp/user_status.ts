import type { Instant, Ppid } from "../net.ts";
import type { SessionId, SessionReport } from "../session/types.ts";
import { ComponentGroup, componentId } from "./component_id.ts";
import { HUNTING_STATUS, RegistrarContact } from "./registrar_contact.ts";
import { count } from "./registrar_status.ts";
import { SCTP_PROTOCOL } from "./report.ts";
import { microseconds } from "./reporter.ts";
import type { ComponentStatus } from "./reporter.ts";

/** How a pool user is, as its reports tell: its sessions with elements, its registrar, and what it does. */
export class UserStatus {
  readonly #contact = new RegistrarContact();
  readonly #sessions = new Map<SessionId, { readonly elementId: number; readonly since: Instant }>();
  readonly #ppid: Ppid;
  #text = "";

  /** @param ppid what is spoken with elements */
  constructor(ppid: Ppid) {
    this.#ppid = ppid;
  }

  /** Takes a report of the session client. */
  report(report: SessionReport, now: Instant): void {
    switch (report.type) {
      case "sessionUp":
        if (!("elementId" in report)) return; // a service host's
        this.#sessions.set(report.session, { elementId: report.elementId, since: now });
        return;
      case "sessionFailover":
        if (report.state === "necessary") this.#sessions.delete(report.session);
        else this.#sessions.set(report.session, { elementId: report.elementId, since: now });
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

  /** What it does, in words: told as long as it does one thing, in one session. */
  says(text: string): void {
    this.#text = text;
  }

  /**
   * How it is now.
   *
   * @param location where it is
   */
  status(location: string, now: Instant): ComponentStatus {
    const sessions = [...this.#sessions.values()];
    const own = this.#text !== "" && sessions.length === 1 ? this.#text : count(sessions.length, "Session");
    return {
      location,
      status: this.#contact.isHunting ? HUNTING_STATUS : own,
      workload: undefined,
      associations: [
        ...this.#contact.associations(now),
        ...sessions.map(({ elementId, since }) => ({
          receiver: componentId(ComponentGroup.element, elementId),
          durationUs: microseconds(now - since),
          protocol: SCTP_PROTOCOL,
          ppid: this.#ppid,
        })),
      ],
    };
  }
}
