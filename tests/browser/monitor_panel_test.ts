/** What the monitor's page says of who is selected, and how it is drawn then, while components that a test makes up change. */
import assert from "node:assert/strict";
import { browserTest } from "./browser.ts";
import {
  element,
  isReady,
  MonitorScene,
  registrar,
  reportAll,
  rowOf,
  user,
  wantNoMotion,
} from "./monitor_fixture.ts";

const LAB2 = { location: "lab2: 10.1.1.2:4000", workload: 0.8 };

/** Whether a row of the panel is called so. */
const hasSessions =
  `[...document.querySelectorAll("#details dt")].some((one) => one.textContent === "Sessions" && one.checkVisibility())`;

const select = (text: string) => `${rowOf(text)}.querySelector("button").click()`;

browserTest("the panel says how somebody is now, and nothing of before", async (browser, t) => {
  await using scene = new MonitorScene();
  reportAll(scene);
  scene.update();
  await using page = await browser.open(scene.url);
  await isReady(page);
  await page.waitFor(`${rowOf("lab2:")} !== undefined`);
  await page.ask(select("lab2:"));
  await page.says("#details", /Load 80 %Sessions1.*Up/);

  await t.step("an element that looks for a registrar does not say how many sessions it has", async () => {
    scene.report(element(2), [], { ...LAB2, status: "Looking for Registrar ..." });
    scene.update();
    await page.says("#details", /StatusLooking for Registrar/);
    assert.equal(await page.ask(hasSessions), false);
    assert.doesNotMatch(await page.text("#details"), /Sessions1/);
    scene.report(element(2), [], { ...LAB2, status: "3 Sessions in FractalGeneratorPool" });
    scene.update();
    await page.says("#details", /Load 80 %Sessions3.*Up/);
    assert.equal(await page.ask(hasSessions), true);
  });

  await t.step("a component that reports only now is a link, by its name", async () => {
    const link =
      `[...document.querySelectorAll("#details button")].find((one) => one.textContent.includes("$9"))`;
    scene.report(element(2), [registrar(9)], { ...LAB2, status: "3 Sessions in FractalGeneratorPool" });
    scene.update();
    await page.waitFor(`${link}?.disabled === true`);
    scene.report(registrar(9), [], { location: "registrar9: 10.1.0.9:3863", status: "?" });
    scene.update();
    await page.waitFor(`${link}.disabled === false`);
    assert.equal(await page.ask(`${link}.textContent`), "→ PR registrar9 $9");
  });

  await t.step("its curves are there once, however often it is selected before they come", async () => {
    await page.waitFor(`document.querySelectorAll("#details .u-wrap").length === 2`);
    // The curves arrive when the test says so.
    await page.ask(`{
      window.fetched = window.fetch;
      window.asked = [];
      window.held = new Promise((go) => window.letGo = go);
      window.fetch = (...words) => {
        const answer = Promise.all([window.fetched(...words), window.held]).then(([answer]) => answer);
        window.asked.push(answer);
        return answer;
      };
      0;
    }`);
    for (const who of ["lab3:", "lab2:", "lab4:", "lab2:"]) await page.ask(select(who));
    assert.equal(await page.ask("asked.length"), 4);
    await page.ask("letGo(), Promise.all(asked).then(() => window.fetch = window.fetched).then(() => 0)");
    await page.waitFor(`document.querySelectorAll("#details .u-wrap").length >= 2`);
    const frames = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))";
    await page.ask(frames);
    assert.equal(await page.ask(`document.querySelectorAll("#details .curve").length`), 1);
  });

  await t.step("an event keeps the focus while others happen", async () => {
    const focused = "document.activeElement.textContent";
    await page.page.focus("#events button");
    const event = await page.ask<string>(focused);
    assert.match(event, /appeared/);
    scene.report(user(9), [], { location: "student9: 10.2.0.9", status: "?" });
    scene.update();
    await page.says("#events", /student9/);
    assert.equal(await page.ask(focused), event);
  });
  page.isContent();
});

browserTest("the graph shows whom the filter wants, and is as sharp as the screen", async (browser, t) => {
  await using scene = new MonitorScene();
  reportAll(scene);
  scene.update();
  await using page = await browser.open(scene.url);
  await wantNoMotion(page);
  await isReady(page);
  await page.waitFor(`${rowOf("lab2:")} !== undefined`);

  await t.step("also when somebody is selected", async () => {
    await page.ask(select("lab2:"));
    await page.says("#details-title", /^PE lab2 \$2$/);
    const picture = `document.querySelector("#graph canvas").toDataURL()`;
    const frames = "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))";
    await page.ask(`${frames}.then(() => window.all = ${picture}).then(() => 0)`);
    await page.page.type("#filter", "student2");
    await page.says("#table-count", /^1 of 10$/);
    await page.waitFor(`${picture} !== all`);
    await page.screenshot("monitor_filtered");
  });

  await t.step("also when the window goes to a screen of another density", async () => {
    const ratios = `[...document.querySelectorAll("#graph canvas")]
      .map((canvas) => canvas.width / canvas.clientWidth)`;
    for (const deviceScaleFactor of [2, 3, 1]) {
      await page.page.setViewport({ width: 1280, height: 800, deviceScaleFactor });
      scene.update();
      await page.waitFor(`${ratios}.every((ratio) => Math.abs(ratio - ${deviceScaleFactor}) < 0.01)`);
    }
  });
  page.isContent();
});

browserTest("the command that is shown as long as nobody reports can be copied", async (browser) => {
  await using scene = new MonitorScene();
  scene.update();
  await using page = await browser.open(scene.url);
  await page.says("#hint", /rsp registrar/);
  await page.ask(`window.code = document.querySelector("#hint code"), 0`);
  scene.update();
  scene.report(element(1), []);
  scene.update();
  await page.says("#counts", /1 element/);
  assert.equal(await page.ask("code.isConnected"), true, "what was selected is selected still");
  page.isContent();
});
