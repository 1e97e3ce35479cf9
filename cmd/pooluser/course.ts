/** Which image is computed next, and when: as the options say, and as a person at the page wishes. Pure but for the choice. */
import { OptionError } from "../options.ts";
import type { CommandOutcome } from "../web/web_server.ts";
import type { FractalParameter } from "../../protocol/app/fractal/messages.ts";
import type { Instant } from "../../protocol/net.ts";
import type { ChosenImage } from "./choose_image.ts";
import { Views } from "./views.ts";
import type { Wish } from "./wish.ts";

/** A page that is loaded anew is away for a moment: so long it is waited for, in milliseconds. */
const RELOAD_MS = 5000;

/** What the options say of the course of images. */
export interface CoursePlan {
  /** How many images; 0 = one after another without end. */
  readonly images: number;
  /** From one image to the next. */
  readonly intervalMs: number;
  /** Whether the program stays for wishes when the images are complete and no page is open. */
  readonly stays: boolean;
  readonly sessions: number;
  readonly first: ChosenImage;
  /** Chooses another image, as the options say. */
  readonly choose: () => ChosenImage;
  /** One of the own set. */
  readonly named: (name: string) => ChosenImage | undefined;
  /** Takes words for people: why an image follows itself, in the place of another one. */
  readonly onProblem: (problem: string) => void;
}

/** What is to be done while nothing is computed. */
export type NextStep =
  | { readonly type: "compute" }
  | { readonly type: "wait"; readonly until: Instant }
  | { readonly type: "end" };

/** What came of a wish; `anew` = an image is to be computed at once, in the place of the present one. */
export type WishOutcome = (CommandOutcome & { readonly ok: false }) | {
  readonly ok: true;
  readonly anew: boolean;
};

const DONE: WishOutcome = { ok: true, anew: false };
const ANEW: WishOutcome = { ok: true, anew: true };

/**
 * The course of images.
 *
 * Without a page, it is what the options say: so many images, a pause between two of them. While a page is open the person
 * at it decides: images follow each other as long as the slide show is on, which whoever looks closer switches off; and the
 * program does not end. When the last page is closed the options count again.
 */
export class Course {
  readonly #plan: CoursePlan;
  #name: string;
  #views: Views;
  #sessions: number;
  #slideShow: boolean;
  /** What somebody has wished for; undefined = each image's own. */
  #size: { readonly width: number; readonly height: number } | undefined;
  #completed = 0;
  #completedAt: Instant = 0;
  #pages = 0;
  #leftAt: Instant = -Infinity;
  /** Whether something is to be computed at once. */
  #isWished = true;

  constructor(plan: CoursePlan) {
    this.#plan = plan;
    this.#name = plan.first.name;
    this.#views = new Views(plan.first.parameter);
    this.#sessions = plan.sessions;
    this.#slideShow = plan.images !== 1;
  }

  /** What the image is called. */
  get name(): string {
    return this.#name;
  }

  /** The view to compute. */
  get parameter(): FractalParameter {
    return this.#views.current;
  }

  /** In how many sessions. */
  get sessions(): number {
    return this.#sessions;
  }

  /** How many views there are to go back to. */
  get depth(): number {
    return this.#views.depth;
  }

  /** Whether images follow each other by themselves while a page is open. */
  get slideShow(): boolean {
    return this.#slideShow;
  }

  /** Whether there are as many images as the options say. */
  get isDone(): boolean {
    return this.#plan.images !== 0 && this.#completed >= this.#plan.images;
  }

  /** The computation of the present view begins. */
  started(): void {
    this.#isWished = false;
  }

  /** It is complete. */
  completed(now: Instant): void {
    this.#completed++;
    this.#completedAt = now;
    if (this.#completed === this.#plan.images) this.#slideShow = false;
  }

  /** It was given up. */
  failed(now: Instant): void {
    this.#completedAt = now;
  }

  /** So many pages are open. */
  pages(count: number, now: Instant): void {
    if (count === 0 && this.#pages > 0) this.#leftAt = now;
    this.#pages = count;
  }

  /** What is to be done now that nothing is computed. It chooses the next image when its time has come. */
  next(now: Instant): NextStep {
    if (this.#isWished) return { type: "compute" };
    const isShowing = this.#pages > 0 ? this.#slideShow : !this.isDone;
    if (isShowing) {
      const until = this.#completedAt + this.#plan.intervalMs;
      if (now < until) return { type: "wait", until };
      const problem = this.#choose(() => this.#plan.choose());
      // A file that is just being written is whole again at the next image.
      if (problem !== undefined) {
        this.#views.reset();
        this.#plan.onProblem(`no other image: ${problem}`);
      }
      return { type: "compute" };
    }
    if (this.#pages > 0 || this.#plan.stays) return { type: "wait", until: Infinity };
    const until = this.#leftAt + RELOAD_MS;
    return now < until ? { type: "wait", until } : { type: "end" };
  }

  /**
   * Takes a wish.
   *
   * @param image number of the present image
   */
  wish(wish: Wish, image: number): WishOutcome {
    if ("image" in wish && wish.image !== image) {
      return { ok: false, problem: "Another image is shown meanwhile." };
    }
    const outcome = this.#fulfil(wish);
    if (outcome.ok && outcome.anew) this.#isWished = true;
    return outcome;
  }

  #fulfil(wish: Wish): WishOutcome {
    switch (wish.type) {
      case "next":
        return this.#nextImage(wish.name);
      case "sessions":
        if (wish.sessions === this.#sessions) return DONE;
        this.#sessions = wish.sessions;
        return ANEW;
      case "size":
        this.#size = wish;
        return this.#views.resize(wish.width, wish.height) ? ANEW : DONE;
      case "zoom": {
        const view = this.#views.go(wish.region);
        return view.ok ? this.#looksCloser() : view;
      }
      case "back":
        return this.#views.back() ? this.#looksCloser() : noWayBack();
      case "reset":
        return this.#views.reset() ? this.#looksCloser() : noWayBack();
      case "slideShow":
        this.#slideShow = wish.on;
        return DONE;
    }
  }

  #nextImage(name: string | undefined): WishOutcome {
    const named = name === undefined ? undefined : this.#plan.named(name);
    if (name !== undefined && named === undefined) {
      return { ok: false, problem: "There is no image of this name." };
    }
    const problem = this.#choose(() => named ?? this.#plan.choose());
    return problem === undefined ? ANEW : { ok: false, problem: `There is no other image: ${problem}.` };
  }

  /** Takes another image, if there is one. @returns why there is none */
  #choose(choose: () => ChosenImage): string | undefined {
    try {
      this.#take(choose());
      return undefined;
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      return error.message;
    }
  }

  #take({ name, parameter }: ChosenImage): void {
    this.#name = name;
    this.#views = new Views(parameter);
    if (this.#size !== undefined) this.#views.resize(this.#size.width, this.#size.height);
  }

  /** Nobody who looks closer wants to have the image taken away. */
  #looksCloser(): WishOutcome {
    this.#slideShow = false;
    return ANEW;
  }
}

function noWayBack(): WishOutcome {
  return { ok: false, problem: "This is the whole image: there is nothing to go back to." };
}
