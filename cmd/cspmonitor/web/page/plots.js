// @ts-check
/** Load, sessions and events over time, one below the other, on one axis of time. */
import { make, setText } from "shared/dom.js";
import { styleValue } from "shared/frame.js";
import { resolvedColour } from "./palette.js";
import uPlot from "uplot";
import { clockText, EVENT_SIGNS, eventText, percent } from "./words.js";

/** @typedef {import("../facts.ts").EventFact} EventFact */

/** A line of a plot. */
/**
 * @typedef {object} Line
 * @property {string} name
 * @property {string} colour the name of a property of the style sheet
 * @property {boolean} [isFilled]
 * @property {boolean} [isStepped] numbers of things jump
 * @property {boolean} [isDashed]
 */

/**
 * @typedef {object} PlotPlan
 * @property {string} title
 * @property {readonly Line[]} lines
 * @property {boolean} isShare whether values go from 0 to 1
 * @property {number} height
 */

/** Left of all plots, so that their times are below each other. */
const GUTTER = 56;

const FONT = '11px "DejaVu Sans", system-ui, sans-serif';

/** Kinds of events by the line they stand in. */
const LANES = /** @type {const} */ ([
  { name: "failovers", types: ["failover", "moved"] },
  { name: "takeovers", types: ["takeover", "rehomed"] },
  { name: "presence", types: ["appeared", "restarted", "ended", "silent", "conflict"] },
]);

/** @type {Record<EventFact["type"], string>} */
const EVENT_COLOURS = {
  appeared: "--good",
  restarted: "--warning",
  ended: "--faint",
  silent: "--bad",
  takeover: "--registrar",
  rehomed: "--registrar",
  failover: "--bad",
  moved: "--user",
  conflict: "--bad",
};

const EVENTS_HEIGHT = 84;

/** How near the mouse must come to an event, in pixels. */
const REACH = 7;

/** The smallest range of a plot of numbers: one session more or less is no mountain. */
const MIN_TOP = 4;

/** A plot that says its values in words, too. */
export class Plot {
  #plan;
  #place;
  #words = make("p", { class: "plot-words" });
  #box = make("div", { class: "plot" });
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {uPlot.AlignedData} */
  #data;
  #hasTimes;
  #syncKey;

