/** The fractal user's page in a real browser, with a real pool behind it. */
import assert from "node:assert/strict";
import { decode } from "fast-png";
import { accessibilityFaults, faintTexts } from "./accessibility.ts";
import { browserTest } from "./browser.ts";
import type { TestPage } from "./browser.ts";
import { RealTerminal, terminalIsPossible } from "../cmd/tui/real_terminal.ts";
import { PoolScene } from "./pool_scene.ts";

const DARK = { width: 1280, height: 800, scheme: "dark" } as const;
const SMALL = { width: 420, height: 900, scheme: "light" } as const;

/** What the canvas has: size, and a hash of its colours. Points that are not there count as black, as in the file. */
const CANVAS = `(async () => {
  const canvas = document.querySelector("#canvas");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const rgb = new Uint8Array(3 * width * height);
  for (let point = 0; point < width * height; point++) {
    for (let n = 0; n < 3; n++) rgb[3 * point + n] = data[4 * point + n];
  }
  const hash = await crypto.subtle.digest("SHA-256", rgb);
  return [width, height, Array.from(new Uint8Array(hash), (octet) => octet.toString(16).padStart(2, "0")).join("")];
})()`;

/** The same of a file. */
async function pictureOf(file: Uint8Array): Promise<[number, number, string]> {
  const { width, height, data } = decode(file);
  const hash = await crypto.subtle.digest("SHA-256", Uint8Array.from(data));
  return [width, height, new Uint8Array(hash).toHex()];
}

/** Waits until the canvas has what a file has: a page that was opened late has the figures before it has the picture. */
async function showsFile(page: TestPage, file: string): Promise<void> {
  const picture = JSON.stringify(await pictureOf(await Deno.readFile(file)));
  await page.waitFor(`${CANVAS}.then((shown) => JSON.stringify(shown) === ${JSON.stringify(picture)})`);
}

/** Whether anything of the last image is seen behind the points that are to come. */
const HAS_BEFORE = `(() => {
  const before = document.querySelector("#before");
  const context = new OffscreenCanvas(before.width, before.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(before, 0, 0);
  return context.getImageData(0, 0, before.width, before.height).data.some((octet) => octet !== 0);
})()`;

/** Waits until an image is complete. */
async function isComplete(page: TestPage, name: RegExp): Promise<void> {
  await page.says("#image-name", name);
  await page.says("#progress-text", /^complete/);
}

