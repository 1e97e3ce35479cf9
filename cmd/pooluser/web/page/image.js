// @ts-check
/** The fractal user's page: joins what the program tells to the picture and the lists, and the controls to the program. */
import { byId, make, setText } from "shared/dom.js";
import { openFeed, sendCommand } from "shared/feed.js";
import { setUpTheme, showConnection } from "shared/frame.js";
import { Controls } from "./controls.js";
import { count } from "./format.js";
import { imageFacts, imageTitle, pointText, regionText } from "./image_words.js";
import { ElementList, EventList, FailoverList, PartList } from "./lists.js";
import { Picture } from "./picture.js";
import { PictureFeed } from "./picture_feed.js";
import { Progress, say } from "./progress.js";
import { Stage } from "./stage.js";

/** @typedef {import("../page_words.ts").PageSnapshot} PageSnapshot */
/** @typedef {import("../page_words.ts").PageStatus} PageStatus */
/** @typedef {import("../page_words.ts").PageUpdate} PageUpdate */
/** @typedef {import("../page_words.ts").PageElement} PageElement */
/** @typedef {import("../page_words.ts").PageFailover} PageFailover */
/** @typedef {import("../page_words.ts").PagePart} PagePart */
/** @typedef {import("../page_words.ts").PageImage} PageImage */

/** Figures that change by themselves, such as times, are drawn so often. */
const TICK_MS = 250;

const picture = new Picture(byId("canvas", HTMLCanvasElement), byId("before", HTMLCanvasElement));
const pictureFeed = new PictureFeed(picture);
const elementList = new ElementList((element) => {
  view.highlighted = element;
  picture.show({ ...view });
});
const partList = new PartList();
const failoverList = new FailoverList();
const eventList = new EventList();
const progress = new Progress();
const controls = new Controls({
  onNext: () => void next(),
  onSlideShow: (on) => void wish({ type: "slideShow", on }),
  onSessions: (sessions) => void wish({ type: "sessions", sessions }),
  onZoom: (direction) => stage.zoom(direction),
  onBack: goBack,
  onFit: () => void wish({ type: "size", ...stage.pixels() }),
  onMark: toggle,
  onSave: () => picture.save(`fractal-${snapshot?.image?.number ?? 0}.png`),
});
const stage = new Stage({
  onZoom: (region) => void wish({ type: "zoom", image: snapshot?.image?.number, region }),
  onPoint: (point) => {
    pointer = point;
    showHint();
  },
  onRegion: (region) => {
    chosen = region;
    showHint();
    say(region === undefined ? "No region is chosen." : hint());
  },
  onKey: (key) => {
    if (key === "next") void next();
    else goBack(key === "back" ? "back" : "reset");
  },
});

/** What the colours show. @type {import("./picture.js").PictureView} */
const view = { sessions: false, colormarks: false, elements: false, highlighted: -1 };
/** Whether the program's own wish for colours has been taken over. */
let hasMarks = false;
/** @type {PageSnapshot | undefined} */
let snapshot;
/** @type {PageStatus | undefined} */
let status;
/** When {@link status} came, by `performance.now()`. */
let statusAt = 0;
/** When the program was lost: since then nothing is known, and no time is counted. @type {number | undefined} */
let lostAt;
/** @type {PageElement[]} */
let elements = [];
/** @type {PagePart[]} */
let parts = [];
let lastFailover = 0;
let lastEvent = 0;
/** @type {{ x: number, y: number } | undefined} */
let pointer;
/** @type {import("./stage.js").Region | undefined} */
let chosen;

// -------------------------------------------------------------------------------------------- what the program tells

/** @param {PageSnapshot} data */
function onSnapshot(data) {
  const isOtherProgram = data.startedAt !== snapshot?.startedAt;
  const isOther = isOtherProgram || data.image?.number !== snapshot?.image?.number;
  if (isOtherProgram) {
    lastEvent = 0;
    eventList.reset();
  }
  snapshot = data;
  status = data.status;
  statusAt = performance.now();
  setText(byId("caption", HTMLElement), data.caption);
  controls.fill(data);
  if (!hasMarks) {
    hasMarks = true;
    view.sessions = data.marks.sessions;
    view.colormarks = data.marks.colormarks;
  }
  if (data.image !== null) begin(data.image, isOther);
  for (const event of data.events) addEvent(event);
  show();
}

/** @param {PageImage} image @param {boolean} isOther */
function begin(image, isOther) {
  view.highlighted = -1;
  if (isOther) {
    progress.begin();
    picture.begin(image);
    say(`Image ${image.number}, ${image.name}, in ${count(image.areas.length, "session")}.`);
  }
  picture.show({ ...view });
  stage.begin(image);
  elementList.reset();
  partList.reset(image.areas);
  failoverList.reset();
  lastFailover = 0;
  elements = [];
  parts = [];
  listLater.clear();
  for (const [index, element] of snapshot?.elements.entries() ?? []) setElement(index, element);
  for (const [index, part] of snapshot?.parts.entries() ?? []) setPart(index, part);
  for (const failover of snapshot?.failovers ?? []) addFailover(failover);
  showParts();
  showImage(image);
  showHint();
  const { width, height } = image.parameter;
  pictureFeed.begin();
  if (!isOther || status?.missing !== width * height) pictureFeed.fetch();
}

