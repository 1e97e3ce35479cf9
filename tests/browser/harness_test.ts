/** The pages' shared parts in a real browser: the feed, its interruptions, the switch between light and dark. */
import assert from "node:assert/strict";
import { openWebServer } from "../../cmd/web/web_server.ts";
import type { WebServer } from "../../cmd/web/web_server.ts";
import { pageAsset, scriptAsset, sharedAssets } from "../../cmd/web/shared_assets.ts";
import { browserTest, USUAL_LOOK } from "./browser.ts";

/** The background of pages in the dark, as `base.css` has it. */
const DARK = "rgb(20, 23, 28)";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Test</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/shared/base.css">
<script type="importmap">{ "imports": { "shared/": "/shared/" } }</script>
<script type="module" src="/page.js"></script>
</head>
<body>
<header class="bar"><h1>Test</h1><output id="connection"></output><button id="theme"></button></header>
<main><ul id="list"></ul><button id="order">Order</button><output id="answer"></output></main>
</body>
</html>`;

const SCRIPT = `
import { byId, make, setText } from "shared/dom.js";
import { openFeed, sendCommand } from "shared/feed.js";
import { setUpTheme, showConnection } from "shared/frame.js";
setUpTheme();
const list = byId("list", HTMLUListElement);
openFeed({
  events: {
    snapshot: (texts) => list.replaceChildren(...texts.map((text) => make("li", {}, text))),
    more: (text) => list.append(make("li", {}, text)),
  },
  onState: showConnection,
});
byId("order", HTMLButtonElement).addEventListener("click", async () => {
  setText(byId("answer", HTMLOutputElement), await sendCommand({ order: 1 }) ?? "done");
});
`;

function serve(port: number, texts: readonly string[], orders: unknown[] = []): WebServer {
  return openWebServer({
    at: { address: "127.0.0.1", port },
    assets: new Map([...sharedAssets, ["/", pageAsset(PAGE)], ["/page.js", scriptAsset(SCRIPT)]]),
    snapshot: () => texts,
    onCommand: (command) => {
      orders.push(command);
      return orders.length === 1 ? { ok: true } : { ok: false, problem: "once is enough" };
    },
  });
}

browserTest("pages and the program behind them", async (browser, t) => {
  await t.step(
    "a page shows what the program says, as text, and the program does what the page says",
    async () => {
      const orders: unknown[] = [];
      await using server = serve(0, ["<b>one</b>"], orders);
      await using page = await browser.open(server.url);
      await page.says("#list", /^<b>one<\/b>$/);
      await page.says("#connection", /^connected$/);
      server.publish("more", "<script>two</script>");
      await page.says("#list", /^<b>one<\/b><script>two<\/script>$/);
      await page.page.click("#order");
      await page.says("#answer", /^done$/);
      await page.page.click("#order");
      await page.says("#answer", /^once is enough$/);
      assert.deepEqual(orders, [{ order: 1 }, { order: 1 }]);
      // The browser itself tells of the status 400 behind the second order.
      assert.deepEqual(page.complaints.filter((text) => !text.includes("400")), []);
    },
  );

  await t.step("a page says that the program has gone, and finds the next one", async () => {
    const first = serve(0, ["first"]);
    const port = Number(new URL(first.url).port);
    await using page = await browser.open(first.url);
    await page.says("#list", /^first$/);
    await first[Symbol.asyncDispose]();
    await page.says("#connection", /cannot be reached/);
    await page.page.click("#order");
    await page.says("#answer", /^The program cannot be reached: it may have ended\.$/);
    await using second = serve(port, ["second"]);
    await page.says("#list", /^second$/);
    await page.says("#connection", /^connected$/);
    second.publish("more", "!");
    await page.says("#list", /^second!$/);
  });

  await t.step("colours follow the system, or the switch, which is remembered", async () => {
    await using server = serve(0, []);
    await using page = await browser.open(server.url);
    const dark = async () =>
      await page.ask<string>("getComputedStyle(document.body).backgroundColor") === DARK;
    await page.says("#theme", /^Colours: auto$/);
    assert.equal(await dark(), false);
    await page.look({ ...USUAL_LOOK, scheme: "dark" });
    assert.equal(await dark(), true);
    await page.page.click("#theme");
    await page.says("#theme", /^Colours: light$/);
    assert.equal(await dark(), false);
    await page.page.reload({ waitUntil: "domcontentloaded" });
    await page.says("#theme", /^Colours: light$/);
    assert.equal(await dark(), false);
    await page.page.click("#theme");
    await page.look(USUAL_LOOK);
    assert.equal(await dark(), true);
    page.isContent();
  });

  await t.step("a page can neither make markup of texts nor reach other places", async () => {
    await using server = serve(0, []);
    await using page = await browser.open(server.url);
    await page.says("#connection", /^connected$/);
    const forbidden: readonly (readonly [string, RegExp])[] = [
      ["document.body.innerHTML = '<p>markup</p>'", /TrustedHTML/],
      [
        "document.body.append(Object.assign(document.createElement('script'), { text: 'stolen = 1' }))",
        /TrustedScript/,
      ],
      ["document.body.setAttribute('onclick', 'stolen = 1')", /TrustedScript/],
      ["fetch('http://localhost:1/').then(() => 0)", /Failed to fetch/],
    ];
    for (const [script, complaint] of forbidden) {
      await assert.rejects(page.ask(script), complaint, script);
    }
    await page.ask(`document.body.append(Object.assign(document.createElement("iframe"), { src: "/" }))`);
    await page.ask(
      `document.body.append(Object.assign(document.createElement("img"), { src: "http://127.0.0.1:1/" }))`,
    );
    for (const what of [/frame/i, /image|img-src/i, /connect/i]) {
      await page.complains((text) => what.test(text) && /policy/i.test(text));
    }
  });

  await t.step("pages of another place neither read nor order anything", async () => {
    const orders: unknown[] = [];
    await using server = serve(0, ["secret"], orders);
    // The attacker's page, which may do what it likes where it is.
    await using elsewhere = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () =>
        new Response("<!doctype html><title>elsewhere</title>", { headers: { "content-type": "text/html" } }),
    );
    await using page = await browser.open(`http://localhost:${elsewhere.addr.port}/`);
    const target = JSON.stringify(server.url);
    await assert.rejects(
      page.ask(`fetch(${target} + "events").then((answer) => answer.text())`),
      /Failed to fetch/,
    );
    for (const type of ["application/json", "text/plain"]) {
      await assert.rejects(
        page.ask(`fetch(${target} + "command", {
          method: "POST", body: "1", headers: { "content-type": "${type}" } })`),
        /Failed to fetch/,
      );
    }
    const blind = await page.ask<string>(`fetch(${target} + "command", {
      method: "POST", mode: "no-cors", body: "1" }).then((answer) => answer.type, (error) => error.name)`);
    assert.match(blind, /^(opaque|TypeError)$/);
    const shown = await page.ask<string>(`new Promise((resolve) => {
      const source = new EventSource(${target} + "events");
      source.onmessage = source.onopen = () => resolve("open");
      source.onerror = () => resolve("refused");
    })`);
    assert.equal(shown, "refused");
    assert.deepEqual(orders, []);
    assert.equal(server.listenerCount, 0);
  });
});
