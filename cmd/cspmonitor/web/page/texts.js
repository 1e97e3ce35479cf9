// @ts-check
/** Texts on a canvas. */

/** What the canvas writes with. */
export const FONT = '"DejaVu Sans", system-ui, sans-serif';

/** Widths are remembered for so many texts. */
const MAX_WIDTHS = 4000;

/** Draws texts that are legible on whatever is below, in the room that there is. */
export class Texts {
  #context;
  /** @type {Map<string, number>} */
  #widths = new Map();

  /** @param {CanvasRenderingContext2D} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * A text that is legible on lines.
   *
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {string} halo
   */
  outlined(text, x, y, halo) {
    const context = this.#context;
    context.lineJoin = "round";
    context.lineWidth = 3;
    context.strokeStyle = halo;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }

  /**
   * A text, cut to a width.
   *
   * @param {string} text
   * @param {number} width
   */
  fitted(text, width) {
    if (this.#widthOf(text) <= width) return text;
    const letters = Math.max(1, Math.floor(text.length * width / this.#widthOf(text)) - 1);
    return `${text.slice(0, letters)}…`;
  }

  /** @param {string} text */
  #widthOf(text) {
    const context = this.#context, key = `${context.font} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      if (this.#widths.size >= MAX_WIDTHS) this.#widths.clear();
      this.#widths.set(key, width = context.measureText(text).width);
    }
    return width;
  }
}
