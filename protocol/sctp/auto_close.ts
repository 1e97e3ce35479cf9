import type { Instant } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import { NEVER } from "./path.ts";

/** Shuts an association down that nobody has used for a while (RFC 6458 §8.1.8). */
export class AutoClose {
  /** When the idle time is over. */
  dueAt: Instant = NEVER;
  readonly #parts: AssociationParts;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /** Something was sent or received for the user: the idle time begins anew. */
  touch(now: Instant): void {
    const { association, settings: { autoCloseMs } } = this.#parts;
    if (autoCloseMs === 0 || association.state !== "established") return;
    this.dueAt = now + autoCloseMs;
    this.#parts.arm(this.dueAt);
  }

  stop(): void {
    this.dueAt = NEVER;
  }

  tick(now: Instant): void {
    if (this.dueAt > now) return;
    this.stop();
    this.#parts.association.shutdown(now);
  }
}
