/** The image in words, as far as that needs no browser. */
import assert from "node:assert/strict";
import {
  imageFacts,
  imageTitle,
  pointText,
  progressText,
  regionText,
} from "../../../../cmd/pooluser/web/page/image_words.js";
import type { PageImage, PageStatus } from "../../../../cmd/pooluser/web/page_words.ts";

const IMAGE: PageImage = {
  number: 2,
  name: "cubic",
  parameter: {
    ...{ width: 400, height: 200, algorithm: 2, maxIterations: 1024, n: 3 },
    ...{ c1Real: -2, c1Imag: 1, c2Real: 2, c2Imag: -1 },
  },
  sessions: 9,
  depth: 2,
  areas: [[0, 0, 400, 200]],
};

const STATUS: PageStatus = {
  ...{ state: "computing", missing: 40_000, elapsedMs: 3000, failoverCount: 1, slideShow: false },
};

Deno.test("progressText() counts the time of an image that is under way, and of no other", () => {
  assert.equal(progressText(STATUS, 80_000, 1000), "50 % · 4.0 s · 1 failover · 10,000 points/s");
  const complete: PageStatus = { ...STATUS, state: "complete", missing: 0, nextInMs: 4500 };
  assert.equal(
    progressText(complete, 80_000, 1000),
    "complete · 3.0 s · 1 failover · 26,667 points/s · next in 4 s",
  );
  assert.equal(
    progressText({ ...STATUS, state: "failed", elapsedMs: 0 }, 80_000, 9),
    "50 % · 0.0 s · 1 failover",
  );
  assert.match(progressText({ ...STATUS, state: "ended" }, 80_000, 9), /^ended · 3\.0 s/);
});

Deno.test("an image has a title and facts, its points and regions have places", () => {
  assert.equal(imageTitle(IMAGE), "Image 2: cubic, view 3");
  assert.equal(imageTitle({ ...IMAGE, depth: 0 }), "Image 2: cubic");
  assert.deepEqual(Object.fromEntries(imageFacts(IMAGE)), {
    Formula: "z^3 − c",
    Iterations: "at most 1,024",
    Size: "400 × 200 points",
    Real: "−2.000 … 2.000",
    Imaginary: "1.000 … −1.000",
    Sessions: "9, of which the image has room for 1",
  });
  assert.equal(pointText(IMAGE, 100, 150), "−1.000 − 0.500 i");
  const region = { left: 0.25, top: 0.25, right: 0.75, bottom: 0.75 };
  assert.equal(
    regionText(IMAGE, region),
    "Region around 0.000 + 0.000 i, 50 % as wide as the image. Enter computes it.",
  );
});