browserTest("the image grows on the page, and is the file pixel by pixel", async (browser, context) => {
  await using scene = await PoolScene.start();
  for (const id of [1, 2]) await scene.server(id, "-fgpmaxrate=6000", "-fgpmaxthreads=8");
  const { program, url } = await scene.user(
    ...["-threads=6", "-width=500", "-height=320", "-config=seahorse-valley"],
    // A server that only waits for the processor is not left: the page would count a failover, and rightly so.
    ...["-recvtimeout=120000", "-caption=<img src=x> Fractals"],
  );
  const file = `${scene.directory}/image.png`;

  await context.step("on each page that is open", async () => {
    await using page = await browser.open(url);
    await using dark = await browser.open(url, DARK);
    for (const one of [page, dark]) await isComplete(one, /^Image 1: seahorse-valley$/);
    await showsFile(page, file);
    await page.page.click("#next");
    for (const one of [page, dark]) {
      await one.says("#image-name", /^Image 2:/);
      await one.waitFor(`document.querySelector("#progress").value >= 0.3`);
    }
    await dark.screenshot("image_growing_dark");
    for (const one of [page, dark]) {
      await isComplete(one, /^Image 2: seahorse-valley$/);
      await showsFile(one, file);
      assert.equal(await one.text("#caption"), "<img src=x> Fractals");
    }
    await page.screenshot("image_complete_light");
    await page.look(SMALL);
    await page.screenshot("image_complete_small");
    const given = new Uint8Array(await (await fetch(`${url}image.png`)).arrayBuffer());
    assert.deepEqual(given, await Deno.readFile(file), "the page gives the very file");
    page.isContent();
    dark.isContent();
  });

  await context.step("which shows who computed what", async () => {
    await using page = await browser.open(url);
    await isComplete(page, /Image 2/);
    const rows = await page.ask<string[][]>(
      `[...document.querySelectorAll("#elements tr")].map((row) => [...row.cells].map((cell) => cell.textContent))`,
    );
    assert.deepEqual(rows.map(([id]) => id).sort(), ["0x00000001", "0x00000002"]);
    const shares = rows.map((cells) => parseFloat(cells.at(-1)!));
    assert.ok(Math.abs(shares[0]! + shares[1]! - 100) < 0.2, `${shares}`);
    const parts = await page.ask<string[]>(
      `[...document.querySelectorAll("#parts tr")].map((row) => row.textContent)`,
    );
    assert.equal(parts.length, 6);
    for (const part of parts) assert.match(part, /done0x0000000[12]0100 %/);
    await showsFile(page, file);
    const plain = await page.ask(CANVAS);
    await page.page.click("#show-sessions");
    await page.page.click("#show-elements");
    assert.notDeepEqual(await page.ask(CANVAS), plain);
    await page.page.hover("#stage");
    await page.says("#hint", /session \d, computed by 0x0000000[12]$/);
    await page.screenshot("image_elements");
    await page.page.click("#show-sessions");
    await page.page.click("#show-elements");
    assert.deepEqual(await page.ask(CANVAS), plain);
    page.isContent();
  });

  await context.step("and is there for everybody", async () => {
    await using page = await browser.open(url);
    await isComplete(page, /Image 2/);
    assert.deepEqual(await accessibilityFaults(page), []);
    for (const scheme of ["light", "dark"] as const) {
      await page.look({ ...DARK, scheme });
      await page.page.hover("#next");
      assert.deepEqual(await faintTexts(page), [], "what is below the mouse can be read");
    }
    page.isContent();
  });

  await context.step("and the program stays for wishes until Ctrl+C", async () => {
    await using page = await browser.open(url);
    await isComplete(page, /Image 2/);
    assert.equal(await program.interrupt(), 0);
    await page.says("#connection", /cannot be reached/);
    // The browser itself notes that nobody answers any more.
    assert.deepEqual(page.complaints.filter((complaint) => !complaint.includes("net::ERR_")), []);
  });
});

browserTest(
  "a region, more sessions, another image: by mouse, buttons and keys",
  async (browser, context) => {
    await using scene = await PoolScene.start();
    for (const id of [1, 2]) await scene.server(id, "-fgpmaxthreads=16");
    const { program, url } = await scene.user("-width=320", "-height=200", "-configdir=none");
    await using page = await browser.open(url);
    await isComplete(page, /^Image 1: default image$/);
    const details = () => page.text("#details");
    const file = `${scene.directory}/image.png`;

    await context.step("a box by mouse", async () => {
      const box = await page.page.$("#stage").then((stage) => stage?.boundingBox());
      assert.ok(box);
      const { x, y, width, height } = box;
      await page.page.mouse.move(x + width / 4, y + height / 4);
      await page.page.mouse.down();
      await page.page.mouse.move(x + width / 2, y + height / 2, { steps: 3 });
      await page.screenshot("image_region");
      await page.page.mouse.up();
      await isComplete(page, /^Image 2: default image, view 2$/);
      assert.ok(await page.ask(HAS_BEFORE));
      assert.match(await details(), /Real−0\.7\d* … 0\.0\d*Imaginary0\.7\d* … 0\.0\d*Sessions/);
      await showsFile(page, file);
    });

    await context.step("a region by keys", async () => {
      await page.page.mouse.move(1, 1);
      await page.page.focus("#stage");
      await page.page.keyboard.press("Enter");
      await page.says("#hint", /^Region around −0\.375.* \+ 0\.375.*, 50 % as wide/);
      for (const key of ["ArrowRight", "+", "+"]) await page.page.keyboard.press(key as "Enter");
      await page.says("#hint", /^Region around −0\.300.*, 32 % as wide/);
      await page.says("#news", /32 % as wide/);
      await page.page.keyboard.press("Escape");
      await page.says("#hint", /^Drag a box/);
      await page.page.keyboard.press("ArrowUp");
      await page.page.keyboard.press("Enter");
      await isComplete(page, /^Image 3: default image, view 3$/);
      await page.page.keyboard.press("Backspace");
      await isComplete(page, /^Image 4: default image, view 2$/);
      await page.page.keyboard.press("Home");
      await isComplete(page, /^Image 5: default image$/);
      assert.equal(await page.ask("document.querySelector('#back').disabled"), true);
      await page.page.keyboard.press("Backspace");
      await page.says("#problem", /whole image/);
    });

    await context.step("buttons and menus", async () => {
      await page.page.click("#zoom-in");
      await isComplete(page, /^Image 6: default image, view 2$/);
      await page.page.select("#sessions", "16");
      await isComplete(page, /^Image 7: default image, view 2$/);
      assert.equal(await page.ask("document.querySelectorAll('#parts tr').length"), 16);
      await page.page.click("#whole");
      await isComplete(page, /^Image 8: default image$/);
      await page.page.select("#name", "spirals");
      await page.page.click("#next");
      await isComplete(page, /^Image 9: spirals$/);
      assert.ok(!await page.ask(HAS_BEFORE));
      await showsFile(page, file);
      page.isContent();
      assert.equal(await program.interrupt(), 0);
    });
  },
);

