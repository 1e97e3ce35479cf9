// @ts-check
/** Who is selected, or an overview of the pools. */
import { make, setAttributes, setText } from "shared/dom.js";
import { Plot } from "./plots.js";
import { poolFigures } from "./scene.js";
import { ELEMENT, groupOf, labelOf, partyText, percent, plural, REGISTRAR, spanText } from "./words.js";

/** @typedef {import("./scene.js").Scene} Scene */
/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */
/** @typedef {import("../facts.ts").CurveFact} CurveFact */

/** Samples of a component that are kept: the program has no more of them either. */
const MAX_SAMPLES = 300;

/** The least span of time that is drawn: what has just begun is no full plot. */
const LEAST_SPAN_MS = 60_000;

/** A panel. */
export class Details {
  #place;
  #title;
  #back;
  #scene;
  #onSelect;
  /** @type {string | undefined} */
  #id;
  /**
   * What the selected component has, by a name of its own: kept, so that nothing flickers or loses its focus.
   *
   * @type {Map<string, { readonly term: HTMLElement, readonly value: HTMLElement }>}
   */
  #rows = new Map();
  /** @type {{ plots: { plot: Plot, column: number }[], times: number[], columns: (number | null)[][] } | undefined} */
  #curve;
  /** The last question for a curve: what is answered to those before it comes too late. */
  #asked = {};

  /**
   * @param {object} plan
   * @param {HTMLElement} plan.place
   * @param {HTMLElement} plan.title
   * @param {HTMLButtonElement} plan.back
   * @param {Scene} plan.scene
   * @param {(id: string | undefined) => void} plan.onSelect
   */
  constructor({ place, title, back, scene, onSelect }) {
    this.#place = place;
    this.#title = title;
    this.#back = back;
    this.#scene = scene;
    this.#onSelect = onSelect;
    back.addEventListener("click", () => {
      onSelect(undefined);
      title.focus();
    });
  }

  /**
   * Somebody else is selected.
   *
   * @param {string | undefined} id
   */
  select(id) {
    this.#id = id;
    for (const { plot } of this.#curve?.plots ?? []) plot.close();
    this.#curve = undefined;
    this.#rows.clear();
    this.#place.replaceChildren();
    this.#back.hidden = id === undefined;
    this.update();
    if (id !== undefined) this.#fetchCurve(id);
  }

  /**
   * The scene has changed.
   *
   * @param {number} [time] of a sample, in milliseconds since 1970
   */
  update(time) {
    const fact = this.#scene.get(this.#id);
    if (this.#id === undefined) return this.#showPools();
    if (fact === undefined) {
      if (this.#place.querySelector(".gone") === null) {
        this.#place.prepend(make("p", { class: "gone" }, "It has left. This was known of it:"));
      }
      return;
    }
    this.#place.querySelector(".gone")?.remove();
    this.#showComponent(fact);
    if (time !== undefined) this.#sample(fact, time);
  }

  /** Colours are others. */
  recolour() {
    for (const { plot } of this.#curve?.plots ?? []) plot.recolour();
  }

  #showPools() {
    const { pools, components } = this.#scene;
    setText(this.#title, pools.length === 0 ? "Pools" : plural(pools.length, "pool"));
    if (components.size === 0) {
      return this.#place.replaceChildren(make("p", { class: "faint" }, "Nobody is there yet."));
    }
    const cards = pools.map((pool) => {
      const { load, sessions } = poolFigures(pool);
      return make(
        "li",
        { class: "pool" },
        make("strong", {}, pool.name),
        make(
          "span",
          { class: "figures" },
          `${plural(pool.members.length, "element")}, ${plural(sessions, "session")}`,
          load === null ? "" : `, load ${percent(load)}`,
        ),
        ...(load === null ? [] : [meter(load, `Mean load of ${pool.name}`)]),
      );
    });
    const list = make("ul", { class: "pools" }, ...cards);
    const texts = (/** @type {Element | null} */ element) => element?.textContent ?? "";
    const before = this.#place.querySelector("ul.pools");
    if (before !== null && texts(before) === texts(list)) return;
    const help = make(
      "p",
      { class: "faint" },
      "Select a component in the graph or in the table to see more of it.",
    );
    this.#place.replaceChildren(list, help);
  }

  /** @param {ComponentFact} fact */
  #showComponent(fact) {
    const { label, location, status, load, sessions, owned, pool, group, source, silentSince, intervalMs } =
      fact;
    const now = this.#scene.now;
    setText(this.#title, partyText(fact));
    this.#row("Identifier", label, "mono");
    this.#row("Pool", group === ELEMENT ? pool ?? "not known" : null);
    this.#row("Status", status || "–");
    this.#loadRow(load);
    this.#row("Sessions", sessions);
    this.#row("Own elements", owned);
    this.#row("Up", spanText(now - fact.startedAt));
    this.#row(
      "Reports",
      silentSince === null ? `every ${intervalMs} ms` : `silent for ${spanText(now - silentSince)}`,
      silentSince === null ? "" : "bad",
    );
    this.#row("Location", location || "–", "mono");
    this.#row("Reports from", source, "mono");
    this.#showLinks(fact);
  }

  /** @param {number | null} load */
  #loadRow(load) {
    const value = this.#value("Load", load !== null);
    if (load === null) return value.replaceChildren();
    const known = value.querySelector("meter");
    if (known === null) value.append(meter(load, "Load"), make("span"));
    else known.value = load;
    const text = value.querySelector("span");
    if (text !== null) setText(text, ` ${percent(load)}`);
  }

  /**
   * @param {string} name
   * @param {string | number | null} text null = there is nothing to say
   * @param {string} [style]
   */
  #row(name, text, style = "") {
    const value = this.#value(name, text !== null);
    setText(value, `${text ?? ""}`);
    setAttributes(value, { class: style });
  }

