/** What a person wants to see of the components, and how keys change it. */
import { COMPONENT_ORDERS } from "../../protocol/csp/mod.ts";
import type { ArrangementOptions } from "../../protocol/csp/mod.ts";
import type { Key } from "../tui/key_window.ts";

/** What is shown. */
export interface ViewSettings extends ArrangementOptions {
  /** Components of a group that are shown at most, as long as {@linkcode ViewSettings.isLimited}. */
  readonly isLimited: boolean;
  /** Characters of a location. */
  readonly maxLocation: number;
  /** With each component its associations. */
  readonly hasAssociations: boolean;
  /** The filter is being typed: keys are letters. */
  readonly isTyping: boolean;
  /** The picture stands still. */
  readonly isPaused: boolean;
  /** Rows above the window. */
  readonly offset: number;
}

/** What the window shows of all rows. */
export interface ScrollRange {
  /** Rows of the window. */
  readonly page: number;
  /** Rows there are. */
  readonly rows: number;
}

/** What a filter may be long: more than a line shows. */
const MAX_FILTER = 64;

/** What keys do, in one line. */
export const KEY_HELP = "q quit  s sort  r reverse  / filter  a associations  m limits  p pause";

/** What is shown after a key; undefined = the user wants an end. */
export function pressKey(settings: ViewSettings, key: Key, range: ScrollRange): ViewSettings | undefined {
  if (key.ctrl === true && (key.name === "c" || key.name === "d")) return undefined;
  if (settings.isTyping) return typeFilter(settings, key);
  const last = Math.max(0, range.rows - range.page), offset = Math.min(settings.offset, last);
  const scroll = (to: number) => ({ ...settings, offset: Math.min(Math.max(0, to), last) });
  switch (key.name ?? key.sequence) {
    case "q":
      return undefined;
    case "s":
      return { ...settings, order: nextOrder(settings.order), offset: 0 };
    case "r":
      return { ...settings, isReversed: !settings.isReversed, offset: 0 };
    case "a":
      return { ...settings, hasAssociations: !settings.hasAssociations };
    case "m":
      return { ...settings, isLimited: !settings.isLimited };
    case "p":
      return { ...settings, isPaused: !settings.isPaused };
    case "/":
      return { ...settings, isTyping: true };
    case "escape":
      return { ...settings, filter: "", offset: 0 };
    case "up":
    case "k":
      return scroll(offset - 1);
    case "down":
    case "j":
      return scroll(offset + 1);
    case "pageup":
      return scroll(offset - range.page);
    case "pagedown":
    case "space":
      return scroll(offset + range.page);
    case "home":
      return scroll(0);
    case "end":
      return scroll(last);
    default:
      return settings;
  }
}

function typeFilter(settings: ViewSettings, { name, sequence = "", ctrl }: Key): ViewSettings {
  const { filter } = settings;
  switch (name) {
    case "return":
    case "enter":
      return { ...settings, isTyping: false };
    case "escape":
      return { ...settings, isTyping: false, filter: "", offset: 0 };
    case "backspace":
      return { ...settings, filter: filter.slice(0, -1), offset: 0 };
  }
  const isText = ctrl !== true && /^[\x20-\x7e]$/.test(sequence) && filter.length < MAX_FILTER;
  return isText ? { ...settings, filter: filter + sequence, offset: 0 } : settings;
}

function nextOrder(order: ViewSettings["order"]): ViewSettings["order"] {
  return COMPONENT_ORDERS[(COMPONENT_ORDERS.indexOf(order) + 1) % COMPONENT_ORDERS.length] ?? order;
}
