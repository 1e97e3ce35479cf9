/** The monitor's page in a real browser, with components that a test makes up. */
import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../protocol/csp/mod.ts";
import { accessibilityFaults } from "./accessibility.ts";
import { browserTest } from "./browser.ts";
import {
  COLOURS,
  element,
  isReady,
  MonitorScene,
  registrar,
  reportAll,
  rowOf,
  user,
  wantNoMotion,
} from "./monitor_fixture.ts";

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
      await page.says("#plots", /Load of elementsmean 65 %highest 95 %/);
      await page.says("#plots", /sessions 4elements 5users 3/);
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
  await wantNoMotion(page);
  await isReady(page);
  await page.waitFor(`${rowOf("lab2:")} !== undefined`); // what comes last has its place
  await page.waitFor(`${COLOURS} > 20`);
  const still = `document.querySelectorAll("#graph canvas")[1].toDataURL()`,
    picture = await page.ask<string>(still);
  const frames =
    `new Promise((resolve) => { let left = 20; const frame = () => left-- > 0 ? requestAnimationFrame(frame) : resolve(); frame(); })`;
  await page.ask(frames);
  assert.equal(await page.ask(still), picture);
  page.isContent();
});
