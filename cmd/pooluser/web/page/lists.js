// @ts-check
/** The lists beside the picture: elements, sessions, failovers, and what happened. */
import { byId, make, setAttributes, setText } from "shared/dom.js";
import { percent, timeOfDay, whole } from "./format.js";
import { elementHue } from "./picture.js";

/** @typedef {import("../page_words.ts").PageElement} PageElement */
/** @typedef {import("../page_words.ts").PageEvent} PageEvent */
/** @typedef {import("../page_words.ts").PageFailover} PageFailover */
/** @typedef {import("../page_words.ts").PagePart} PagePart */

/** Lines that a list keeps. */
const MAX_LINES = 200;

/** A rate is taken over so long at least, in milliseconds. */
const RATE_MS = 1000;

const PHASES = { seeking: "looks for one", working: "computes", done: "done" };

/**
 * The elements with their share of the image.
 */
export class ElementList {
  #body = byId("elements", HTMLTableSectionElement);
  #empty = byId("no-elements", HTMLElement);
  /** @type {ElementRow[]} */
  #rows = [];
  #highlighted = -1;
  /** @type {(element: number) => void} */
  #onHighlight;

  /** @param {(element: number) => void} onHighlight told which element's points are to stand out; -1 = none */
  constructor(onHighlight) {
    this.#onHighlight = onHighlight;
  }

  /** Begins an image. */
  reset() {
    this.#body.replaceChildren();
    this.#rows = [];
    this.#highlighted = -1;
    this.#empty.hidden = false;
  }

  /** @param {number} index @param {PageElement} element @param {number} total points of the image @param {number} now */
  set(index, element, total, now) {
    let row = this.#rows[index];
    if (row === undefined) {
      row = new ElementRow(index, element.id, () => this.#toggle(index));
      this.#rows[index] = row;
      this.#body.append(row.row);
      this.#empty.hidden = true;
    }
    row.set(element, total, now);
  }

  /** @param {ReadonlyMap<number, number>} sessions how many sessions each element has @param {boolean} isComputing @param {number} now */
  tick(sessions, isComputing, now) {
    for (const [index, row] of this.#rows.entries()) row?.tick(sessions.get(index) ?? 0, isComputing, now);
  }

  /** @param {number} index */
  #toggle(index) {
    this.#highlighted = this.#highlighted === index ? -1 : index;
    for (const [other, row] of this.#rows.entries()) row?.press(other === this.#highlighted);
    this.#onHighlight(this.#highlighted);
  }
}

/** A row of the elements. */
class ElementRow {
  row;
  #button;
  #sessions = make("td", { class: "number" });
  #rate = make("td", { class: "number" });
  #again = make("td", { class: "number" });
  #share = make("td", { class: "number" });
  #points = 0;
  #ratePoints = 0;
  #rateAt;
  #rateText = "";

  /** @param {number} index @param {string} id @param {() => void} onPress */
  constructor(index, id, onPress) {
    const swatch = make("span", { class: "swatch" });
    const hue = elementHue(index);
    swatch.style.background = `hsl(${hue} 70% 55%)`;
    this.#button = make(
      "button",
      { type: "button", "aria-pressed": false, title: "Show its points" },
      swatch,
      id,
    );
    this.#button.addEventListener("click", onPress);
    this.#rateAt = performance.now();
    this.row = make(
      "tr",
      {},
      make("th", { scope: "row" }, this.#button),
      this.#sessions,
      this.#rate,
      this.#again,
      this.#share,
    );
    const tint = `hsl(${hue} 70% 55% / 22%)`;
    this.row.style.backgroundImage = `linear-gradient(${tint}, ${tint})`;
    this.press(false);
  }

  /** @param {PageElement} element @param {number} total @param {number} now */
  set({ points, repeated }, total, now) {
    if (this.#points === 0) this.#rateAt = now;
    this.#points = points;
    setText(this.#again, whole(repeated));
    setText(this.#share, `${(100 * points / total).toFixed(1)} %`);
    this.row.style.backgroundSize = `${100 * points / total}% 100%`;
  }

  /** @param {number} sessions @param {boolean} isComputing @param {number} now */
  tick(sessions, isComputing, now) {
    setText(this.#sessions, whole(sessions));
    const elapsedMs = now - this.#rateAt;
    if (elapsedMs >= RATE_MS) {
      this.#rateText = whole(1000 * (this.#points - this.#ratePoints) / elapsedMs);
      this.#ratePoints = this.#points;
      this.#rateAt = now;
    }
    setText(this.#rate, isComputing ? this.#rateText : "");
  }

  /** @param {boolean} isPressed */
  press(isPressed) {
    this.#button.setAttribute("aria-pressed", String(isPressed));
  }
}

/** The sessions with their elements. */
export class PartList {
  #body = byId("parts", HTMLTableSectionElement);
  /** @type {PartRow[]} */
  #rows = [];

  /** Begins an image. @param {readonly (readonly [number, number, number, number])[]} areas */
  reset(areas) {
    this.#rows = areas.map(([, , width, height], index) => new PartRow(index, width * height));
    this.#body.replaceChildren(...this.#rows.map(({ row }) => row));
  }

  /** @param {number} index @param {PagePart} part @param {string} element its ID; empty = none yet */
  set(index, part, element) {
    this.#rows[index]?.set(part, element);
  }
}

/** A row of the sessions. */
class PartRow {
  row;
  #total;
  #state = make("td");
  #element = make("td", { class: "mono" });
  #failovers = make("td", { class: "number" });
  #done = make("td", { class: "number" });

  /** @param {number} index @param {number} total points of the part */
  constructor(index, total) {
    this.#total = total;
    const head = make("th", { scope: "row", class: "number" }, String(index + 1));
    this.row = make("tr", {}, head, this.#state, this.#element, this.#failovers, this.#done);
  }

  /** @param {PagePart} part @param {string} element */
  set({ phase, points, failovers }, element) {
    setAttributes(this.#state, { class: phase });
    setText(this.#state, PHASES[phase]);
    setText(this.#element, element);
    setText(this.#failovers, whole(failovers));
    setText(this.#done, percent(points / this.#total));
  }
}

/** The failovers of the image, the newest first. */
export class FailoverList {
  #list = byId("failovers", HTMLOListElement);
  #empty = byId("no-failovers", HTMLElement);

  reset() {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** @param {PageFailover} failover */
  add({ part, elementId, reason, cookie, at }) {
    this.#empty.hidden = true;
    const how = cookie ? "goes on from its cookie" : "begins anew: there is no cookie";
    const text = `Session ${part + 1} left ${elementId} (${reason}); ${how}`;
    prepend(this.#list, at, text, "note");
  }
}

/** What happened, the newest first. */
export class EventList {
  #list = byId("events", HTMLOListElement);

  reset() {
    this.#list.replaceChildren();
  }

  /** @param {PageEvent} event */
  add({ text, level, at }) {
    prepend(this.#list, at, text, level);
  }
}

/** @param {HTMLOListElement} list @param {number} at @param {string} text @param {string} level */
function prepend(list, at, text, level) {
  const time = make("time", { datetime: new Date(at).toISOString() }, timeOfDay(at));
  list.prepend(make("li", {}, time, make("span", { class: level }, text)));
  if (list.childElementCount > MAX_LINES) list.lastElementChild?.remove();
}
