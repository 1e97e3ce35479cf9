/** The fractal user's page without a pool: the test says what happens, also what no pool would do in time. */
import assert from "node:assert/strict";
import { LogLevel } from "../../cmd/driver/log.ts";
import type { ImageProgress } from "../../cmd/pooluser/display.ts";
import { Picture } from "../../cmd/pooluser/picture.ts";
import { ImagePage } from "../../cmd/pooluser/web/image_page.ts";
import { MAX_BATCH_POINTS } from "../../cmd/pooluser/web/point_batch.ts";
import { openWebServer } from "../../cmd/web/web_server.ts";
import type { WebServer } from "../../cmd/web/web_server.ts";
import { MAX_DATA_POINTS } from "../../protocol/app/fractal/messages.ts";
import { partition } from "../../protocol/app/fractal/subimage.ts";
import { IMAGE } from "../protocol/app/fractal/fixture.ts";
import { browserTest } from "./browser.ts";
import type { TestPage } from "./browser.ts";

/** A program's page whose image the test paints. */
class PaintedPage implements AsyncDisposable {
  readonly page: ImagePage;
  readonly server: WebServer;
  progress!: ImageProgress;

  constructor(port = 0) {
    this.page = new ImagePage({
      caption: "Painted",
      marks: { sessions: false, colormarks: false },
      facts: () => ({ name: "test", sessions: 1, depth: 0, slideShow: false }),
      onWish: () => ({ ok: false, problem: "<i>No.</i>" }),
      onPages: () => {},
    });
    const at = { address: "127.0.0.1", port };
    this.server = openWebServer({ ...this.page.plan(), at }, { farewellMs: 60_000 }); // the browser reads as long as it is there
    this.page.attach(this.server);
  }

  /** Begins an image of such a size. */
  start(image: number, width: number, height: number): void {
    this.progress = {
      image,
      parameter: { ...IMAGE, width, height },
      picture: new Picture(width, height),
      startedAt: performance.now(),
      missing: width * height,
      elements: new Map(),
      elementNumbers: new Map(),
    };
    this.page.started(this.progress);
  }

  /** Gives the next so many points, with values that begin with this one. */
  points(count: number, value = 0): void {
    const { picture, parameter: { width, height } } = this.progress;
    const [area] = partition(width, height, 1);
    const end = Math.max(0, this.progress.missing - count);
    while (this.progress.missing > end) {
      const first = width * height - this.progress.missing;
      const length = Math.min(MAX_DATA_POINTS, this.progress.missing - end);
      const points = {
        type: "points",
        part: 0,
        area: area!,
        x: first % width,
        y: Math.floor(first / width),
        values: Uint32Array.from({ length }, (_, index) => value + Math.floor((first + index) / 100)),
        elementId: 0xa,
        peChanges: 0,
        missing: this.progress.missing -= length,
      } as const;
      this.page.grown(this.progress, points, length);
      picture.paint(points, {}, { element: 0 });
    }
  }

  /** A hash of the picture. */
  async hash(): Promise<string> {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", this.progress.picture.rgb())).toHex();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.page.end();
    await this.server[Symbol.asyncDispose]();
  }
}

/** Waits until the canvas has the picture. */
async function shows(page: TestPage, painted: PaintedPage): Promise<void> {
  await page.waitFor(`(async () => {
    const canvas = document.querySelector("#canvas"), { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const rgb = data.filter((_, index) => index % 4 !== 3);
    const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(rgb));
    return Array.from(new Uint8Array(hash), (octet) => octet.toString(16).padStart(2, "0")).join("") ===
      "${await painted.hash()}";
  })()`);
}

