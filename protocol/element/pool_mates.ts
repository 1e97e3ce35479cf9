import type { Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";

/** Others of its pool that a member wants to know. */
export const MAX_POOL_MATES = 7;

/** How long a member waits at first before it looks again who else is there; twice as long each time that it sees the same. */
const INITIAL_MS = 1000, MAX_MS = 10_000;

/** The others of a member's pool: it looks who they are, ever less often while they stay the same. */
export class PoolMates {
  readonly #elementId: number;
  readonly #look: (now: Instant) => void;
  #elements: readonly PoolElement[] = [];
  #intervalMs = INITIAL_MS;
  #lookAt: Instant | undefined;

  /**
   * @param elementId the member's own
   * @param look asks the registrar for the pool's elements; `found` takes the answer
   */
  constructor(elementId: number, look: (now: Instant) => void) {
    this.#elementId = elementId;
    this.#look = look;
  }

  /** In the order in which the pool's policy names them; another array when it is others. */
  get elements(): readonly PoolElement[] {
    return this.#elements;
  }

  /** The member is one: looks at once, and again and again. Further calls change nothing. */
  begin(now: Instant): void {
    this.#lookAt ??= now;
    this.tick(now);
  }

  /** The member is none any more. */
  end(): void {
    this.#lookAt = undefined;
  }

  /** The elements of the pool, the member perhaps among them. */
  found(elements: readonly PoolElement[]): void {
    const others = elements.filter(({ elementId }) => elementId !== this.#elementId).slice(0, MAX_POOL_MATES);
    const before = new Set(this.#elements.map(({ elementId }) => elementId));
    const isSame = others.length === before.size && others.every(({ elementId }) => before.has(elementId));
    if (isSame) return;
    this.#elements = others;
    this.#intervalMs = INITIAL_MS;
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    if (this.#lookAt === undefined || this.#lookAt > now) return;
    this.#lookAt = now + this.#intervalMs;
    this.#intervalMs = Math.min(2 * this.#intervalMs, MAX_MS);
    this.#look(now);
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#lookAt;
  }
}
