// @ts-check
/** The facts of the graph as a table: for those who read, search and sort, and for screen readers. */
import { make, setAttributes, setText } from "shared/dom.js";
import { groupOf, labelOf, percent, plural, shortLabel, spanText } from "./words.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */

/** Rows that are shown: whoever looks for one among more of them filters. */
const MAX_ROWS = 300;

/** Rows that are made at once. */
const NEW_ROWS = 40;

/** How often a table that nobody sees is brought up to date: a screen reader may be somewhere in it. */
const UNSEEN_MS = 3000;

/** Associations that are named in a row. */
const NAMED_LINKS = 4;

/**
 * @typedef {object} Column
 * @property {string} name
 * @property {boolean} [isNumber]
 * @property {boolean} [isWide] its texts are long
 * @property {(fact: ComponentFact, scene: Scene) => string} text
 * @property {(fact: ComponentFact) => string | number} order
 */

/** @type {readonly Column[]} */
const COLUMNS = [
  { name: "Component", text: ({ label }) => label, order: ({ id }) => id },
  { name: "Location", text: ({ location }) => location, order: ({ location }) => location },
  {
    name: "Pool",
    isWide: true,
    text: ({ pool }) => pool ?? "",
    order: ({ pool, id }) => `${pool ?? "\uffff"} ${id}`,
  },
  {
    name: "Load",
    isNumber: true,
    text: ({ load }) => load === null ? "" : percent(load),
    order: ({ load }) => -(load ?? -1),
  },
  {
    name: "Sessions",
    isNumber: true,
    text: ({ sessions }) => sessions === null ? "" : `${sessions}`,
    order: ({ sessions }) => -(sessions ?? -1),
  },
  { name: "Status", isWide: true, text: ({ status }) => status, order: ({ status }) => status },
  {
    name: "Up",
    isNumber: true,
    text: ({ startedAt }, { now }) => spanText(now - startedAt),
    order: ({ startedAt }) => startedAt,
  },
  {
    name: "Reports",
    text: ({ silentSince }, { now }) =>
      silentSince === null ? "in time" : `silent for ${spanText(now - silentSince)}`,
    order: ({ silentSince }) => silentSince ?? Infinity,
  },
  {
    name: "Connected with",
    isWide: true,
    text: linksText,
    order: ({ associationCount }) => -associationCount,
  },
];

/** A table in a page. */
export class Table {
  #scene;
  #onSelect;
  #count;
  #body = make("tbody");
  #heads;
  #order = 0;
  #isReversed = false;
  #filter = "";
  /** @type {string | undefined} */
  #selected;
  #isSeen = false;
  /** Of the next update that nobody sees. */
  #timer = 0;
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();

