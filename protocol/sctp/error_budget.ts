import type { Instant } from "../net.ts";
import { MAX_ERRORS_PER_SECOND } from "./limits.ts";

/** How many ERROR chunks an association may still send: a peer must not make it answer every oddity. */
export class ErrorBudget {
  #secondStartedAt: Instant = -Infinity;
  #spent = 0;

  /** @returns whether one more may be sent now */
  spend(now: Instant): boolean {
    if (now - this.#secondStartedAt >= 1000) {
      this.#secondStartedAt = now;
      this.#spent = 0;
    }
    return this.#spent++ < MAX_ERRORS_PER_SECOND;
  }
}
