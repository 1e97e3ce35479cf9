import type { Instant } from "../../net.ts";
import type { ImageStatistics } from "./client_types.ts";
import type { FractalParameter } from "./messages.ts";
import { FractalPart } from "./part.ts";
import { PartSession } from "./part_session.ts";
import type { Rectangle } from "./subimage.ts";

/** An image at the pool user: its parts, and what it took so far. */
export class FractalImage {
  readonly parts: readonly PartSession[];
  /** PEs that were left before a part was complete. */
  failovers = 0;
  /** Parts that ended with points missing. */
  repairs = 0;
  /** Messages that could not be used. */
  invalid = 0;
  readonly #startedAt: Instant;
  readonly #elements = new Map<number, { messages: number; points: number; repeated: number }>();
  #missing: number;

  /** @param areas of the parts, which cover the image */
  constructor(parameter: FractalParameter, areas: readonly Rectangle[], now: Instant) {
    this.parts = areas.map((area, index) => new PartSession(new FractalPart(parameter, area), index));
    this.#startedAt = now;
    this.#missing = parameter.width * parameter.height;
  }

  /** Points that are not there yet. */
  get missing(): number {
    return this.#missing;
  }

  /** Whether all parts are done. */
  get isDone(): boolean {
    return this.parts.every(({ phase }) => phase === "done");
  }

  /** The PE of a part has given points. @param fresh how many of them were new */
  take(part: PartSession, points: number, fresh: number): void {
    this.#missing -= fresh;
    part.gave(points, fresh);
    let element = this.#elements.get(part.elementId);
    if (element === undefined) {
      element = { messages: 0, points: 0, repeated: 0 };
      this.#elements.set(part.elementId, element);
    }
    element.messages++;
    element.points += fresh;
    element.repeated += points - fresh;
  }

  /** What it took. */
  statistics(now: Instant): ImageStatistics {
    const { failovers, repairs, invalid } = this;
    const elements = [...this.#elements].map(([elementId, counts]) => ({ elementId, ...counts }));
    return { durationMs: now - this.#startedAt, failovers, repairs, invalid, elements };
  }
}