browserTest(
  "a server is killed in the middle: the page tells of it, and the image is complete",
  async (browser) => {
    await using scene = await PoolScene.start();
    // It alone would need an hour: whenever it is killed, its sessions are in the middle.
    const slow = await scene.server(2, "-fgpmaxrate=8", "-fgpmaxthreads=16");
    // A server that only waits for the processor is not left: the others would soon be reported unreachable, too.
    const { url } = await scene.user(
      ...["-threads=9", "-width=640", "-height=400", "-config=seahorse-valley"],
      ...["-recvtimeout=4000", "-colormarks", "-sessions"],
    );
    await using page = await browser.open(url);
    await page.says("#image-name", /^Image 1:/);
    await page.page.click("#next");
    await page.says("#image-name", /^Image 2:/);
    await page.waitFor(`document.querySelector("#progress").value > 0`);
    for (const id of [1, 3]) await scene.server(id, "-fgpmaxrate=3000", "-fgpmaxthreads=16");
    await slow.kill();
    await page.says("#failovers", /Session \d left 0x00000002/);
    await page.says("#news", /Failover: session \d left 0x00000002|of the image|complete/);
    await page.waitFor(`document.querySelector("#progress").value > 0.75`);
    await page.screenshot("image_failover");
    await isComplete(page, /^Image 2:/);
    const failovers = Number((await page.says("#progress-text", /(\d+) failovers?/))[1]);
    assert.ok(failovers >= 1);
    assert.equal(await page.ask("document.querySelectorAll('#marks g').length"), failovers);
    assert.equal(await page.ask("document.querySelectorAll('#failovers li').length"), failovers);
    // Points that came twice are nobody's second share.
    const shares = await page.ask<number[]>(
      `[...document.querySelectorAll("#elements tr")].map((row) => parseFloat(row.cells[4].textContent))`,
    );
    const sum = shares.reduce((total, share) => total + share, 0);
    assert.ok(Math.abs(sum - 100) < 0.3, `${shares}`);
    // The page marks colours as the options say, so that it is still the file.
    await showsFile(page, `${scene.directory}/image.png`);
    const marked = await page.ask(CANVAS);
    await page.page.click("#show-failovers");
    assert.notDeepEqual(await page.ask(CANVAS), marked);
    page.isContent();
  },
);

browserTest("in a terminal there is a page, and the program stays as long as it is open", async (browser) => {
  assert.ok(await terminalIsPossible(), "tmux is missing: scripts/setup --tests installs it");
  await using scene = await PoolScene.start();
  await using terminal = await RealTerminal.open(300, 40);
  const options = [`-output=${scene.directory}/image.png`, "-picture=off"];
  const line = scene.commandLine("pooluser", ...options).map((word) => `'${word}'`).join(" ");
  await terminal.types(`${line}; echo "exit code $?"`);
  const [, url] = await terminal.shows(/page for a browser: (http:\S+)\s/);
  {
    await using page = await browser.open(url!);
    await page.says("#image-name", /Image 1/);
    await scene.server(1); // now that there is a page, however long it took
    await isComplete(page, /Image 1/);
    await terminal.shows(/the page stays; Ctrl\+C ends the program/);
    // The other page is there while this one is loaded again, however long that takes.
    await using other = await browser.open(url!);
    await isComplete(other, /Image 1/);
    await page.page.reload({ waitUntil: "domcontentloaded" });
    await isComplete(page, /Image 1/);
    page.isContent();
    other.isContent();
  }
  await terminal.shows(/exit code 0/);
});