browserTest("the page keeps up, whatever comes", async (browser, context) => {
  await using painted = new PaintedPage();
  await using page = await browser.open(painted.server.url);
  await page.says("#connection", /^connected$/);

  await context.step("an image that begins after the page", async () => {
    painted.start(1, 1024, 600);
    painted.points(10_000);
    await shows(page, painted);
  });

  await context.step("more points at once than are told: the picture is fetched", async () => {
    painted.points(MAX_BATCH_POINTS + 1);
    painted.points(100);
    await shows(page, painted);
    painted.points(1000);
    await shows(page, painted);
  });

  await context.step("points while the picture is fetched, few and too many", async () => {
    painted.start(2, 2048, 600);
    await page.says("#image-name", /^Image 2/);
    // Pictures arrive when the test says so.
    await page.ask(`{
      window.fetched = window.fetch;
      window.held = [];
      window.fetch = async (...words) => {
        const answer = await window.fetched(...words);
        await new Promise((go) => window.held.push(go));
        return answer;
      };
      0;
    }`);
    painted.points(MAX_BATCH_POINTS + 1);
    await page.waitFor("held.length === 1");
    painted.points(20_000);
    await page.waitFor("document.querySelector('#progress').value > 0.229");
    await page.ask("held.shift()()");
    await shows(page, painted);
    painted.points(MAX_BATCH_POINTS + 1);
    await page.waitFor("held.length === 1");
    painted.points(MAX_BATCH_POINTS + 1);
    await page.waitFor("document.querySelector('#progress').value > 0.65");
    await page.ask("held.shift()()");
    await page.waitFor("held.length === 1");
    await page.ask("held.shift()()");
    await shows(page, painted);
    await page.ask("window.fetch = window.fetched, 0");
  });

  await context.step("the next image, in the middle of one", async () => {
    painted.start(3, 640, 480);
    painted.points(200_000, 7);
    await shows(page, painted);
  });

  await context.step("texts of strangers are texts", async () => {
    const reason = `<img src=x onerror="document.title='bad'"> ${"x".repeat(10_000)}`;
    for (let part = 0; part < 300; part++) {
      painted.page.report({
        type: "partFailover",
        part: 0,
        elementId: part,
        hasCookie: false,
        reason,
        pauseMs: 0,
      });
    }
    painted.page.status(`\u202e<script>alert(1)</script>`, LogLevel.error);
    await page.says("#failovers", /<img src=x onerror/);
    await page.says("#events", /\.<script>alert\(1\)<\/script>/);
    assert.equal(await page.ask("document.querySelectorAll('#failovers li').length"), 200);
    assert.equal(await page.ask("document.querySelectorAll('#marks g').length <= 60"), true);
    assert.equal(await page.ask("document.querySelectorAll('#side img, #side script').length"), 0);
    const [width, there] = await page.ask<[number, number]>(
      "[document.documentElement.scrollWidth, innerWidth]",
    );
    assert.ok(width <= there, "long words do not widen the page");
    await page.screenshot("image_hostile");
  });

  page.isContent();
  await context.step("what the program says against a wish", async () => {
    await page.page.click("#next");
    await page.says("#problem", /^<i>No\.<\/i>$/);
  });
});

browserTest(
  "a program that is started in the place of another one is shown from its beginning",
  async (browser) => {
    let painted = new PaintedPage();
    const port = Number(new URL(painted.server.url).port);
    try {
      painted.start(1, 400, 300);
      painted.points(50_000);
      await using page = await browser.open(painted.server.url);
      await shows(page, painted);
      // Whoever breaks off without a word leaves the page with what it knew last: no time is counted that nobody reports.
      await painted.server[Symbol.asyncDispose]();
      await page.says("#connection", /cannot be reached/);
      const [known] = await page.says("#progress-text", /^41 % .* points\/s$/);
      await page.ask(
        "{ const now = performance.now.bind(performance); performance.now = () => now() + 3_600_000; 0; }",
      );
      const ticks = "new Promise((go) => { let left = 3; setInterval(() => --left === 0 && go(), 250); })";
      await page.ask(ticks);
      assert.equal(await page.text("#progress-text"), known);
      await page.ask("delete performance.now, 0");
      painted = new PaintedPage(port);
      painted.start(1, 320, 200);
      painted.points(10_000);
      await page.says("#connection", /^connected$/);
      await painted[Symbol.asyncDispose]();
      await page.says("#connection", /cannot be reached/);
      assert.match(await page.text("#progress-text"), /^ended · /);
      assert.equal(await page.ask("document.querySelector('#next').disabled"), true);
      painted = new PaintedPage(port);
      painted.start(1, 320, 200);
      painted.points(30_000, 5);
      await page.says("#connection", /^connected$/);
      await shows(page, painted);
      assert.equal(await page.ask("document.querySelectorAll('#events li').length"), 1);
      painted.points(10_000, 9);
      await shows(page, painted);
    } finally {
      await painted[Symbol.asyncDispose]();
    }
  },
);
