// @ts-check
/** The page of a monitor: what it is told goes into the scene, and from there to graph, plots, lists and table. */
import { byId, make, setAttributes } from "shared/dom.js";
import { openFeed } from "shared/feed.js";
import { setUpTheme, showConnection } from "shared/frame.js";
import { Details } from "./details.js";
import { Announcer, EventList, presentParty, showCounts } from "./events.js";
import { Graph } from "./graph.js";
import { Plot, TimeLine } from "./plots.js";
import { ELEMENTS, HIGHEST_LOAD, MEAN_LOAD, Scene, SESSIONS, USERS } from "./scene.js";
import { Table } from "./table.js";
import { factText } from "./words.js";

/** @typedef {import("../facts.ts").MonitorSnapshot} MonitorSnapshot */
/** @typedef {import("../facts.ts").MonitorChanges} MonitorChanges */
/** @typedef {import("../facts.ts").CurveFact} CurveFact */

/** "Last minutes", and the least that is drawn of the whole time. */
const RECENT_MS = 5 * 60_000, LEAST_SPAN_MS = 60_000;

/** The whole time is asked of the program no more often than this. */
const WHOLE_AGE_MS = 10_000;

const SYNC = "times";

const scene = new Scene();
/** @type {string | undefined} */
let selected;

const announcer = new Announcer(byId("announcement", HTMLElement));
const fitButton = byId("fit", HTMLButtonElement);
const graph = new Graph({
  place: byId("graph", HTMLElement),
  legend: byId("legend", HTMLElement),
  scene,
  onSelect: select,
  onAnnounce: (text) => announcer.say(text),
  onFit: (isFitting) => setAttributes(fitButton, { "aria-pressed": `${isFitting}` }),
});
const details = new Details({
  place: byId("details", HTMLElement),
  title: byId("details-title", HTMLElement),
  back: byId("deselect", HTMLButtonElement),
  scene,
  onSelect: select,
});
const table = new Table({
  place: byId("table", HTMLElement),
  count: byId("table-count", HTMLElement),
  scene,
  onSelect: select,
});
const onPick = (/** @type {import("../facts.ts").EventFact} */ event) => {
  const id = presentParty(event, scene);
  if (id !== undefined) select(id);
};
const eventList = new EventList({ list: byId("events", HTMLElement), scene, onPick });

const plotPlace = byId("plots", HTMLElement);
const loadPlot = new Plot(plotPlace, {
  title: "Load of elements",
  isShare: true,
  height: 84,
  lines: [
    { name: "mean", colour: "--element", isFilled: true },
    { name: "highest", colour: "--warning", isDashed: true },
  ],
}, { syncKey: SYNC });
const sessionPlot = new Plot(plotPlace, {
  title: "How many",
  isShare: false,
  height: 84,
  lines: [
    { name: "sessions", colour: "--user", isFilled: true, isStepped: true },
    { name: "elements", colour: "--element", isStepped: true },
    { name: "users", colour: "--faint", isStepped: true, isDashed: true },
  ],
}, { syncKey: SYNC });
const timeLine = new TimeLine(plotPlace, { syncKey: SYNC, onPick });

/** @type {CurveFact | undefined} */
let whole;
let isWhole = false;
let wholeAskedAt = -Infinity;

const recolour = () => {
  graph.recolour();
  details.recolour();
  for (const plot of [loadPlot, sessionPlot, timeLine]) plot.recolour();
};
// A browser may tell that the system's wish has changed before its styles follow.
setUpTheme(() => requestAnimationFrame(() => setTimeout(recolour)));

openFeed({
  events: {
    snapshot: (/** @type {MonitorSnapshot} */ snapshot) => {
      scene.reset(snapshot);
      whole = undefined;
      wholeAskedAt = -Infinity;
      show(true, []);
      table.update(true);
      if (selected !== undefined) details.select(selected);
    },
    changes: (/** @type {MonitorChanges} */ changes) => {
      scene.change(changes);
      show(false, changes.events);
      announcer.tell(changes.events);
    },
  },
  onState: showConnection,
});

/**
 * Brings all views up to date.
 *
 * @param {boolean} isNew
 * @param {MonitorChanges["events"]} events
 */
