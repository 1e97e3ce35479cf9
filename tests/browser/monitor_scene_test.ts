/** The monitor's page while a real pool lives: registrar, elements and users appear, work, fail and leave. */
import assert from "node:assert/strict";
import type { Program } from "../interop/program.ts";
import { accessibilityFaults } from "./accessibility.ts";
import { browserTest, USUAL_LOOK } from "./browser.ts";
import type { TestPage } from "./browser.ts";
import { PoolScene } from "./pool_scene.ts";

/** Rows of the table of components, as the page has them now. */
const ROWS = `[...document.querySelectorAll("#table tbody tr")].map((row) =>
  [...row.cells].map((cell) => cell.textContent).join(" | "))`;

/**
 * Registrars that look often, and are patient: whoever only waits for the processor is there, and stays with its registrar.
 * Who is dead is known sooner, since its host refuses what comes for it.
 */
const PATIENT: readonly string[] = [
  ...["-endpointkeepalivetransmissioninterval=500", "-endpointkeepalivetimeoutinterval=30000"],
  ...["-peerheartbeatcycle=500", "-peermaxtimelastheard=8000", "-peermaxtimenoresponse=7000"],
];

/** Waits until a row of the table says something. */
async function rowSays(page: TestPage, pattern: RegExp): Promise<void> {
  await page.waitFor(`${ROWS}.some((row) => ${pattern}.test(row))`).catch(async (error) => {
    const rows = await page.ask<string[]>(ROWS);
    throw new Error(`no row says ${pattern}:\n${rows.join("\n")}\n${await page.text("#events")}`, {
      cause: error,
    });
  });
}

/** Waits until no row is that of a component. */
async function hasNoRow(page: TestPage, label: string): Promise<void> {
  await page.waitFor(`!${ROWS}.some((row) => row.startsWith(${JSON.stringify(label)}))`);
}

/** A monitor of a pool where nobody is yet. */
async function watchedPool(): Promise<{
  readonly scene: PoolScene;
  readonly monitor: Program;
  /** Where its page is, and where reports go to. */
  readonly url: string;
  readonly place: string;
  /** Makes a component report. Silence is ten intervals: a busy machine may well be silent for one of them. */
  readonly reports: readonly string[];
}> {
  const scene = await PoolScene.open();
  const monitor = scene.plain(
    "cspmonitor",
    ...["-web=127.0.0.1:0", "-localaddress=127.0.0.1:0", "-updateinterval=200"],
  );
  const [, url = ""] = await monitor.says(/page for a browser: (\S+)\s/);
  const [, place = ""] = await monitor.says(/awaiting reports at (\S+)\s/);
  return { scene, monitor, url, place, reports: [`-cspserver=${place}`, "-cspinterval=300"] };
}

/** So slow that the user's first image lasts for an hour: its sessions are there as long as the test looks. */
const SLOW: readonly string[] = ["-fgpmaxrate=100", "-fgpmaxthreads=8", "-policy=LeastUsed"];

