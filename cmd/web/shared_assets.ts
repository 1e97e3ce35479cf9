/** Files that pages share, and the libraries that come along with the program: a page needs no other place than this. */
import baseCss from "./page/base.css" with { type: "text" };
import domJs from "./page/dom.js" with { type: "text" };
import feedJs from "./page/feed.js" with { type: "text" };
import frameJs from "./page/frame.js" with { type: "text" };
import type { Asset } from "./web_server.ts";

/** A style sheet of a page. */
export function styleAsset(body: string): Asset {
  return { type: "text/css; charset=utf-8", body };
}

/** A script of a page. */
export function scriptAsset(body: string): Asset {
  return { type: "text/javascript; charset=utf-8", body };
}

/** A page. Its import map, the only script within it, is known to the server by its hash. */
export function pageAsset(body: string): Asset {
  return { type: "text/html; charset=utf-8", body };
}

/** By path. Pages name the scripts `shared/…` by their import map, `{ "imports": { "shared/": "/shared/" } }`. */
export const sharedAssets: ReadonlyMap<string, Asset> = new Map([
  ["/shared/base.css", styleAsset(baseCss)],
  ["/shared/dom.js", scriptAsset(domJs)],
  ["/shared/feed.js", scriptAsset(feedJs)],
  ["/shared/frame.js", scriptAsset(frameJs)],
]);
