// @ts-check
/** The buttons and menus of the page: what they ask for, and which of them can do something now. */
import { byId, make, setAttributes } from "shared/dom.js";

/** @typedef {import("../page_words.ts").PageSnapshot} PageSnapshot */
/** @typedef {import("../page_words.ts").PageStatus} PageStatus */

/** What the colours may show besides the points' values. @typedef {"sessions" | "colormarks" | "elements"} Mark */

/**
 * Takes what a person at the controls wants.
 *
 * @typedef {object} ControlActions
 * @property {() => void} onNext the image that the menu names
 * @property {(isOn: boolean) => void} onSlideShow
 * @property {(sessions: number) => void} onSessions
 * @property {(direction: "in" | "out") => void} onZoom
 * @property {(type: "back" | "reset") => void} onBack
 * @property {() => void} onFit an image of the size that there is room for
 * @property {(mark: Mark) => void} onMark
 * @property {() => void} onSave
 */

/** The numbers of sessions in the menu of RSPLIB's window. */
const SESSION_CHOICES = [1, 2, 3, 4, 6, 8, 9, 16, 25, 36, 49, 64, 81, 100, 144, 225, 256, 400];

/** By the name of the button. @type {readonly (readonly [string, Mark])[]} */
const MARKS = [["show-sessions", "sessions"], ["show-failovers", "colormarks"], [
  "show-elements",
  "elements",
]];

/** The controls. */
export class Controls {
  #names = byId("name", HTMLSelectElement);
  #sessions = byId("sessions", HTMLSelectElement);
  /** Whether there is a slide show. */
  #hasSlideShow = false;

  /** @param {ControlActions} actions */
  constructor(actions) {
    onClick("next", actions.onNext);
    onClick("slide-show", () => actions.onSlideShow(!this.#hasSlideShow));
    onClick("zoom-in", () => actions.onZoom("in"));
    onClick("zoom-out", () => actions.onZoom("out"));
    onClick("fit", actions.onFit);
    onClick("back", () => actions.onBack("back"));
    onClick("whole", () => actions.onBack("reset"));
    for (const [id, mark] of MARKS) onClick(id, () => actions.onMark(mark));
    onClick("save", actions.onSave);
    this.#sessions.addEventListener("change", () => actions.onSessions(Number(this.#sessions.value)));
  }

  /** The image that the menu names; empty = any. */
  get name() {
    return this.#names.value;
  }

  /** Fills the menus. @param {PageSnapshot} snapshot */
  fill({ names, image, maxSessions }) {
    if (this.#names.options.length === 1) {
      this.#names.append(...names.map((name) => make("option", { value: name }, name)));
    }
    const sessions = image?.sessions ?? 1;
    const choices = [...new Set([...SESSION_CHOICES.filter((choice) => choice <= maxSessions), sessions])];
    const options = choices.sort((a, b) => a - b).map((number) =>
      make("option", { value: number }, String(number))
    );
    this.#sessions.replaceChildren(...options);
    this.#sessions.value = String(sessions);
  }

  /**
   * Buttons that cannot do anything now look like it.
   *
   * @param {PageSnapshot | undefined} snapshot
   * @param {PageStatus | undefined} status
   * @param {Readonly<Record<Mark, boolean>>} marks which are shown
   */
  show(snapshot, status, marks) {
    const hasEnded = status?.state === "ended", depth = snapshot?.image?.depth ?? 0;
    for (const id of ["next", "slide-show", "zoom-in", "zoom-out", "fit"]) {
      byId(id, HTMLButtonElement).disabled = snapshot?.image === null || hasEnded;
    }
    for (const id of ["back", "whole"]) byId(id, HTMLButtonElement).disabled = depth === 0 || hasEnded;
    this.#hasSlideShow = status?.slideShow === true;
    press("slide-show", this.#hasSlideShow);
    for (const [id, mark] of MARKS) press(id, marks[mark]);
  }
}

/** @param {string} id @param {() => void} act */
function onClick(id, act) {
  byId(id, HTMLButtonElement).addEventListener("click", act);
}

/** @param {string} id @param {boolean} isPressed */
function press(id, isPressed) {
  setAttributes(byId(id, HTMLButtonElement), { "aria-pressed": String(isPressed) });
}
