/** The monitor's page in a real browser, with components that a test makes up. */
import assert from "node:assert/strict";
import { MonitorFeed } from "../../cmd/cspmonitor/web/monitor_feed.ts";
import { pagePlan } from "../../cmd/cspmonitor/web/page.ts";
import { openWebServer } from "../../cmd/web/web_server.ts";
import type { WebServer } from "../../cmd/web/web_server.ts";
import { ComponentGroup, componentId, Monitor } from "../../protocol/csp/mod.ts";
import type { ComponentId, ComponentReport } from "../../protocol/csp/mod.ts";
import { datagramOf } from "../protocol/csp/components.ts";
import { accessibilityFaults } from "./accessibility.ts";
import { browserTest } from "./browser.ts";
import type { TestPage } from "./browser.ts";

const registrar = (object: number) => componentId(ComponentGroup.registrar, object);
const element = (object: number) => componentId(ComponentGroup.element, object);
const user = (object: number) => componentId(ComponentGroup.user, object);

const PPIDS = new Map<number, number>([[ComponentGroup.registrar, 11], [ComponentGroup.element, 32]]);

/** A monitor with its page; time goes on when the test says so. */
class MonitorScene implements AsyncDisposable {
  readonly #monitor = new Monitor({ purgeIntervalMs: 30_000 });
  readonly #feed: MonitorFeed;
  readonly #server: WebServer;
  #now = 0;
  readonly #epoch = Date.UTC(2026, 0, 1, 12);

