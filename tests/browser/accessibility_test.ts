/** The checks themselves: a good page passes, and each fault of a bad one is found. */
import assert from "node:assert/strict";
import { openWebServer } from "../../cmd/web/web_server.ts";
import { pageAsset, sharedAssets, styleAsset } from "../../cmd/web/shared_assets.ts";
import { accessibilityFaults } from "./accessibility.ts";
import { browserTest } from "./browser.ts";
import type { TestBrowser } from "./browser.ts";

async function faultsOf(browser: TestBrowser, body: string, style = ""): Promise<string[]> {
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title><link rel="icon" href="data:,">
    <link rel="stylesheet" href="/shared/base.css"><link rel="stylesheet" href="/page.css"></head>${body}</html>`;
  await using server = openWebServer({
    at: { address: "127.0.0.1", port: 0 },
    assets: new Map([...sharedAssets, ["/", pageAsset(html)], ["/page.css", styleAsset(style)]]),
    snapshot: () => 0,
  });
  await using page = await browser.open(server.url);
  return await accessibilityFaults(page);
}

const GOOD =
  `<body><header class="bar"><h1>Title</h1><span id="connection" data-state="lost">lost</span></header><main>
  <h2>Part</h2><p>Text with <a href="/">a link</a> and <code>code</code>, <button>press</button>
  <button class="primary">go</button> <button aria-pressed="true">on</button> <button disabled>no</button></p>
  <label>Name <input></label>
  <table><caption>Facts</caption><thead><tr><th>Head</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
  </main></body>`;

/** Each with the complaint that it is worth. */
const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['<button aria-label=""></button>', "button { width: 3rem; height: 3rem }", /no name: .*button ""/],
  ["<h1>Another</h1>", "", /2 headings of the first level/],
  ["<input>", "", /no name: .*textbox ""/],
  [
    '<p class="dim">dim</p>',
    ".dim { color: #aaa; background: #fff }",
    /^light: contrast 2\.32: p\.dim "dim"/,
  ],
  [
    '<p class="dim">dim</p>',
    ".dim { color: light-dark(#000, #444) }",
    /^dark: contrast 1\.\d+: p\.dim "dim"/,
  ],
  ["<button>x</button>", "button { width: 12px; height: 12px; padding: 0 }", /too small to be hit: button x/],
  ["<button>x</button>", ":focus-visible { outline: none }", /shows no sign of the focus: button x/],
  [
    '<button class="away">x</button>',
    ".away { position: fixed; inset-inline-start: -400px }",
    /has the focus and is not seen: button x/,
  ],
  ['<div class="wide">wide</div>', ".wide { width: 500px }", /a window of 320 points wants 5\d\d/],
];

browserTest(
  "accessibilityFaults() finds what is wrong, and nothing where all is well",
  async (browser, t) => {
    await t.step("a good page", async () => assert.deepEqual(await faultsOf(browser, GOOD), []));
    for (const [part, style, complaint] of BAD) {
      await t.step(`${part} ${style}`, async () => {
        const faults = await faultsOf(browser, `<body><main><h1>Title</h1>${part}</main></body>`, style);
        assert.ok(faults.some((fault) => complaint.test(fault)), faults.join("\n"));
        assert.ok(faults.length <= 2, faults.join("\n"));
      });
    }
    await t.step("no main part", async () => {
      const faults = await faultsOf(browser, "<body><h1>Title</h1></body>");
      assert.deepEqual(faults, ["no main part"]);
    });
  },
);
