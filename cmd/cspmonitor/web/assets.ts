/** The files of the page, and the libraries that it uses. */
import d3Dispatch from "d3-dispatch" with { type: "text" };
import d3Force from "d3-force" with { type: "text" };
import d3Quadtree from "d3-quadtree" with { type: "text" };
import d3Timer from "d3-timer" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import { pageAsset, scriptAsset, sharedAssets, styleAsset } from "../../web/shared_assets.ts";
import type { Asset } from "../../web/web_server.ts";
import camera from "./page/camera.js" with { type: "text" };
import details from "./page/details.js" with { type: "text" };
import events from "./page/events.js" with { type: "text" };
import glyphs from "./page/glyphs.js" with { type: "text" };
import graph from "./page/graph.js" with { type: "text" };
import hands from "./page/hands.js" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import layout from "./page/layout.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import monitorCss from "./page/monitor.css" with { type: "text" };
import motion from "./page/motion.js" with { type: "text" };
import names from "./page/names.js" with { type: "text" };
import nodes from "./page/nodes.js" with { type: "text" };
import painter from "./page/painter.js" with { type: "text" };
import palette from "./page/palette.js" with { type: "text" };
import plots from "./page/plots.js" with { type: "text" };
import scene from "./page/scene.js" with { type: "text" };
import shapes from "./page/shapes.js" with { type: "text" };
import table from "./page/table.js" with { type: "text" };
import texts from "./page/texts.js" with { type: "text" };
import tip from "./page/tip.js" with { type: "text" };
import view from "./page/view.js" with { type: "text" };
import words from "./page/words.js" with { type: "text" };

const scripts = {
  camera,
  details,
  events,
  glyphs,
  graph,
  hands,
  layout,
  main,
  motion,
  names,
  nodes,
  painter,
  palette,
  plots,
  scene,
  shapes,
  table,
  texts,
  tip,
  view,
  words,
};

const libraries = {
  "d3-dispatch": d3Dispatch,
  "d3-force": d3Force,
  "d3-quadtree": d3Quadtree,
  "d3-timer": d3Timer,
  uplot,
};

/** By path. */
export const monitorAssets: ReadonlyMap<string, Asset> = new Map([
  ...sharedAssets,
  ["/", pageAsset(index)],
  ["/monitor.css", styleAsset(monitorCss)],
  ["/lib/uplot.css", styleAsset(uplotCss)],
  ...Object.entries(scripts).map(([name, text]) => [`/${name}.js`, scriptAsset(text)] as const),
  ...Object.entries(libraries).map(([name, text]) => [`/lib/${name}.js`, scriptAsset(text)] as const),
]);
