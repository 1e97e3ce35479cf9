// @ts-check
/** How far the image is: shown beside it and in the title, and said aloud now and then. */
import { byId, make, setText } from "shared/dom.js";
import { percent } from "./format.js";
import { progressText } from "./image_words.js";

/** @typedef {import("../page_words.ts").PageImage} PageImage */
/** @typedef {import("../page_words.ts").PageStatus} PageStatus */

/** A screen reader is told of progress at these shares of the image. */
const TOLD_SHARES = [0.25, 0.5, 0.75];

/** Says something aloud. @param {string} text */
export function say(text) {
  setText(byId("news", HTMLElement), text);
}

/** The progress of an image. */
export class Progress {
  /** The share that was said last. */
  #told = 0;

  /** Another image begins. */
  begin() {
    this.#told = 0;
  }

  /**
   * @param {PageImage} image
   * @param {PageStatus} status
   * @param {number} sinceMs how old the status is
   * @param {string} caption the page's title otherwise
   */
  show({ parameter: { width, height } }, status, sinceMs, caption) {
    const total = width * height, share = (total - status.missing) / total;
    byId("progress", HTMLProgressElement).value = share;
    setText(byId("progress-text", HTMLElement), progressText(status, total, sinceMs));
    showFile(status.file);
    document.title = status.state === "computing" ? `${percent(share)} · ${caption}` : caption;
    this.#tell(share, status.state === "complete");
  }

  /** @param {number} share @param {boolean} isComplete */
  #tell(share, isComplete) {
    const reached = share === 1 && isComplete ? 1 : TOLD_SHARES.findLast((step) => share >= step) ?? 0;
    if (reached <= this.#told) return;
    this.#told = reached;
    say(reached === 1 ? "The image is complete." : `${percent(reached)} of the image is there.`);
  }
}

/** @param {string | undefined} path where the program has written the image */
function showFile(path) {
  const place = byId("file", HTMLElement);
  if (path === undefined) {
    if (place.childElementCount > 0) place.replaceChildren();
  } else if (place.childElementCount === 0) {
    const name = nameOf(path);
    place.replaceChildren(
      "written to ",
      make("a", { href: "/image.png", download: name, title: path }, name),
    );
  }
}

/** The last part of a path, as the name of a download. @param {string} path */
function nameOf(path) {
  return path.split("/").at(-1) || "fractal.png";
}
