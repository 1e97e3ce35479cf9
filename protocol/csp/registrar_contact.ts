import { Ppid } from "../net.ts";
import type { Instant } from "../net.ts";
import type { SessionReport } from "../session/types.ts";
import { ComponentGroup, componentId } from "./component_id.ts";
import { SCTP_PROTOCOL } from "./report.ts";
import type { ComponentAssociation } from "./report.ts";
import { microseconds } from "./reporter.ts";

/** What a pool element or a pool user has with registrars, as its reports tell. */
export class RegistrarContact {
  /** 0 = its ID is not known yet. */
  #registrarId = 0;
  /** Since when there is an association; undefined = there is none. */
  #since: Instant | undefined;
  #isHunting = false;

  /** Whether a registrar is looked for. */
  get isHunting(): boolean {
    return this.#isHunting;
  }

  /** Takes a report; most have nothing to do with registrars. */
  report(report: SessionReport, now: Instant): void {
    switch (report.type) {
      case "huntWaiting":
      case "huntConnecting":
        this.#isHunting = true;
        return;
      case "registrarFound":
        this.#isHunting = false;
        this.#registrarId = report.registrarId;
        this.#since = now;
        return;
      case "registrarLost":
        this.#since = undefined;
        return;
      case "registered":
      case "keepAlive":
        if (report.registrarId !== 0) this.#registrarId = report.registrarId;
    }
  }

  /** The association with the registrar, if there is one; as long as nobody said who it is, it has ID 0. */
  associations(now: Instant): ComponentAssociation[] {
    if (this.#since === undefined) return [];
    return [{
      receiver: componentId(ComponentGroup.registrar, this.#registrarId),
      durationUs: microseconds(now - this.#since),
      protocol: SCTP_PROTOCOL,
      ppid: Ppid.asap,
    }];
  }
}

/** What RSPLIB's programs say while they look for a registrar. */
export const HUNTING_STATUS = "Looking for Registrar ...";