/** @param {PageUpdate} update */
function onUpdate(update) {
  if (snapshot === undefined) return;
  status = update.status;
  statusAt = performance.now();
  for (const [index, element] of update.elements ?? []) setElement(index, element);
  for (const [index, part] of update.parts ?? []) setPart(index, part);
  for (const failover of update.failovers ?? []) addFailover(failover, true);
  for (const event of update.events ?? []) addEvent(event);
  if (update.points !== undefined) pictureFeed.add(update.points, update.sequence);
  if (update.isStale) pictureFeed.fetch();
  show();
}

/** @param {number} index @param {PageElement} element */
function setElement(index, element) {
  elements[index] = element;
  const { width, height } = snapshot?.image?.parameter ?? { width: 1, height: 1 };
  elementList.set(index, element, width * height, performance.now());
}

/** @param {number} index @param {PagePart} part */
function setPart(index, part) {
  const before = parts[index];
  parts[index] = part;
  listLater.add(index);
  if (before?.phase !== part.phase || before.element !== part.element) stage.part(index, part);
}

/** Parts whose rows are old: hundreds of rows twenty times a second are more than anybody reads. @type {Set<number>} */
const listLater = new Set();

function showParts() {
  for (const index of listLater) {
    const part = parts[index];
    if (part !== undefined) partList.set(index, part, elements[part.element]?.id ?? "");
  }
  listLater.clear();
}

/** @param {PageFailover} failover @param {boolean} [isNew] */
function addFailover(failover, isNew = false) {
  if (failover.number <= lastFailover) return;
  lastFailover = failover.number;
  failoverList.add(failover);
  stage.failover(failover);
  if (isNew) say(`Failover: session ${failover.part + 1} left ${failover.elementId}.`);
}

/** @param {import("../page_words.ts").PageEvent} event */
function addEvent(event) {
  if (event.number <= lastEvent) return;
  lastEvent = event.number;
  eventList.add(event);
}

// ------------------------------------------------------------------------------------------------------ what is shown

/** Shows all that may have changed with any update. */
function show() {
  showControls();
  showProgress();
}

function showControls() {
  controls.show(snapshot, status, view);
  stage.lines(view.sessions, view.colormarks || status?.state === "computing");
}

function showProgress() {
  const image = snapshot?.image;
  if (snapshot === undefined || image === null || image === undefined || status === undefined) return;
  const now = performance.now();
  progress.show(image, status, (lostAt ?? now) - statusAt, snapshot.caption);
  elementList.tick(sessionsByElement(), status.state === "computing" && lostAt === undefined, now);
}

function sessionsByElement() {
  /** @type {Map<number, number>} */
  const sessions = new Map();
  for (const { phase, element } of parts) {
    if (phase === "working") sessions.set(element, (sessions.get(element) ?? 0) + 1);
  }
  return sessions;
}

/** @param {PageImage} image */
function showImage(image) {
  setText(byId("image-name", HTMLElement), imageTitle(image));
  byId("details", HTMLElement).replaceChildren(
    ...imageFacts(image).flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]),
  );
}

/** What is under the pointer, or which region is chosen. */
function showHint() {
  setText(byId("hint", HTMLElement), hint());
}

function hint() {
  const image = snapshot?.image;
  if (image === null || image === undefined) return "";
  if (chosen !== undefined) return regionText(image, chosen);
  if (pointer === undefined) return "Drag a box over the picture to zoom in.";
  const { x, y } = pointer;
  const point = picture.pointAt(x, y);
  const where = `(${x}, ${y}) = ${pointText(image, x, y)}`;
  const part = `session ${picture.partAt(x, y) + 1}`;
  if (point === undefined) return `${where}: ${part}, not there yet`;
  const after = point.peChanges === 0 ? "" : ` after ${count(point.peChanges, "change")} of its element`;
  return `${where}: ${part}, computed by ${elements[point.element]?.id ?? "somebody"}${after}`;
}

// ------------------------------------------------------------------------------------------------ what is asked for

/** @param {unknown} command */
async function wish(command) {
  const problem = await sendCommand(command);
  setText(byId("problem", HTMLElement), problem ?? "");
}

/** @param {"back" | "reset"} type */
function goBack(type) {
  const { number, depth } = snapshot?.image ?? { number: 0, depth: 0 };
  if (depth > 0) void wish({ type, image: number });
  else setText(byId("problem", HTMLElement), "This is the whole image: there is nothing to go back to.");
}

/** The image that the menu names, or any. */
function next() {
  const { name } = controls;
  return wish(name === "" ? { type: "next" } : { type: "next", name });
}

/** @param {import("./controls.js").Mark} mark */
function toggle(mark) {
  view[mark] = !view[mark];
  picture.show({ ...view });
  showControls();
}

setUpTheme();
showHint();
setInterval(() => {
  showParts();
  showProgress();
}, TICK_MS);
openFeed({
  events: { snapshot: onSnapshot, update: onUpdate },
  onState: (state) => {
    showConnection(state);
    lostAt = state === "connected" ? undefined : lostAt ?? performance.now();
    showProgress();
  },
});