function show(isNew, events) {
  showCounts(byId("counts", HTMLElement), scene.counts);
  showHint();
  graph.update(isNew, events);
  details.update(isNew ? undefined : scene.samples.times.at(-1));
  eventList.update();
  table.update();
  showPlots();
}

/** The hint that is shown. */
let shownHint = "";

/** What to do as long as nobody reports: made once, so that one can select and copy what it says. */
function showHint() {
  const hint = byId("hint", HTMLElement), isEmpty = scene.components.size === 0;
  hint.hidden = !isEmpty;
  const text = scene.hint.join("\n");
  if (!isEmpty || shownHint === text) return;
  shownHint = text;
  const lines = scene.hint.filter((line) => line !== "");
  hint.replaceChildren(
    ...lines.map((line) => line.startsWith(" ") ? make("code", {}, line.trim()) : make("span", {}, line)),
  );
}

function showPlots() {
  if (document.hidden) return;
  const last = scene.samples.times.at(-1);
  if (last === undefined) return;
  const { times, columns } = isWhole ? wholeSamples() : scene.samples;
  const first = times[0] ?? last;
  /** @type {[number, number]} */
  const range = [
    Math.max(Math.min(first, last - LEAST_SPAN_MS), isWhole ? -Infinity : last - RECENT_MS),
    last,
  ];
  const column = (/** @type {number} */ index) => columns[index] ?? [];
  loadPlot.show(times, [column(MEAN_LOAD), column(HIGHEST_LOAD)], range);
  sessionPlot.show(times, [column(SESSIONS), column(ELEMENTS), column(USERS)], range);
  timeLine.show(scene.events.map((event) => ({ at: scene.timeOf(event.at), event })), range);
}

/**
 * The whole time from the program, and what came since.
 *
 * @returns {Scene["samples"]}
 */
function wholeSamples() {
  askForWhole();
  if (whole === undefined) return scene.samples;
  const times = whole.times.map((time) => scene.timeOf(time)), last = times.at(-1) ?? -Infinity;
  const from = scene.samples.times.findIndex((time) => time > last);
  /**
   * @template Value
   * @param {readonly Value[]} all
   */
  const since = (all) => from < 0 ? [] : all.slice(from);
  return {
    times: [...times, ...since(scene.samples.times)],
    columns: whole.columns.map((column, index) => [...column, ...since(scene.samples.columns[index] ?? [])]),
  };
}

async function askForWhole() {
  const now = performance.now();
  if (now - wholeAskedAt < WHOLE_AGE_MS) return;
  wholeAskedAt = now;
  try {
    const response = await fetch("/history/totals.json");
    if (response.ok) whole = await response.json();
  } catch { /* what is known here is shown */ }
  if (isWhole) showPlots();
}

/**
 * Somebody is selected, or nobody.
 *
 * @param {string | undefined} id
 */
function select(id) {
  if (id === selected) return;
  selected = id;
  graph.select(id);
  details.select(id);
  table.select(id);
  const fact = scene.get(id);
  if (fact !== undefined) announcer.say(factText(fact));
}

/** @param {boolean} wanted the whole time */
function span(wanted) {
  isWhole = wanted;
  setAttributes(byId("span-recent", HTMLButtonElement), { "aria-pressed": `${!wanted}` });
  setAttributes(byId("span-whole", HTMLButtonElement), { "aria-pressed": `${wanted}` });
  showPlots();
}

byId("span-recent", HTMLButtonElement).addEventListener("click", () => span(false));
byId("span-whole", HTMLButtonElement).addEventListener("click", () => span(true));
byId("zoom-in", HTMLButtonElement).addEventListener("click", () => graph.zoom(1));
byId("zoom-out", HTMLButtonElement).addEventListener("click", () => graph.zoom(-1));
fitButton.addEventListener("click", () => graph.fit());
const filter = byId("filter", HTMLInputElement);
filter.addEventListener("input", () => {
  table.filter(filter.value);
  graph.filter(table.isFiltering ? (id) => table.wants(id) : undefined);
});
document.addEventListener("visibilitychange", showPlots);
