// @ts-check
/** What happened, as a list, and aloud. */
import { make, setText } from "shared/dom.js";
import { clockText, countOf, EVENT_SIGNS, eventLines } from "./words.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../facts.ts").EventFact} EventFact */

/** Lines of the list. */
const MAX_LINES = 120;

/** Nobody listens to more than this often. */
const ANNOUNCE_MS = 3000;

/** A list in a page. */
export class EventList {
  #list;
  #scene;
  #onPick;
  /** The lines that are shown, by what they say. @type {string | undefined} */
  #shown;

  /**
   * @param {object} plan
   * @param {HTMLElement} plan.list
   * @param {Scene} plan.scene
   * @param {(event: EventFact) => void} plan.onPick
   */
  constructor({ list, scene, onPick }) {
    this.#list = list;
    this.#scene = scene;
    this.#onPick = onPick;
  }

  /** The scene has changed. */
  update() {
    const lines = eventLines(this.#scene.events, MAX_LINES);
    const known = lines.map(({ event, text }) => `${event.number} ${text}`), shown = known.join("\n");
    if (shown === this.#shown) return;
    this.#shown = shown;
    const list = this.#list;
    const items = new Map([...list.children].map((item) => [item.getAttribute("data-key"), item]));
    const wanted = lines.map(({ event, text }, index) => {
      const key = known[index] ?? "";
      return items.get(key) ?? this.#item(event, text, key);
    });
    // What stays is not touched: who goes through the events by keyboard may be there.
    const staying = new Set(wanted);
    for (const item of [...list.children]) if (!staying.has(item)) item.remove();
    for (const [index, item] of wanted.entries()) {
      const there = list.children[index] ?? null;
      if (there !== item) list.insertBefore(item, there);
    }
    if (lines.length === 0) this.#list.replaceChildren(make("li", { class: "faint" }, "Nothing yet."));
  }

  /**
   * @param {EventFact} event
   * @param {string} text
   * @param {string} key
   */
  #item(event, text, key) {
    const button = make(
      "button",
      { type: "button", class: "event", "data-type": event.type },
      make("span", { class: "sign", "aria-hidden": "true" }, EVENT_SIGNS[event.type]),
      make("time", {}, clockText(this.#scene.timeOf(event.at))),
      make("span", {}, text),
    );
    button.addEventListener("click", () => this.#onPick(event));
    return make("li", { "data-key": key }, button);
  }
}

/** Says what happened to those who do not see it: seldom, and in short. */
export class Announcer {
  #place;
  /** @type {string[]} */
  #waiting = [];
  #timer = 0;

  /** @param {HTMLElement} place a live region */
  constructor(place) {
    this.#place = place;
  }

  /**
   * Says something at once: somebody asked for it.
   *
   * @param {string} text
   */
  say(text) {
    setText(this.#place, text);
  }

  /**
   * Something has happened.
   *
   * @param {readonly EventFact[]} events oldest first
   */
  tell(events) {
    this.#waiting.push(...eventLines(events, 5).reverse().map(({ text }) => text));
    if (this.#timer === 0 && this.#waiting.length > 0) {
      this.#timer = setTimeout(() => this.#speak(), ANNOUNCE_MS);
    }
  }

  #speak() {
    const texts = this.#waiting;
    this.#waiting = [];
    this.#timer = 0;
    const more = texts.length > 3 ? `, and ${texts.length - 3} more events` : "";
    this.say(`${texts.slice(0, 3).join("; ")}${more}`);
  }
}

/**
 * How many there are of each kind, in the line at the top.
 *
 * @param {HTMLElement} place
 * @param {readonly number[]} counts registrars, elements, users, others
 */
export function showCounts(place, counts) {
  const groups = [1, 2, 3, 0];
  counts.forEach((count, index) => {
    const group = groups[index] ?? 0;
    let item = place.querySelector(`[data-group="${group}"]`);
    if (item === null) place.append(item = make("li", { "data-group": group }));
    setText(item, countOf(group, count));
    item.toggleAttribute("hidden", group === 0 && count === 0);
  });
}

/**
 * Whom an event is about, as far as they are still there.
 *
 * @param {EventFact} event
 * @param {Scene} scene
 */
export function presentParty({ component, to, type }, scene) {
  const ids = type === "takeover" ? [to?.id, component.id] : [component.id, to?.id];
  return ids.find((id) => scene.get(id) !== undefined);
}
