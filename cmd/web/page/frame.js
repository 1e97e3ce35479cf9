// @ts-check
/** What every page has: the switch between light and dark, and the line that says how the program is. */
import { byId, setText } from "shared/dom.js";

/** @typedef {import("shared/feed.js").FeedState} FeedState */

/** The choice is kept for all pages of this program's place. */
const THEME_KEY = "theme";

/** In the order in which the switch goes round. `auto` follows the system. */
const THEMES = /** @type {const} */ (["auto", "light", "dark"]);

/** @typedef {typeof THEMES[number]} Theme */

/** @type {Readonly<Record<FeedState, string>>} */
const STATE_TEXTS = {
  connecting: "connecting …",
  connected: "connected",
  lost:
    "The program cannot be reached: it has ended, too many pages are open, or the network fails. Trying again …",
};

/**
 * Makes the button with the ID `theme` switch between light and dark.
 *
 * @param {() => void} [onChange] told after each change, the system's own included: colours of drawings change with it
 */
export function setUpTheme(onChange = () => {}) {
  const button = byId("theme", HTMLButtonElement);
  /** @type {Theme} */
  let theme = THEMES.find((one) => one === stored()) ?? "auto";
  const show = () => {
    if (theme === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme;
    setText(button, `Colours: ${theme}`);
  };
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    store(theme);
    show();
    onChange();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", onChange);
  show();
}

/** @returns {string | null} */
function stored() {
  try {
    return localStorage.getItem(THEME_KEY);
  } catch { // the browser keeps nothing
    return null;
  }
}

/** @param {Theme} theme */
function store(theme) {
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch { /* then the choice holds for this visit */ }
}

/**
 * Shows in the element with the ID `connection` how the program is.
 *
 * @param {FeedState} state
 */
export function showConnection(state) {
  const element = byId("connection", HTMLElement);
  element.dataset["state"] = state;
  setText(element, STATE_TEXTS[state]);
}

/**
 * The value of a colour, or of another property that the style sheet names, as it is now.
 *
 * @param {string} name such as `--text`
 */
export function styleValue(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
