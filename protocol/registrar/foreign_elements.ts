import type { ElementEntry, Handlespace } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import type { Instant } from "../net.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import { assert } from "../wire/mod.ts";
import { expiryOf } from "./expiry.ts";
import type { RegistrarReport, RemovalReason } from "./report.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** What the foreign elements need of the registrar around them. */
export interface ForeignElementsContext {
  readonly registrarId: number;
  readonly handlespace: Handlespace;
  readonly statistics: RegistrarStatistics;
  readonly report: (report: RegistrarReport) => void;
  /** An element that was ours is another registrar's now: its supervision here ends. */
  readonly disown: (entry: ElementEntry) => void;
  /** Whether a registrar is believed to live, so that it sees to its elements itself. */
  readonly lives: (registrarId: number) => boolean;
}

/**
 * The elements of other registrars in our handlespace. Their home supervises them and tells what becomes of them; the
 * checksum audit finds what we missed. Only when a home is gone, and nobody takes over, do they go by themselves: when
 * their registration life has passed since they were last told of.
 */
export class ForeignElements {
  readonly #context: ForeignElementsContext;
  readonly #lives = new TimerQueue<ElementEntry>();

  /** @param context the registrar around them */
  constructor(context: ForeignElementsContext) {
    this.#context = context;
  }

  /** How many of them may expire. */
  get size(): number {
    return this.#lives.size;
  }

  /**
   * Takes in what another registrar tells of an element: for the first time or again, from now on or until now ours
   * (it registered there).
   *
   * @returns undefined when it cannot be in our handlespace, or says that we are its home, which we would know
   */
  take(poolHandle: PoolHandle, element: PoolElement, now: Instant): ElementEntry | undefined {
    const { registrarId, handlespace, statistics, disown } = this.#context;
    if (element.homeRegistrarId === registrarId || element.homeRegistrarId === 0) return undefined;
    const present = handlespace.find(poolHandle, element.elementId);
    const wasOurs = present?.homeRegistrarId === registrarId;
    const result = handlespace.register(poolHandle, element);
    if (result.type === "refused") {
      statistics.limitsMet++;
      return undefined;
    }
    const { entry } = result;
    if (wasOurs) disown(entry);
    this.#live(entry, now);
    return entry;
  }

  /** An element has got another home, not ours. */
  renew(entry: ElementEntry, now: Instant): void {
    this.#live(entry, now);
  }

  /** Takes out an element that its home does not have any more. */
  remove(entry: ElementEntry, reason: RemovalReason): void {
    const { handlespace, statistics, report } = this.#context;
    statistics.removals++;
    this.release(entry);
    handlespace.remove(entry);
    report({ type: "removed", poolHandle: entry.pool.poolHandle, elementId: entry.elementId, reason });
  }

  /** An element is ours from now on, or gone: its life is not looked after here. */
  release(entry: ElementEntry): void {
    this.#lives.clear(entry);
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    for (let entry = this.#lives.takeDue(now); entry !== undefined; entry = this.#lives.takeDue(now)) {
      // RSPLIB's registrars do not enforce lives: what they keep we would have to fetch again at their next presence.
      if (this.#context.lives(entry.homeRegistrarId)) this.#live(entry, now);
      else this.remove(entry, "registration expired");
    }
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#lives.next();
  }

  /** @throws {InvariantError} when a life is not looked after, or one that is not foreign */
  checkInvariants(): void {
    const { handlespace, registrarId } = this.#context;
    let count = 0;
    for (const { elements } of handlespace.pools()) {
      for (const entry of elements.values()) {
        const mortal = entry.homeRegistrarId !== registrarId && expiryOf(entry.element, 0) !== undefined;
        assert(mortal === (this.#lives.dueAt(entry) !== undefined), "foreign lives end, and only those");
        if (mortal) count++;
      }
    }
    assert(count === this.#lives.size, "nobody's life is looked after beyond its end");
  }

  #live(entry: ElementEntry, now: Instant): void {
    const expiresAt = expiryOf(entry.element, now);
    if (expiresAt === undefined) this.#lives.clear(entry);
    else this.#lives.set(entry, expiresAt);
  }
}
