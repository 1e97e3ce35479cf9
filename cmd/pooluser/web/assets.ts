/** The files of the fractal user's page, imported as text so that the one-file program has them, too. */
import { pageAsset, scriptAsset, sharedAssets, styleAsset } from "../../web/shared_assets.ts";
import type { Asset } from "../../web/web_server.ts";
import controlsJs from "./page/controls.js" with { type: "text" };
import formatJs from "./page/format.js" with { type: "text" };
import imageCss from "./page/image.css" with { type: "text" };
import imageJs from "./page/image.js" with { type: "text" };
import imageWordsJs from "./page/image_words.js" with { type: "text" };
import indexHtml from "./page/index.html" with { type: "text" };
import listsJs from "./page/lists.js" with { type: "text" };
import pictureJs from "./page/picture.js" with { type: "text" };
import pictureFeedJs from "./page/picture_feed.js" with { type: "text" };
import progressJs from "./page/progress.js" with { type: "text" };
import stageJs from "./page/stage.js" with { type: "text" };

/** By path. */
export const pageAssets: ReadonlyMap<string, Asset> = new Map([
  ...sharedAssets,
  ["/", pageAsset(indexHtml)],
  ["/image.css", styleAsset(imageCss)],
  ["/controls.js", scriptAsset(controlsJs)],
  ["/format.js", scriptAsset(formatJs)],
  ["/image.js", scriptAsset(imageJs)],
  ["/image_words.js", scriptAsset(imageWordsJs)],
  ["/lists.js", scriptAsset(listsJs)],
  ["/picture.js", scriptAsset(pictureJs)],
  ["/picture_feed.js", scriptAsset(pictureFeedJs)],
  ["/progress.js", scriptAsset(progressJs)],
  ["/stage.js", scriptAsset(stageJs)],
]);