browserTest("the monitor's page shows a pool that lives", async (browser, context) => {
  const { scene, monitor, url, place, reports } = await watchedPool();
  await using _ = scene;
  await using page = await browser.open(url);
  let first: Program, user: Program;

  await context.step("nobody yet: it says how components report", async () => {
    await page.says("#hint", new RegExp(`rsp registrar -cspserver=${place.replaceAll(".", "\\.")}`));
    await page.says("#table-count", /^0 components$/);
    await page.screenshot("monitor_nobody_light");
  });

  await context.step("a registrar and elements appear", async () => {
    await scene.registrar("-identifier=0x11", ...PATIENT, ...reports);
    await rowSays(page, /^PR \$00000011 /);
    first = await scene.server(0x21, ...SLOW, ...reports);
    await scene.server(0x22, ...SLOW, ...reports);
    await page.says("#table-count", /^3 components$/);
    await rowSays(page, /^PE \$00000021 .*FractalGeneratorPool .*PR \$11 ASAP/);
    await rowSays(page, /^PR \$00000011 .*2\[2\] PEs in 1 Pool/);
    assert.equal(await page.ask(`document.querySelector("#hint").hidden`), true);
    assert.match(await page.text("#events"), /PR \S+ \$11 appeared/);
    assert.doesNotMatch(await page.text("#events"), /began anew/);
  });

  await context.step("a user works with both elements", async () => {
    user = scene.rsp(
      "pooluser",
      ...["-images=0", "-threads=4", "-width=1600", "-height=1200", "-interimagetime=0"],
      // An element that only waits for the processor is not left while the test looks at who works where.
      "-recvtimeout=30000",
      ...[`-output=${scene.directory}/image.png`, "-identifier=0x31", ...reports],
    );
    await rowSays(page, /^PU \$0*31 .*PE \$2[12] FractGen.*PE \$2[12] FractGen/);
    await rowSays(page, /^PE \$00000021 .*[1-4] Sessions? in FractalGeneratorPool/);
    await page.screenshot("monitor_pool_light");
    await page.look({ ...USUAL_LOOK, scheme: "dark" });
    await page.screenshot("monitor_pool_dark");
    await page.look(USUAL_LOOK);
  });

  await context.step("everybody can use it", async () => {
    await using another = await browser.open(url);
    await another.says("#table-count", /^4 components$/);
    assert.deepEqual(await accessibilityFaults(another), []);
    another.isContent();
  });

  await context.step(
    "an element that is killed falls silent and leaves, and its sessions go on elsewhere",
    async () => {
      await first.kill();
      await page.says("#events", /failover|failed over/i);
      await page.says("#events", /PE \S+ \$21 (fell silent|left)/);
      await hasNoRow(page, "PE $00000021");
      await rowSays(page, /^PR \$00000011 .*1\[1\] PEs in 1 Pool/);
      await page.screenshot("monitor_failover_light");
    },
  );

  await context.step("a user that ends leaves at once", async () => {
    await user.interrupt();
    await hasNoRow(page, "PU ");
    await page.says("#table-count", /^2 components$/);
    page.isContent();
  });

  await context.step("the monitor ends at once, and the page says it", async () => {
    assert.equal(await monitor.interrupt(), 0);
    await page.says("#connection", /cannot be reached/);
  });
});

browserTest("the monitor's page shows how a registrar takes over for one that dies", async (browser) => {
  const { scene, url, reports } = await watchedPool();
  await using _ = scene;
  await using page = await browser.open(url);
  const first = await scene.registrar("-identifier=0x11", ...PATIENT, ...reports);
  await first.says(/in service/); // one that is starting itself is nobody's mentor
  const server = await scene.server(0x21, "-policy=LeastUsed", ...reports);
  const learning = [...PATIENT, "-mentordiscoverytimeout=60000"];
  const second = await scene.registrar("-identifier=0x12", ...learning, ...reports);
  await second.says(/in service, with 1 elements?; its mentor/);
  await rowSays(page, /^PR \$00000011 .*1\[1\] PEs in 1 Pool, 1 Peer/);
  await rowSays(page, /^PR \$00000012 .*1\[0\] PEs in 1 Pool, 1 Peer/);
  await rowSays(page, /^PE \$00000021 .*PR \$11 ASAP/);
  await first.kill();
  await second.says(/takeover of registrar 0x00000011 by 0x00000012: completed/);
  await rowSays(page, /^PE \$00000021 .*PR \$12 ASAP/);
  await rowSays(page, /^PR \$00000012 .*1\[1\] PEs in 1 Pool/);
  await page.says("#events", /PR \S+ \$12 took over/);
  await page.says("#events", /PR \S+ \$11 fell silent/);
  await page.screenshot("monitor_takeover_light");
  assert.ok(server.isRunning);
  page.isContent();
});
