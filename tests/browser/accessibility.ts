/**
 * What people who use no mouse, see little, or hear a page read out need of it (WCAG 2.2, level AA, as far as a program can
 * tell). Each check returns complaints; a page is good when there are none.
 */
import type { SerializedAXNode } from "puppeteer-core";
import type { TestPage } from "./browser.ts";

/** Roles of things that are used: each must say what it is. */
const USED_ROLES: ReadonlySet<string> = new Set([
  "button",
  "link",
  "textbox",
  "searchbox",
  "combobox",
  "listbox",
  "checkbox",
  "radio",
  "slider",
  "spinbutton",
  "switch",
  "tab",
  "menuitem",
  "application",
  "progressbar",
  "meter",
  "image",
  "img",
  "dialog",
  "table",
  "grid",
  "DisclosureTriangle",
]);

/** What a screen reader is told (WCAG 1.1.1, 1.3.1, 2.4.6, 4.1.2). */
export async function unnamedParts(page: TestPage): Promise<string[]> {
  const complaints: string[] = [];
  const root = await page.page.accessibility.snapshot({ interestingOnly: false });
  if (root === null) return ["there is no accessibility tree"];
  const roles: string[] = [];
  let headings = 0;
  const visit = (node: SerializedAXNode, path: string) => {
    const role = node.role ?? "", name = node.name ?? "";
    const here = `${path} > ${role} ${JSON.stringify(name)}`;
    roles.push(role);
    if (USED_ROLES.has(role) && name.trim() === "") complaints.push(`no name: ${here}`);
    if (role === "heading" && name.trim() === "") complaints.push(`an empty heading: ${here}`);
    if (role === "heading" && node.level === 1) headings++;
    for (const child of node.children ?? []) visit(child, here);
  };
  visit(root, "");
  if (!roles.includes("main")) complaints.push("no main part");
  if (headings !== 1) complaints.push(`${headings} headings of the first level`);
  if ((root.name ?? "").trim() === "") complaints.push("the page has no title");
  if (await page.text("html") === "" || await page.ask("document.documentElement.lang") === "") {
    complaints.push("the page does not say its language");
  }
  return complaints;
}

/** A place where the focus stops. */
interface Stop {
  /** What it is, for people. */
  readonly what: string;
  readonly index: number;
  readonly isShown: boolean;
  readonly hasRing: boolean;
}

/** Numbers everything that can be used, in `window.parts`; what belongs to a group of radio buttons stops once. */
const NUMBER_PARTS = `(() => {
  const isUsed = (element) => element.tabIndex >= 0 && !element.disabled && element.checkVisibility({
    checkOpacity: false, visibilityProperty: true, contentVisibilityAuto: true });
  window.parts = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter(isUsed);
  return window.parts.map((element) => (element.id === "" ? "" : "#" + element.id + " ") +
    element.localName + " " + (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 40));
})()`;

/** What has the focus, after styles have settled. */
const LOOK_AT_FOCUS = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const { width, height, bottom, right, top, left } = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  return {
    what: element.localName + (element.id === "" ? "" : "#" + element.id) + " " + element.textContent.trim().slice(0, 40),
    index: window.parts.indexOf(element),
    isShown: width > 0 && height > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
    hasRing: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
  };
})()`;

/** Stops of the focus that are looked at: a table of a thousand buttons needs no longer walk. */
const MAX_STOPS = 200;

/** Walks by the key Tab: everything is reached, shown and marked, and nothing holds the focus (WCAG 2.1.1, 2.1.2, 2.4.7). */
export async function keyboardFaults(page: TestPage): Promise<string[]> {
  const complaints: string[] = [];
  await page.ask("document.activeElement?.blur()");
  const parts = await page.ask<string[]>(NUMBER_PARTS);
  const reached = new Set<number>();
  for (let count = 0; count < MAX_STOPS; count++) {
    await page.page.keyboard.press("Tab");
    const stop = await page.ask<Stop | null>(LOOK_AT_FOCUS);
    // Behind the last part the focus goes to the browser, and begins anew.
    if (stop === null || reached.has(stop.index)) break;
    if (stop.index >= 0) reached.add(stop.index);
    if (!stop.isShown) complaints.push(`has the focus and is not seen: ${stop.what}`);
    if (!stop.hasRing) complaints.push(`shows no sign of the focus: ${stop.what}`);
  }
  if (reached.size < MAX_STOPS - 1) {
    for (const [index, part] of parts.entries()) {
      if (!reached.has(index)) complaints.push(`not reached by keyboard: ${part}`);
    }
  }
  return complaints;
}

/** Texts and their contrast with what lies behind them; large ones may have less (WCAG 1.4.3). */
const FIND_FAINT_TEXTS = `(() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [r2, g2, b2]) => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
  const behind = (element) => {
    const layers = [];
    for (let one = element; one !== null; one = one.parentElement) {
      layers.push(rgba(getComputedStyle(one).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255, 1]);
  };
  const light = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement, text = node.data.trim();
    if (text === "" || element === null || element.closest("svg, script, :disabled, .unseen, .skip") !== null) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const style = getComputedStyle(element), back = behind(element), front = over(rgba(style.color), back);
    const [a, b] = [luminance(front), luminance(back)].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) {
      found.add(contrast.toFixed(2) + ": " + element.localName + (element.className ? "." + element.className : "") +
        " " + JSON.stringify(text.slice(0, 40)));
    }
  }
  return [...found];
})()`;

/** Texts that are hard to read. */
export async function faintTexts(page: TestPage): Promise<string[]> {
  return (await page.ask<string[]>(FIND_FAINT_TEXTS)).map((text) => `contrast ${text}`);
}

/** What is too small to be hit, unless it lies in a line of text or has room around it (WCAG 2.5.8). */
const FIND_SMALL_PARTS = `window.parts.filter((element) => {
  const { width, height } = element.getBoundingClientRect();
  return width > 0 && (width < 24 || height < 24) && !element.matches(".unseen, .unseen *, .skip") &&
    getComputedStyle(element).display !== "inline";
}).map((element) => "too small to be hit: " + element.localName + " " + element.textContent.trim().slice(0, 40))`;

/** Parts that are too small. */
export async function smallParts(page: TestPage): Promise<string[]> {
  await page.ask(NUMBER_PARTS);
  return await page.ask<string[]>(FIND_SMALL_PARTS);
}

/** A narrow window, or a wide one at 400 %, needs no scrolling to the side (WCAG 1.4.10). */
export async function reflowFaults(page: TestPage): Promise<string[]> {
  await page.look({ width: 320, height: 640, scheme: "light" });
  const [needed, there] = await page.ask<[number, number]>(
    "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => " +
      "resolve([document.documentElement.scrollWidth, innerWidth]))))",
  );
  return needed > there ? [`a window of ${there} points wants ${needed}`] : [];
}

/** All checks, in light and dark; the page is in a narrow window in the end. */
export async function accessibilityFaults(page: TestPage): Promise<string[]> {
  const complaints = [
    ...await unnamedParts(page),
    ...await keyboardFaults(page),
    ...await smallParts(page),
  ];
  for (const scheme of ["light", "dark"] as const) {
    await page.look({ width: 1280, height: 800, scheme });
    complaints.push(...(await faintTexts(page)).map((text) => `${scheme}: ${text}`));
  }
  return [...complaints, ...await reflowFaults(page)];
}