  constructor() {
    this.#feed = new MonitorFeed({
      at: "[::]:2960",
      updateIntervalMs: 1000,
      hint: ["Nobody.", "  rsp registrar"],
    });
    this.#server = openWebServer({ ...pagePlan(this.#feed), at: { address: "127.0.0.1", port: 0 } });
  }

  get url(): string {
    return this.#server.url;
  }

  /** Somebody reports. */
  report(sender: ComponentId, to: readonly ComponentId[], changes: Partial<ComponentReport> = {}): void {
    const associations = to.map((receiver) => ({
      receiver,
      durationUs: BigInt(1000 * this.#now),
      protocol: 132,
      ppid: PPIDS.get(Number(receiver >> 56n)) ?? 0,
    }));
    const uptimeUs = BigInt(1000 * this.#now) + 1n;
    const report = { sender, uptimeUs, intervalUs: 1_000_000, workload: undefined, associations, ...changes };
    this.#monitor.handle(datagramOf(report), this.#now);
  }

  /** A second goes by, and the monitor tells its page what has changed. */
  update(): void {
    this.#now += 1000;
    this.#monitor.tick(this.#now);
    for (const { report } of this.#monitor.drain()) this.#feed.report(report, this.#now);
    this.#server.publish(
      "changes",
      this.#feed.update(this.#monitor, this.#now, new Date(this.#epoch + this.#now)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

/** Two registrars, two pools, three users; the second registrar and the first element may be gone. */
function reportAll(scene: MonitorScene, without: readonly ComponentId[] = []): void {
  const there = (id: ComponentId) => !without.includes(id);
  const homes = [registrar(1), registrar(2)].filter(there);
  for (const [index, home] of homes.entries()) {
    const status = `5[${5 - 2 * index - (homes.length > 1 ? 1 : 0)}] PEs in 2 Pools, ${
      homes.length - 1
    } Peers`;
    const others = homes.filter((other) => other !== home);
    scene.report(home, others, { status, location: `registrar${index + 1}: 10.1.0.${index + 1}:3863` });
  }
  const elements = [1, 2, 3, 4, 5].map(element).filter(there);
  const sessions = (to: ComponentId) =>
    users.flatMap(([, targets]) => targets).filter((one) => one === to).length;
  const [first] = elements,
    users = [
      [user(1), [first ?? element(2), element(2)]],
      [user(2), [element(3)]],
      [user(3), [element(5)]],
    ] as const;
  for (const id of elements) {
    const number = Number(id & 0xffn), pool = number < 4 ? "FractalGeneratorPool" : "EchoPool";
    const count = sessions(id);
    scene.report(id, [homes[number % homes.length]!], {
      status: `${count} Session${count === 1 ? "" : "s"} in ${pool}`,
      location: `lab${number}: 10.1.1.${number}:4000`,
      workload: number < 4 ? [0.2, 0.8, 0.95][number - 1] : undefined,
    });
  }
  for (const [id, targets] of users) {
    const status = targets.length === 1 ? "Processed packet #7" : `${targets.length} Sessions`;
    scene.report(id, [registrar(1), ...targets], { status, location: `student${id & 0xffn}: 10.2.0.1` });
  }
}

const rowOf = (text: string) =>
  `[...document.querySelectorAll("#table tbody tr")].find((row) => row.textContent.includes(${
    JSON.stringify(text)
  }))`;

/** How many different colours the picture has: an empty one has one. */
const COLOURS = `(() => {
  const canvas = document.querySelector("#graph canvas"), { width, height } = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, width, height), found = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0) found.add(data[at] >> 4 << 8 | data[at + 1] >> 4 << 4 | data[at + 2] >> 4);
  return found.size;
})()`;

async function isReady(page: TestPage): Promise<void> {
  await page.says("#connection", /^connected$/);
}

browserTest(
  "the monitor's page shows who is there, who comes and goes, takeovers and failovers",
  async (browser, t) => {
    await using scene = new MonitorScene();
    scene.update();
    await using page = await browser.open(scene.url, { width: 1280, height: 800, scheme: "light" });
    await t.step("an empty page says how components are made to report", async () => {
      await isReady(page);
      await page.says("#hint", /Nobody\..*rsp registrar/);
      await page.says("#counts", /0 registrars.*0 elements.*0 users/);
      assert.equal(await page.ask(COLOURS), 0);
    });
    await t.step("components appear in graph, table, counts, events and plots", async () => {
      reportAll(scene);
      scene.update();
      await page.says("#counts", /2 registrars.*5 elements.*3 users/);
      await page.waitFor(`${COLOURS} > 20`);
      assert.equal(await page.ask(`document.querySelector("#hint").hidden`), true);
      await page.says("#events", /3 users appeared.*5 elements appeared.*2 registrars appeared/);
      await page.says(
        "#details",
        /EchoPool.*2 elements, 1 session.*FractalGeneratorPool.*3 elements, 3 sessions, load 65 %/,
      );
      await page.waitFor(`${rowOf("lab3")} !== undefined`);
      const text = await page.ask<string>(`${rowOf("lab3")}.textContent`);
      assert.match(
        text,
        /PE \$00000003.*FractalGeneratorPool.*95 %.*1.*1 Session in FractalGeneratorPool.*in time.*PR \$2 ASAP/,
      );
      assert.match(await page.text("#plots"), /Load of elementsmean 65 %highest 95 %/);
      assert.match(await page.text("#plots"), /sessions 4elements 5users 3/);
      assert.equal(await page.ask(`document.querySelectorAll("#plots .u-wrap").length`), 3);
    });
    await t.step("an element falls silent: its session fails over; a registrar is taken over", async () => {
      const gone = [element(1), registrar(2)];
      for (let second = 0; second < 12; second++) {
        reportAll(scene, gone);
        scene.update();
      }
      await page.says("#events", /PR registrar1 \$1 took over \d elements of PR registrar2 \$2/);
      await page.says("#events", /PU student1 \$1 failed over from PE lab1 \$1 to PE lab2 \$2/);
      await page.says("#events", /PE lab1 \$1 fell silent/);
      await page.says("#counts", /1 registrar.*4 elements.*3 users/);
      await page.waitFor(`${rowOf("lab1:")} === undefined`);
    });
    await t.step(
      "a component is selected in the table, and the panel has its facts and its curves",
      async () => {
        await page.ask(`${rowOf("lab2:")}.querySelector("button").click()`);
        await page.says("#details-title", /^PE lab2 \$2$/);
        await page.says(
          "#details",
          /PoolFractalGeneratorPool.*Load ?80 %.*Sessions2.*every 1000 ms.*lab2: 10\.1\.1\.2:4000/,
        );
        await page.says("#details", /← PU student1 \$1FractGen\/SCTP × 2/);
        await page.waitFor(`document.querySelectorAll("#details .u-wrap").length === 2`);
        await page.screenshot("monitor_selected_light");
        await page.look({ width: 1280, height: 800, scheme: "dark" });
        await page.screenshot("monitor_selected_dark");
        await page.page.click("#deselect");
        await page.says("#details-title", /^2 pools$/);
      },
    );
    await t.step("the whole time comes from the program", async () => {
      await page.page.click("#span-whole");
      assert.equal(await page.ask(`document.querySelector("#span-whole").ariaPressed`), "true");
      await page.says("#plots", /users 3/);
    });
    await t.step("everything can be reached, read and seen", async () => {
      await using fresh = await browser.open(scene.url);
      await fresh.waitFor(`${COLOURS} > 20`);
      assert.deepEqual(await accessibilityFaults(fresh), []);
    });
    page.isContent();
  },
);

browserTest("the graph goes by keyboard from node to node, and says whom it has reached", async (browser) => {
  await using scene = new MonitorScene();
  reportAll(scene);
  scene.update();
  await using page = await browser.open(scene.url);
  await isReady(page);
  await page.waitFor(`${COLOURS} > 20`);
  await page.page.focus("#graph");
  /** Whom the page names when a key has been pressed. */
  const reached = async (key: "ArrowUp" | "ArrowDown" | "ArrowRight", kind: string) => {
    await page.page.keyboard.press(key);
    const [, who] = await page.says("#announcement", new RegExp(`^(${kind} P[REU] \\w+ \\$\\d)`));
    return who!;
  };
  await page.page.keyboard.press("ArrowUp"); // nobody is reached yet: the first one is
  await page.says("#announcement", /^registrar /);
  await reached("ArrowDown", "element");
  const who = await reached("ArrowDown", "user");
  await page.page.keyboard.press("Enter");
  await page.says("#details-title", new RegExp(`^${who.replace("user ", "").replace("$", "\\$")}$`));
  await page.page.keyboard.press("Escape");
  await page.says("#details-title", /^2 pools$/);
  await page.page.keyboard.press("+");
  assert.equal(await page.ask(`document.querySelector("#fit").ariaPressed`), "false");
  await page.page.keyboard.press("0");
  assert.equal(await page.ask(`document.querySelector("#fit").ariaPressed`), "true");
  page.isContent();
});

browserTest(
  "texts of strangers are texts, a thousand of them do no harm, and a filter finds one",
  async (browser) => {
    await using scene = new MonitorScene();
    const markup = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>';
    scene.report(element(1), [], { location: markup, status: `1 Session in ${markup}` });
    scene.report(user(1), [element(1)], { location: "\u202egnp.exe\x1b[31m: x", status: "</td></table>" });
    for (let object = 2; object < 1002; object++) {
      scene.report(componentId(ComponentGroup.element, object), [], {
        location: "x".repeat(127),
        status: "y".repeat(127),
      });
    }
    scene.update();
    await using page = await browser.open(scene.url);
    await isReady(page);
    await page.says("#counts", /1001 elements/);
    await page.says("#table-count", /^1002 components, the first 300 are shown$/);
    await page.page.type("#filter", "onerror");
    await page.says("#table-count", /^1 of 1002$/);
    await page.says("#table tbody", /<img src=x onerror="window\.hacked = 1">/);
    await page.ask(`document.querySelector("#table tbody button").click()`);
    await page.says("#details", /<script>window\.hacked = 1<\/script>/);
    assert.deepEqual(await page.ask(`[typeof window.hacked, document.images.length]`), ["undefined", 0]);
    // A window has room for what they say: nothing makes the page wider than it is.
    assert.equal(await page.ask("document.documentElement.scrollWidth <= innerWidth"), true);
    await page.screenshot("monitor_hostile");
    page.isContent();
  },
);

browserTest("whoever wants no motion gets none", async (browser) => {
  await using scene = new MonitorScene();
  reportAll(scene);
  scene.update();
  await using page = await browser.open(scene.url);
  await page.page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await page.page.reload({ waitUntil: "domcontentloaded" });
  await isReady(page);
  await page.waitFor(`${COLOURS} > 20`);
  const still = `document.querySelectorAll("#graph canvas")[1].toDataURL()`,
    picture = await page.ask<string>(still);
  const frames =
    `new Promise((resolve) => { let left = 20; const frame = () => left-- > 0 ? requestAnimationFrame(frame) : resolve(); frame(); })`;
  await page.ask(frames);
  assert.equal(await page.ask(still), picture);
  page.isContent();
});
