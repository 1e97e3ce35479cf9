// @ts-check
/** Which part of the picture is seen. */

/** How small and how big things can be seen, and how big they are at most when all is to be seen. */
const MIN_ZOOM = 0.08, MAX_ZOOM = 5, MAX_FIT = 1.6;

/** The share of the way to its goal that the camera goes in a frame of 60 a second. */
const EASE = 0.16;

/** A goal is reached when nobody sees the difference. */
const NEAR = 0.5;

/** @typedef {{ readonly left: number, readonly top: number, readonly right: number, readonly bottom: number }} Box */

/** Turns places of the picture into those of the window: `window = zoom * picture + (x, y)`. */
export class Camera {
  zoom = 1;
  x = 0;
  y = 0;
  width = 1;
  height = 1;
  /** The lower part of the window, where it says what the shapes mean. */
  legend = 0;
  /** Whether the camera looks at all that there is, until somebody moves it. */
  isFitting = true;
  /** @type {{ zoom: number, x: number, y: number } | undefined} */
  #goal;
  #isNew = true;

  /** Whether it is on its way. */
  get isMoving() {
    return this.#goal !== undefined;
  }

  /**
   * Looks at all.
   *
   * @param {Box | undefined} box
   * @param {boolean} isSudden without a way there
   */
  fit(box, isSudden) {
    if (!this.isFitting || box === undefined) return;
    const width = Math.max(1, box.right - box.left), height = Math.max(1, box.bottom - box.top);
    const free = Math.max(1, this.height - this.legend);
    const zoom = Math.min(Math.max(Math.min(this.width / width, free / height), MIN_ZOOM), MAX_FIT);
    this.#goal = {
      zoom,
      x: this.width / 2 - zoom * (box.left + box.right) / 2,
      y: free / 2 - zoom * (box.top + box.bottom) / 2,
    };
    if (isSudden || this.#isNew) this.#arrive();
    this.#isNew = false;
  }

  /**
   * A frame.
   *
   * @param {number} elapsedMs since the last one
   */
  step(elapsedMs) {
    const goal = this.#goal;
    if (goal === undefined) return;
    const share = 1 - (1 - EASE) ** (elapsedMs * 60 / 1000);
    this.zoom += (goal.zoom - this.zoom) * share;
    this.x += (goal.x - this.x) * share;
    this.y += (goal.y - this.y) * share;
    const far = Math.abs(goal.x - this.x) + Math.abs(goal.y - this.y) +
      Math.abs(goal.zoom - this.zoom) * 1000;
    if (far < NEAR) this.#arrive();
  }

  /**
   * Somebody zooms: what is at a place of the window stays there.
   *
   * @param {number} factor
   * @param {number} [x]
   * @param {number} [y]
   */
  zoomBy(factor, x = this.width / 2, y = this.height / 2) {
    this.#take();
    const zoom = Math.min(Math.max(this.zoom * factor, MIN_ZOOM), MAX_ZOOM), ratio = zoom / this.zoom;
    this.x = x - (x - this.x) * ratio;
    this.y = y - (y - this.y) * ratio;
    this.zoom = zoom;
  }

  /**
   * Somebody moves the picture.
   *
   * @param {number} x
   * @param {number} y
   */
  moveBy(x, y) {
    this.#take();
    this.x += x;
    this.y += y;
  }

  /**
   * Moves the picture no more than it takes to see a place.
   *
   * @param {number} x
   * @param {number} y
   * @returns {boolean} whether it took a move
   */
  show(x, y) {
    const margin = 40, [left, top] = this.toWindow(x, y);
    const stray = (/** @type {number} */ at, /** @type {number} */ size) => {
      return at < margin ? margin - at : at > size - margin ? size - margin - at : 0;
    };
    const strayX = stray(left, this.width), strayY = stray(top, this.height);
    const isAstray = strayX !== 0 || strayY !== 0;
    if (isAstray) this.moveBy(strayX, strayY);
    return isAstray;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]}
   */
  toWindow(x, y) {
    return [this.zoom * x + this.x, this.zoom * y + this.y];
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]}
   */
  toPicture(x, y) {
    return [(x - this.x) / this.zoom, (y - this.y) / this.zoom];
  }

  #take() {
    this.isFitting = false;
    this.#goal = undefined;
  }

  #arrive() {
    if (this.#goal !== undefined) Object.assign(this, this.#goal);
    this.#goal = undefined;
  }
}
