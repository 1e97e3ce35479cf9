// @ts-check
/** Brings the points that the program tells into the picture, and the whole picture where it has not told all of them. */

/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {NonNullable<import("../page_words.ts").PageUpdate["points"]>} Points */

/** Points that may wait for a picture under way, in messages; when there are more, it is fetched once more. */
const MAX_PENDING = 200;

/** Keeps a picture up to date. */
export class PictureFeed {
  #picture;
  /** What came since a picture was asked for. @type {{ readonly points: Points, readonly sequence: number }[]} */
  #pending = [];
  #isFetching = false;
  /** Whether the picture under way will be too old. */
  #isStale = false;

  /** @param {Picture} picture */
  constructor(picture) {
    this.#picture = picture;
  }

  /** Another image begins, or the same is told anew. */
  begin() {
    this.#pending = [];
  }

  /**
   * Takes points.
   *
   * @param {Points} points
   * @param {number} sequence
   */
  add(points, sequence) {
    this.#picture.add(points);
    if (this.#isFetching) this.#pending.push({ points, sequence });
    if (this.#pending.length <= MAX_PENDING) return;
    this.#pending = [];
    this.#isStale = true;
  }

  /** Fetches the whole picture; one at a time. */
  fetch() {
    this.#isStale = this.#isFetching;
    if (!this.#isFetching) void this.#fetch();
  }

  async #fetch() {
    this.#isFetching = true;
    try {
      const response = await fetch("/picture");
      const known = response.ok ? this.#picture.load(await response.arrayBuffer()) : undefined;
      for (const { points, sequence } of this.#pending) {
        if (known !== undefined && sequence > known) this.#picture.add(points);
      }
    } catch {
      // The program is gone: the feed says so, and a new snapshot comes when it is back.
    } finally {
      this.#pending = [];
      this.#isFetching = false;
      if (this.#isStale) this.fetch();
    }
  }
}