  /**
   * @param {object} plan
   * @param {HTMLElement} plan.place
   * @param {HTMLElement} plan.count where it says how many there are
   * @param {Scene} plan.scene
   * @param {(id: string) => void} plan.onSelect
   */
  constructor({ place, count, scene, onSelect }) {
    this.#scene = scene;
    this.#onSelect = onSelect;
    this.#count = count;
    this.#heads = COLUMNS.map(({ name, isNumber }, index) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => this.#sort(index));
      return make("th", { scope: "col", class: isNumber ? "number" : undefined }, button);
    });
    const caption = make("caption", { class: "unseen" }, "All components, with the facts of the graph");
    place.append(make("table", {}, caption, make("thead", {}, make("tr", {}, ...this.#heads)), this.#body));
    this.#markOrder();
    new IntersectionObserver((entries) => {
      this.#isSeen = entries.some(({ isIntersecting }) => isIntersecting);
      if (this.#isSeen) this.update(true);
    }).observe(place);
  }

  /**
   * The scene has changed.
   *
   * @param {boolean} [isUrgent] even if nobody sees it
   */
  update(isUrgent = false) {
    if (!isUrgent && !this.#isSeen) {
      this.#timer ||= setTimeout(() => this.update(true), UNSEEN_MS);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = 0;
    const wanted = [...this.#scene.components.values()].filter((fact) => this.wants(fact.id)).sort(
      this.#compare,
    );
    const shown = wanted.slice(0, MAX_ROWS), ids = new Set(shown.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    // A few rows at a time, so that nobody has to wait for three hundred of them.
    let left = NEW_ROWS, place = 0;
    for (const fact of shown) {
      if (!this.#rows.has(fact.id) && left-- <= 0) continue;
      const row = this.#row(fact), there = this.#body.children[place++] ?? null;
      if (there !== row) this.#body.insertBefore(row, there);
    }
    if (left < 0) this.#timer = setTimeout(() => this.update(true));
    this.#sayCount(wanted.length, shown.length);
  }

  /**
   * Somebody is selected.
   *
   * @param {string | undefined} id
   */
  select(id) {
    const before = this.#selected;
    this.#selected = id;
    for (const one of [before, id]) {
      const row = this.#rows.get(one ?? "");
      if (row !== undefined) this.#mark(row, one === id);
    }
  }

  /** @param {string} text what is looked for */
  filter(text) {
    this.#filter = text.trim().toLowerCase();
    this.update(true);
  }

  /** Whether something is looked for. */
  get isFiltering() {
    return this.#filter !== "";
  }

  /**
   * Whether a component has what is looked for.
   *
   * @param {string} id
   */
  wants(id) {
    const fact = this.#scene.get(id);
    if (fact === undefined || this.#filter === "") return true;
    const { label, location, status, pool, source } = fact;
    return `${label} ${location} ${status} ${pool ?? ""} ${source}`.toLowerCase().includes(this.#filter);
  }

  /** @type {(a: ComponentFact, b: ComponentFact) => number} */
  #compare = (a, b) => {
    const { order } = /** @type {Column} */ (COLUMNS[this.#order]), x = order(a), y = order(b);
    const way = this.#isReversed ? -1 : 1;
    return way * (x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1);
  };

  /** @param {number} index */
  #sort(index) {
    this.#isReversed = this.#order === index && !this.#isReversed;
    this.#order = index;
    this.#markOrder();
    this.update(true);
  }

  #markOrder() {
    const order = this.#isReversed ? "descending" : "ascending";
    this.#heads.forEach((head, index) =>
      setAttributes(head, { "aria-sort": index === this.#order ? order : undefined })
    );
  }

  /**
   * @param {ComponentFact} fact
   * @returns {HTMLTableRowElement}
   */
  #row(fact) {
    let row = this.#rows.get(fact.id);
    if (row === undefined) this.#rows.set(fact.id, row = this.#makeRow(fact.id));
    setAttributes(row, { class: fact.silentSince === null ? undefined : "silent" });
    COLUMNS.forEach(({ text }, index) => {
      const cell = row.cells[index], target = index === 0 ? cell?.querySelector("button") : cell;
      if (target) setText(target, text(fact, this.#scene));
    });
    return row;
  }

  /**
   * @param {string} id
   * @returns {HTMLTableRowElement}
   */
  #makeRow(id) {
    const button = make("button", { type: "button", class: "link", "data-group": groupOf(id) });
    button.addEventListener("click", () => this.#onSelect(id));
    const cells = COLUMNS.slice(1).map(({ isNumber, isWide, name }) =>
      make("td", {
        class: isNumber ? "number" : isWide ? "wide" : name === "Location" ? "wide mono" : undefined,
      })
    );
    const row = make("tr", {}, make("th", { scope: "row" }, button), ...cells);
    this.#mark(row, id === this.#selected);
    return row;
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {boolean} isSelected
   */
  #mark(row, isSelected) {
    const button = row.querySelector("button");
    if (button !== null) setAttributes(button, { "aria-pressed": `${isSelected}` });
    row.toggleAttribute("data-selected", isSelected);
  }

  /**
   * @param {number} wanted
   * @param {number} shown
   */
  #sayCount(wanted, shown) {
    const { components, counts } = this.#scene, all = counts.reduce((sum, count) => sum + count, 0);
    const parts = [this.isFiltering ? `${wanted} of ${all}` : plural(all, "component")];
    if (all > components.size) parts.push(`the first ${components.size} are known here`);
    if (wanted > shown) parts.push(`the first ${shown} are shown`);
    setText(this.#count, parts.join(", "));
  }
}

/**
 * @param {ComponentFact} fact
 * @returns {string}
 */
function linksText({ links, associationCount }) {
  const names = links.slice(0, NAMED_LINKS).map(({ to, kind, count }) => {
    const label = labelOf(to);
    return `${label.slice(0, 2)} ${shortLabel(label)} ${kind.split("/", 1)[0]}${
      count > 1 ? ` × ${count}` : ""
    }`;
  });
  const more = associationCount - links.slice(0, NAMED_LINKS).reduce((sum, { count }) => sum + count, 0);
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}
