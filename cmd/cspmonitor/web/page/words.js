// @ts-check
/** Components, times and events in words. */

/** @typedef {import("../facts.ts").ComponentFact} ComponentFact */
/** @typedef {import("../facts.ts").EventFact} EventFact */
/** @typedef {import("../facts.ts").EventParty} EventParty */

/** The longest name of a host in a sentence. */
const MAX_HOST = 32;

/** Kinds of components by their number. */
export const REGISTRAR = 1, ELEMENT = 2, USER = 3;

/** @type {ReadonlyMap<number, readonly [string, string]>} */
const KINDS = new Map([
  [REGISTRAR, ["registrar", "registrars"]],
  [ELEMENT, ["element", "elements"]],
  [USER, ["user", "users"]],
]);

const NAMES = new Map([[REGISTRAR, "PR"], [ELEMENT, "PE"], [USER, "PU"]]);

/**
 * A number of components: `2 elements`.
 *
 * @param {number} group
 * @param {number} count
 */
export function countOf(group, count) {
  const [one, many] = KINDS.get(group) ?? ["other", "others"];
  return plural(count, one, many);
}

/**
 * `1 session`, `2 sessions`.
 *
 * @param {number} count
 * @param {string} one
 * @param {string} [many]
 */
export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

/**
 * The kind of a component: `element`.
 *
 * @param {number} group
 */
export function kindOf(group) {
  return KINDS.get(group)?.[0] ?? "component";
}

/**
 * The kind of whoever has an identifier.
 *
 * @param {string} id 16 hexadecimal digits
 */
export function groupOf(id) {
  return parseInt(id.slice(0, 2), 16);
}

/**
 * Who has an identifier, as the program says it: `PE $000000f1`.
 *
 * @param {string} id 16 hexadecimal digits
 */
export function labelOf(id) {
  const group = groupOf(id), isShort = group === REGISTRAR || group === ELEMENT;
  return `${NAMES.get(group) ?? "ID"} $${isShort ? id.slice(2).replace(/^0{0,6}/, "") : id.slice(2)}`;
}

/**
 * The host of a location: `pc2` of `pc2: 10.1.0.2:4711`, or the first address.
 *
 * @param {string} location
 */
export function hostOf(location) {
  const end = location.indexOf(": ");
  return end > 0 ? location.slice(0, end) : location.split(", ", 1)[0] ?? "";
}

/**
 * The identifier as people say it: `$f1` of `PE $000000f1`.
 *
 * @param {string} label
 */
export function shortLabel(label) {
  return label.replace(/^.. \$0*(?=.)/, "$");
}

/**
 * Who it is, and where: `PE pc2 $f1`.
 *
 * @param {{ readonly label: string, readonly location: string }} party
 */
export function partyText({ label, location }) {
  const host = hostOf(location), shown = host.length > MAX_HOST ? `${host.slice(0, MAX_HOST - 1)}…` : host;
  return [label.slice(0, 2), shown, shortLabel(label)].filter((word) => word !== "").join(" ");
}

/**
 * A share of 1 in per cent, or a dash.
 *
 * @param {number | null | undefined} share
 */
export function percent(share) {
  return share === null || share === undefined ? "–" : `${Math.round(100 * share)} %`;
}

/**
 * A time span: `00:01:02`, from 100 hours on `4 d 05 h`.
 *
 * @param {number} milliseconds
 */
export function spanText(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000)), hours = Math.floor(seconds / 3600);
  if (hours >= 24_000) return "ages";
  if (hours >= 100) return `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/**
 * The time of the day.
 *
 * @param {number} time milliseconds since 1970
 */
export function clockText(time) {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/**
 * A component in a sentence.
 *
 * @param {ComponentFact} fact
 */
export function factText(fact) {
  const { group, load, sessions, silentSince, pool, status } = fact;
  const parts = [`${kindOf(group)} ${partyText(fact)}`];
  if (group === ELEMENT) parts.push(pool === null ? "pool not known" : `in ${pool}`);
  if (load !== null) parts.push(`load ${percent(load)}`);
  if (sessions !== null) parts.push(plural(sessions, "session"));
  else if (status !== "") parts.push(status);
  if (silentSince !== null) parts.push("silent");
  return parts.join(", ");
}

/** The signs of events: a shape of its own for each, so that nobody needs colours to tell them apart. */
export const EVENT_SIGNS = /** @type {const} */ ({
  appeared: "▲",
  restarted: "↻",
  ended: "▽",
  silent: "✕",
  takeover: "◆",
  rehomed: "◇",
  failover: "●",
  moved: "○",
  conflict: "!",
});

/** What a group of components did together. */
const DID = /** @type {const} */ ({
  appeared: "appeared",
  restarted: "began anew",
  ended: "ended",
  silent: "fell silent",
  conflict: "share their identifiers with strangers",
});

/**
 * What happened, as a sentence without its full stop.
 *
 * @param {EventFact} event
 */
export function eventText({ type, component, from, to, count }) {
  const who = partyText(component);
  const ways = from === null || to === null ? "" : `from ${partyText(from)} to ${partyText(to)}`;
  const others = count > 1 ? ` and ${plural(count - 1, "other")}` : "";
  switch (type) {
    case "takeover":
      return `${to === null ? "?" : partyText(to)} took over ${plural(count, "element")} of ${
        from === null ? "?" : partyText(from)
      }`;
    case "rehomed":
      return `${who}${others} went ${ways}`;
    case "failover":
      return `${who} failed over${count > 1 ? ` ${count} sessions` : ""} ${ways}`;
    case "moved":
      return `${who} moved${count > 1 ? ` ${count} sessions` : ""} ${ways}`;
    case "conflict":
      return `somebody else reports as ${who}, and is refused`;
    default:
      return `${who} ${DID[type]}`;
  }
}

/** Components that do the same within this time do it together. */
const TOGETHER_MS = 2000;

/**
 * Events that belong together, newest first: many components that appear at once are one line.
 *
 * @param {readonly EventFact[]} events oldest first
 * @param {number} limit lines at most
 * @returns {{ readonly event: EventFact, readonly text: string }[]}
 */
export function eventLines(events, limit) {
  /** @type {EventFact[][]} */
  const lines = [];
  for (let index = events.length - 1; index >= 0 && lines.length <= limit; index--) {
    const event = /** @type {EventFact} */ (events[index]), line = lines.at(-1), first = line?.[0];
    if (
      line !== undefined && first !== undefined && event.type in DID && first.type === event.type &&
      groupOf(first.component.id) === groupOf(event.component.id) && first.at - event.at <= TOGETHER_MS
    ) line.push(event);
    else lines.push([event]);
  }
  return lines.slice(0, limit).flatMap((line) => {
    const [event] = line;
    if (event === undefined) return [];
    if (line.length === 1) return [{ event, text: eventText(event) }];
    const names = line.slice(0, 3).map(({ component }) => partyText(component)).join(", ");
    const did = DID[/** @type {keyof typeof DID} */ (event.type)];
    const more = line.length > 3 ? ", …" : "";
    return [{ event, text: `${countOf(groupOf(event.component.id), line.length)} ${did}: ${names}${more}` }];
  });
}
