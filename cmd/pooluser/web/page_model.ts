/** What a page knows of the present image: everything for one that comes, and what has changed for the others. */
import { printable } from "../../driver/printable.ts";
import type { FractalClientReport, FractalPoints } from "../../../protocol/app/fractal/client_types.ts";
import { partition } from "../../../protocol/app/fractal/subimage.ts";
import type { Rectangle } from "../../../protocol/app/fractal/subimage.ts";
import { showId } from "../../../protocol/param/describe.ts";
import { elementNumber, MAX_ELEMENT_NUMBER } from "../display.ts";
import type { ImageProgress } from "../display.ts";
import { ChangedList } from "./changed_list.ts";
import { NewList } from "./new_list.ts";
import type { PageElement, PageEvent, PageFailover, PageImage, PagePart, PageUpdate } from "./page_words.ts";
import { PointBatch } from "./point_batch.ts";

/** Events and failovers that a page is shown; what is older is in the log. */
const MAX_LISTED = 200;

/** Longest text of an event; reasons may be a peer's words. */
const MAX_TEXT_LENGTH = 500;

/** What a snapshot has of an image. */
export interface ModelSnapshot {
  readonly image: PageImage | null;
  readonly elements: readonly PageElement[];
  readonly parts: readonly PagePart[];
  readonly failovers: readonly PageFailover[];
  readonly events: readonly PageEvent[];
}

/** What of an image has changed. */
export type ModelChanges = Omit<PageUpdate, "sequence" | "status">;

/** Facts of the course that a page shows beside the image. */
export interface CourseFacts {
  readonly name: string;
  readonly sessions: number;
  readonly depth: number;
  readonly slideShow: boolean;
}

/** The present image as a page knows it. */
export class PageModel {
  readonly #batch = new PointBatch();
  readonly #elements = new ChangedList<PageElement>();
  readonly #parts = new ChangedList<PagePart>();
  readonly #failovers = new NewList<PageFailover>(MAX_LISTED);
  readonly #events = new NewList<PageEvent>(MAX_LISTED);
  #progress: ImageProgress | undefined;
  #image: PageImage | null = null;
  #areas: readonly Rectangle[] = [];
  /** The first point behind the last one of each part, within it. */
  #positions: number[] = [];

  /** Failovers of the image. */
  get failoverCount(): number {
    return this.#failovers.total;
  }

  /** An image begins. */
  begin(progress: ImageProgress, { name, sessions, depth }: CourseFacts): void {
    const { type: _, ...parameter } = progress.parameter;
    const areas = partition(parameter.width, parameter.height, sessions);
    this.#progress = progress;
    this.#image = {
      number: progress.image,
      name,
      parameter,
      sessions,
      depth,
      areas: areas.map(({ left, top, width, height }) => [left, top, width, height] as const),
    };
    this.#areas = areas;
    this.#positions = areas.map(() => 0);
    this.#batch.clear();
    this.#elements.reset([]);
    this.#parts.reset(areas.map(() => ({ phase: "seeking", element: -1, points: 0, failovers: 0 })));
    this.#failovers.reset();
  }

  /**
   * Points have come.
   *
   * @param fresh how many of them were not there before
   * @param isWatched whether pages want to hear of the points themselves
   */
  grown(report: FractalPoints, fresh: number, isWatched: boolean): void {
    const { part: index, area, x, y, values, elementId } = report;
    const element = this.#elementOf(elementId);
    const { messages, points, repeated, id } = this.#elements.at(element)!;
    this.#elements.set(element, {
      id,
      messages: messages + 1,
      points: points + fresh,
      repeated: repeated + values.length - fresh,
    });
    const part = this.#parts.at(index);
    if (part === undefined) return;
    this.#parts.set(index, { ...part, element, points: part.points + fresh });
    this.#positions[index] = (y - area.top) * area.width + x - area.left + values.length;
    if (isWatched) this.#batch.add(report, element);
  }

  /** Something has happened to a part. @param at milliseconds since 1970 */
  report(report: FractalClientReport, at: number): void {
    switch (report.type) {
      case "partRequested":
      case "partResumed":
        return this.#change(report.part, { phase: "working", element: this.#elementOf(report.elementId) });
      case "partCompleted":
        return this.#change(report.part, { phase: "done" });
      case "partIncomplete":
        return this.#change(report.part, { phase: "seeking" });
      case "partFailover": {
        const failovers = (this.#parts.at(report.part)?.failovers ?? 0) + 1;
        this.#change(report.part, { phase: "seeking", failovers });
        return this.#failovers.add(this.#failoverOf(report, at));
      }
      default:
        return;
    }
  }

  /** Something has happened that is worth a line. */
  event({ level, text, at }: Omit<PageEvent, "number">): void {
    this.#events.add({ number: this.#events.total + 1, level, text: shownText(text), at });
  }

  /** Everything. */
  snapshot(): ModelSnapshot {
    return {
      image: this.#image,
      elements: this.#elements.all,
      parts: this.#parts.all,
      failovers: this.#failovers.all,
      events: this.#events.all,
    };
  }

  /** What has changed since the last call; undefined = nothing. */
  takeChanges(): ModelChanges | undefined {
    const changes = {
      ...entry("elements", this.#elements.take()),
      ...entry("parts", this.#parts.take()),
      ...entry("failovers", this.#failovers.take()),
      ...entry("events", this.#events.take()),
      ...this.#batch.take(),
    };
    return Object.keys(changes).length === 0 ? undefined : changes;
  }

  /** The number of an element, which is listed from now on. */
  #elementOf(elementId: number): number {
    const number = elementNumber(this.#progress!, elementId);
    if (this.#elements.at(number) === undefined) {
      const id = number === MAX_ELEMENT_NUMBER ? "others" : showId(elementId);
      this.#elements.set(number, { id, messages: 0, points: 0, repeated: 0 });
    }
    return number;
  }

  #change(index: number, change: Partial<PagePart>): void {
    const part = this.#parts.at(index);
    if (part !== undefined) this.#parts.set(index, { ...part, ...change });
  }

  #failoverOf(
    { part, elementId, reason, hasCookie }: Extract<FractalClientReport, { type: "partFailover" }>,
    at: number,
  ): PageFailover {
    const { left, top, width, height } = this.#areas[part] ?? { left: 0, top: 0, width: 1, height: 1 };
    const position = Math.min(this.#positions[part] ?? 0, width * height - 1);
    return {
      number: this.#failovers.total + 1,
      part,
      elementId: showId(elementId),
      reason: shownText(reason),
      cookie: hasCookie,
      x: left + position % width,
      y: top + Math.floor(position / width),
      at,
    };
  }
}

/** A stranger's text: neither longer than anybody reads, nor with characters that turn what follows around. */
function shownText(stranger: string): string {
  const text = printable(stranger);
  return text.length <= MAX_TEXT_LENGTH ? text : text.slice(0, MAX_TEXT_LENGTH - 1) + "…";
}

/** A property, unless there is nothing in it. */
function entry<Name extends string, Value>(
  name: Name,
  values: readonly Value[],
): { readonly [name in Name]?: readonly Value[] } {
  return values.length === 0 ? {} : { [name]: values } as { readonly [name in Name]: readonly Value[] };
}