  /**
   * Where a value stands. A row that has none is not seen, and keeps its place among the others.
   *
   * @param {string} name
   * @param {boolean} isSeen
   * @returns {HTMLElement}
   */
  #value(name, isSeen) {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { term: make("dt", {}, name), value: make("dd") };
      this.#list("dl", "facts").append(row.term, row.value);
      this.#rows.set(name, row);
    }
    row.term.hidden = row.value.hidden = !isSeen;
    return row.value;
  }

  /**
   * @template {"dl" | "ul"} Tag
   * @param {Tag} tag
   * @param {string} name
   * @returns {HTMLElement}
   */
  #list(tag, name) {
    const known = this.#place.querySelector(`${tag}.${name}`);
    if (known instanceof HTMLElement) return known;
    const list = make(tag, { class: name });
    this.#place.append(list);
    return list;
  }

  /** With whom it is connected, both ways. @param {ComponentFact} fact */
  #showLinks(fact) {
    const { now, components } = this.#scene;
    /** @type {{ id: string, label: string, arrow: string, text: string, key: string }[]} */
    const links = fact.links.map(({ to, kind, count, since }) => ({
      id: to,
      label: labelOf(to),
      arrow: "→",
      key: `> ${to} ${kind}`,
      text: `${kind}${count > 1 ? ` × ${count}` : ""}${since === null ? "" : `, ${spanText(now - since)}`}`,
    }));
    for (const other of components.values()) {
      for (const { to, kind, count, since } of other.links) {
        if (to !== fact.id || (other.group === REGISTRAR && fact.group === REGISTRAR)) continue;
        links.push({
          id: other.id,
          label: other.label,
          arrow: "←",
          key: `< ${other.id} ${kind}`,
          text: `${kind}${count > 1 ? ` × ${count}` : ""}${
            since === null ? "" : `, ${spanText(now - since)}`
          }`,
        });
      }
    }
    const list = this.#list("ul", "links");
    const hidden = fact.associationCount - fact.links.reduce((sum, { count }) => sum + count, 0);
    setAttributes(list, { "aria-label": "Associations" });
    const known = new Map([...list.children].map((item) => [item.getAttribute("data-key"), item]));
    const items = links.slice(0, 64).map(({ id, label, arrow, text, key }) => {
      const item = known.get(key) ?? this.#linkItem(id, key), other = this.#scene.get(id);
      const [button, words] = item.children;
      if (button === undefined || words === undefined) return item;
      setText(button, `${arrow} ${partyText({ label, location: other?.location ?? "" })}`);
      setAttributes(button, { disabled: other === undefined });
      setText(words, text);
      return item;
    });
    const more = links.length - items.length + hidden;
    if (more > 0) items.push(make("li", { class: "faint" }, `and ${plural(more, "further association")}`));
    const isSame = items.length === list.children.length &&
      items.every((item, index) => item === list.children[index]);
    if (!isSame) list.replaceChildren(...items);
  }

  /**
   * @param {string} id
   * @param {string} key
   */
  #linkItem(id, key) {
    const button = make("button", { type: "button", class: "link", "data-group": groupOf(id) });
    button.addEventListener("click", () => {
      this.#onSelect(id);
      this.#title.focus();
    });
    return make("li", { "data-key": key }, button, make("span", { class: "faint" }));
  }

  /** @param {string} id */
  async #fetchCurve(id) {
    const asked = this.#asked = {};
    let curve = /** @type {CurveFact} */ ({ times: [], columns: [[], []] });
    try {
      const response = await fetch(`/history/${id}.json`);
      if (response.ok) curve = await response.json();
    } catch { /* then it begins now */ }
    if (this.#id !== id || this.#asked !== asked) return;
    const place = make("div", { class: "curve" });
    this.#place.append(place);
    const plans = curvePlans(id, curve.columns[0]?.some((load) => load !== null) ?? false);
    this.#curve = {
      plots: plans.map(({ column, plan }) => ({ column, plot: new Plot(place, plan, { hasTimes: true }) })),
      times: curve.times.map((time) => this.#scene.timeOf(time)),
      columns: curve.columns.map((column) => [...column]),
    };
    this.#drawCurve();
  }

  /**
   * @param {ComponentFact} fact
   * @param {number} time
   */
  #sample({ load, sessions, owned }, time) {
    if (this.#curve === undefined) return;
    const { times, columns } = this.#curve;
    times.push(time);
    columns[0]?.push(load);
    columns[1]?.push(sessions ?? owned);
    for (const column of [times, ...columns]) if (column.length > MAX_SAMPLES) column.shift();
    this.#drawCurve();
  }

  #drawCurve() {
    if (this.#curve === undefined) return;
    const { plots, times, columns } = this.#curve, last = times.at(-1);
    if (last === undefined) return;
    for (const { plot, column } of plots) {
      plot.show(times, [columns[column] ?? []], [Math.min(times[0] ?? last, last - LEAST_SPAN_MS), last]);
    }
  }
}

/**
 * What there is to draw of a component, by the columns of its history.
 *
 * @param {string} id
 * @param {boolean} hasLoad
 * @returns {{ readonly column: number, readonly plan: import("./plots.js").PlotPlan }[]}
 */
function curvePlans(id, hasLoad) {
  const group = groupOf(id), isRegistrar = group === REGISTRAR;
  const load = { title: "Load", isShare: true, lines: [{ name: "", colour: "--element", isFilled: true }] };
  const number = {
    title: isRegistrar ? "Own elements" : "Sessions",
    isShare: false,
    lines: [{ name: "", colour: isRegistrar ? "--registrar" : "--user", isFilled: true, isStepped: true }],
  };
  return [
    ...(hasLoad ? [{ column: 0, plan: { ...load, height: 74 } }] : []),
    { column: 1, plan: { ...number, height: 74 } },
  ];
}

/**
 * A bar for a load.
 *
 * @param {number} load
 * @param {string} label
 */
function meter(load, label) {
  const element = make("meter", { min: 0, max: 1, low: 0.75, high: 0.9, optimum: 0, "aria-label": label });
  element.value = load;
  return element;
}