  /**
   * @param {HTMLElement} place
   * @param {PlotPlan} plan
   * @param {{ readonly hasTimes?: boolean, readonly syncKey?: string }} [options]
   */
  constructor(place, plan, { hasTimes = false, syncKey } = {}) {
    this.#plan = plan;
    this.#place = place;
    this.#hasTimes = hasTimes;
    this.#syncKey = syncKey;
    this.#data = [[], ...plan.lines.map(() => [])];
    place.append(make("figure", { role: "group", "aria-label": plan.title }, this.#words, this.#box));
    new ResizeObserver(() => this.#resize()).observe(this.#box);
  }

  /**
   * Draws values.
   *
   * @param {readonly number[]} times milliseconds since 1970
   * @param {readonly (readonly (number | null)[])[]} columns
   * @param {readonly [number, number]} range from when to when
   */
  show(times, columns, range) {
    this.#data = [times.map((time) => time / 1000), ...columns.map((column) => [...column])];
    this.#plot ??= this.#open();
    this.#plot.setData(this.#data, false);
    this.#plot.setScale("x", { min: range[0] / 1000, max: range[1] / 1000 });
    this.#say(this.#plot.cursor.idx ?? times.length - 1);
  }

  /** Colours are others. */
  recolour() {
    if (this.#plot === undefined) return;
    const { min = null, max = null } = this.#plot.scales["x"] ?? {};
    this.close();
    this.#plot = this.#open();
    if (min !== null && max !== null) this.#plot.setScale("x", { min, max });
  }

  /** Takes the drawing away. */
  close() {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #resize() {
    const width = this.#box.clientWidth;
    if (width > 0) this.#plot?.setSize({ width, height: this.#plan.height });
  }

  #open() {
    const { lines, isShare, height } = this.#plan;
    return new uPlot(
      {
        width: Math.max(100, this.#box.clientWidth),
        height,
        padding: [6, 20, this.#hasTimes ? 0 : 4, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { size: 6 },
          drag: { x: false, y: false },
          ...(this.#syncKey === undefined ? {} : { sync: { key: this.#syncKey } }),
        },
        hooks: { setCursor: [(plot) => this.#say(plot.cursor.idx ?? this.#data[0].length - 1)] },
        scales: {
          x: { time: true, auto: false },
          y: {
            range: isShare ? [0, 1] : (_, _min, max) => [0, Math.max(MIN_TOP, Math.ceil((max ?? 0) * 1.15))],
          },
        },
        axes: [timeAxis(this.#hasTimes), {
          ...axisColours(),
          size: GUTTER,
          space: 26,
          ...(isShare
            ? { splits: () => [0, 0.5, 1], values: (_, splits) => splits.map((split) => `${100 * split} %`) }
            : { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] }),
        }],
        series: [{}, ...lines.map(seriesOf)],
      },
      this.#data,
      this.#box,
    );
  }

  /**
   * The values at a moment in words.
   *
   * @param {number} index
   */
  #say(index) {
    const { title, lines, isShare } = this.#plan, time = this.#data[0][index];
    const isPast = index < this.#data[0].length - 1 && time !== undefined;
    if (this.#words.childElementCount === 0) {
      this.#words.append(
        make("strong", {}, title),
        ...lines.map(({ name, colour, isDashed }) =>
          make(
            "span",
            { class: isDashed ? "key dashed" : "key", "data-colour": colour.slice(2) },
            name,
            " ",
            make("b"),
          )
        ),
        make("time"),
      );
    }
    [...this.#words.querySelectorAll("b")].forEach((value, line) => {
      const number = this.#data[line + 1]?.[index];
      setText(
        value,
        isShare ? percent(number) : number === null || number === undefined ? "–" : `${Math.round(number)}`,
      );
    });
    const at = this.#words.querySelector("time");
    if (at !== null) setText(at, isPast ? `at ${clockText(1000 * time)}` : "");
  }
}

/** What happened, on the same axis of time. */
export class TimeLine {
  #box = make("div", { class: "plot" });
  #tip = make("div", { class: "tip", hidden: true });
  /** @type {uPlot | undefined} */
  #plot;
  /** @type {readonly { readonly at: number, readonly event: EventFact }[]} */
  #events = [];
  #options;
  #colours = EVENT_COLOURS;

  /**
   * @param {HTMLElement} place
   * @param {{ readonly syncKey: string, readonly onPick: (event: EventFact) => void }} options
   */
  constructor(place, options) {
    this.#options = options;
    place.append(make("figure", { "aria-hidden": "true" }, this.#box, this.#tip));
    new ResizeObserver(() => {
      const width = this.#box.clientWidth;
      if (width > 0) this.#plot?.setSize({ width, height: EVENTS_HEIGHT });
    }).observe(this.#box);
    this.#box.addEventListener("click", () => {
      const found = this.#atCursor();
      if (found !== undefined) options.onPick(found.event);
    });
    this.#box.addEventListener("pointerleave", () => this.#tip.hidden = true);
  }

  /**
   * Draws events.
   *
   * @param {readonly { readonly at: number, readonly event: EventFact }[]} events their times in milliseconds since 1970
   * @param {readonly [number, number]} range
   */
  show(events, range) {
    this.#events = events;
    this.#plot ??= this.#open();
    this.#plot.setScale("x", { min: range[0] / 1000, max: range[1] / 1000 });
  }

  /** Colours are others. */
  recolour() {
    if (this.#plot === undefined) return;
    const { min = null, max = null } = this.#plot.scales["x"] ?? {};
    this.#plot.destroy();
    this.#plot = this.#open();
    if (min !== null && max !== null) this.#plot.setScale("x", { min, max });
  }

  #open() {
    this.#colours = eventColours();
    const lanes = LANES.map((_, index) => index + 0.5);
    return new uPlot(
      {
        width: Math.max(100, this.#box.clientWidth),
        height: EVENTS_HEIGHT,
        padding: [4, 20, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: false, y: false },
          sync: { key: this.#options.syncKey },
        },
        hooks: { draw: [(plot) => this.#paint(plot)], setCursor: [() => this.#tell()] },
        scales: { x: { time: true, auto: false }, y: { range: [0, LANES.length] } },
        axes: [timeAxis(true), {
          ...axisColours(),
          size: GUTTER,
          font: '9.5px "DejaVu Sans", system-ui, sans-serif',
          gap: 2,
          splits: () => lanes,
          values: () => LANES.map(({ name }) => name),
          grid: { show: false },
          ticks: { show: false },
        }],
        series: [{}, { show: false }],
      },
      [[0, 1], [0, 0]],
      this.#box,
    );
  }

  /** @param {uPlot} plot */
  #paint(plot) {
    const { ctx: context, bbox: { left, top, width, height } } = plot, ratio = devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(left - 8 * ratio, top, width + 16 * ratio, height);
    context.clip();
    context.strokeStyle = styleValue("--grid");
    context.lineWidth = ratio;
    for (let lane = 1; lane < LANES.length; lane++) {
      context.beginPath();
      context.moveTo(left, plot.valToPos(lane, "y", true));
      context.lineTo(left + width, plot.valToPos(lane, "y", true));
      context.stroke();
    }
    context.font = `${13 * ratio}px "DejaVu Sans", system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const { at, event: { type } } of this.#events) {
      const x = plot.valToPos(at / 1000, "x", true);
      if (x < left - 8 * ratio || x > left + width + 8 * ratio) continue;
      context.fillStyle = this.#colours[type];
      context.fillText(EVENT_SIGNS[type], x, plot.valToPos(laneOf(type) + 0.5, "y", true));
    }
    context.restore();
  }

  /** What is under the mouse. */
  #atCursor() {
    const plot = this.#plot, { left = -1, top = -1 } = plot?.cursor ?? {};
    if (plot === undefined || left < 0 || !this.#box.matches(":hover")) return undefined;
    let best, bestFar = REACH;
    for (const one of this.#events) {
      const y = plot.valToPos(laneOf(one.event.type) + 0.5, "y");
      const far = Math.max(Math.abs(plot.valToPos(one.at / 1000, "x") - left), Math.abs(y - top) / 2);
      if (far <= bestFar) [best, bestFar] = [one, far];
    }
    return best;
  }

  #tell() {
    const found = this.#atCursor(), plot = this.#plot;
    this.#tip.hidden = found === undefined;
    if (found === undefined || plot === undefined) return;
    setText(this.#tip, `${clockText(found.at)} ${eventText(found.event)}`);
    const x = plot.valToPos(found.at / 1000, "x") + GUTTER, width = this.#box.clientWidth;
    this.#tip.style.translate = `${
      Math.max(0, Math.min(x - this.#tip.offsetWidth / 2, width - this.#tip.offsetWidth))
    }px -0.3rem`;
  }
}

/**
 * The colours of events as they are now.
 *
 * @returns {Readonly<Record<EventFact["type"], string>>}
 */
function eventColours() {
  const names = { ...EVENT_COLOURS };
  for (const type of /** @type {(keyof typeof names)[]} */ (Object.keys(names))) {
    names[type] = resolvedColour(names[type]);
  }
  return names;
}

/** @param {EventFact["type"]} type */
function laneOf(type) {
  return LANES.findIndex(({ types }) => /** @type {readonly string[]} */ (types).includes(type));
}

/**
 * @param {Line} line
 * @returns {uPlot.Series}
 */
function seriesOf({ colour, isFilled, isStepped, isDashed }) {
  const stroke = resolvedColour(colour), steps = uPlot.paths.stepped?.({ align: 1 });
  return {
    stroke,
    width: 1.75,
    points: { show: false },
    ...(isDashed ? { dash: [5, 4], width: 1.25 } : {}),
    ...(isFilled ? { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)") } : {}),
    ...(isStepped && steps !== undefined ? { paths: steps } : {}),
  };
}

function axisColours() {
  const grid = { stroke: resolvedColour("--grid"), width: 1 };
  return { stroke: resolvedColour("--faint"), font: FONT, grid, ticks: { show: false } };
}

/**
 * @param {boolean} hasTimes
 * @returns {uPlot.Axis}
 */
function timeAxis(hasTimes) {
  const shown = hasTimes
    ? {
      values: (/** @type {uPlot} */ _, /** @type {number[]} */ splits) =>
        splits.map((split) => clockText(1000 * split)),
    }
    : { values: () => [] };
  return { ...axisColours(), size: hasTimes ? 24 : 0, space: 90, gap: 3, ...shown };
}
