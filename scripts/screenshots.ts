/**
 * Pictures of the programs at work, for the tour in the README: a pool of real programs on this machine, in real terminals
 * and in a browser. No picture is painted by hand.
 *
 * @module
 */
// deno-lint-ignore-file no-console
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { TestBrowser } from "../tests/browser/browser.ts";
import type { Look, TestPage } from "../tests/browser/browser.ts";
import { RealTerminal, terminalIsPossible } from "../tests/cmd/tui/real_terminal.ts";
import { TourScene } from "./tour/scene.ts";
import type { RegistrarPlace } from "./tour/scene.ts";
import { terminalPicture } from "./tour/terminal_picture.ts";

const USAGE = `Usage: scripts/screenshots [--keep]

Makes pictures of the programs at work into build/screenshots/: terminals as SVG, pages as PNG. Needs tmux and chromium
(scripts/setup --tests), and takes about a minute.

Options:
  --keep   also into scripts/tour/, where the README shows them: every keeping makes the repository bigger, so do it when
           something looks different
  --help
`;

const MADE = fileURLToPath(new URL("../build/screenshots/", import.meta.url));
const KEPT = fileURLToPath(new URL("./tour/", import.meta.url));

/** How pages are looked at. */
const LIGHT: Look = { width: 1280, height: 800, scheme: "light" }, DARK: Look = { ...LIGHT, scheme: "dark" };

/** Until curves have something to show. */
const SETTLE_MS = 12_000;

/** What the README shows. */
const SHOWN: ReadonlySet<string> = new Set([
  "terminal_cspmonitor.svg",
  "page_monitor_light.png",
  "page_fractal.png",
  "terminal_farm.svg",
]);

/** The pictures that were made. */
const names: string[] = [];

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { keep: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (!await terminalIsPossible()) {
    console.error("tmux is missing: scripts/setup --tests installs it");
    return 1;
  }
  await Deno.mkdir(MADE, { recursive: true });
  await photograph();
  const kept = values.keep ? names.filter((name) => SHOWN.has(name)) : [];
  for (const name of kept) await Deno.copyFile(`${MADE}${name}`, `${KEPT}${name}`);
  for (const name of names) {
    console.log(`${kept.includes(name) ? "scripts/tour" : "build/screenshots"}/${name}`);
  }
  return 0;
}

/** The whole scene, from the first program to the last picture. */
async function photograph(): Promise<void> {
  await using terminal = await RealTerminal.open(118, 27, "colored");
  await terminal.types(
    TourScene.line("cspmonitor", "-localaddress=127.0.0.1:0", "-web=127.0.0.1:0").join(" "),
  );
  const [, port] = await terminal.shows(/-cspserver=127\.0\.0\.1:(\d+)/);
  const [monitorUrl] = await terminal.shows(/http:\/\/127\.0\.0\.1:\d+\//);
  await using scene = await TourScene.open(Number(port));
  const first = await scene.registrar("pc1", 0xa1), second = await scene.registrar("pc2", 0xa2, first.asPeer);
  const services = ["-echo", "-pingpong", "-calcapp", "-fractal", "-fgpmaxrate=10000", "-policy=LeastUsed"];
  const server = (pc: string, { asAsked }: RegistrarPlace) => scene.start(pc, "server", ...services, asAsked);
  const servers = [server("pc3", first), server("pc4", first), server("pc5", second)];
  for (const one of servers) await one.saysTimes("registered as", 4);
  const user = (pc: string, name: string, ...words: string[]) =>
    scene.start(pc, name, second.asAsked, ...words);
  const image = [
    "-fractal",
    "-threads=6",
    "-width=480",
    "-height=306",
    "-config=elephant-valley",
    "-images=0",
  ];
  const artist = user(
    "pc7",
    "pooluser",
    ...image,
    "-web=127.0.0.1:0",
    `-output=${scene.folder}/a.png`,
    "-sessions",
    "-colormarks",
  );
  user("pc8", "pooluser", ...image, "-web=off", `-output=${scene.folder}/b.png`);
  user("pc9", "pingpongclient", "-interval=100");
  user("pc10", "pingpongclient", "-interval=100");
  user(
    "pc11",
    "calcappclient",
    "-jobinterval=1",
    "-jobsize=3e6",
    `-vector=${scene.folder}/v`,
    `-scalar=${scene.folder}/s`,
  );
  const [, imageUrl] = await artist.says(/page for a browser: (\S+)/);
  await using browser = await TestBrowser.start();
  await using monitorPage = await browser.open(monitorUrl, LIGHT);
  await using imagePage = await browser.open(imageUrl!, DARK);
  // In the midst of an image one of the servers fails, and comes back.
  await imagePage.says("#progress-text", /^[23]\d %/);
  servers[0]!.signal("SIGKILL");
  await imagePage.says("#progress-text", /^[6-9]\d %.* [1-9]\d* failovers?/);
  await keepPage(imagePage, "page_fractal");
  server("pc3", first);
  await pause(SETTLE_MS);
  await keepPage(monitorPage, "page_monitor_light");
  await monitorPage.look(DARK);
  await keepPage(monitorPage, "page_monitor_dark");
  await keepTerminal(terminal, "terminal_cspmonitor", "rsp cspmonitor");
  await photographFarm(scene, first);
}

/** A farm in the midst of its work. */
async function photographFarm(scene: TourScene, { asAsked }: RegistrarPlace): Promise<void> {
  for (const pc of ["pc5", "pc6"]) {
    const helper = scene.start(pc, "server", "-scripting", "-sssandbox=none", "-ssmaxthreads=3", asAsked);
    await helper.says(/registered as/);
  }
  await using terminal = await RealTerminal.open(100, 24, "colored");
  const jobs = Array.from({ length: 18 }, (_, index) => `scene${index + 1}`);
  const command = `"sleep $((1 + {#} % 4)); echo {} >{}.txt"`;
  const words = [
    "farm",
    asAsked,
    "-transport=embedded",
    "-encapsulation=udp",
    "-asapannounce=off",
    `-output=${scene.folder}/farm`,
  ];
  const shown = `rsp farm -values -command='render {}' scene1 … scene18`;
  await terminal.types(
    `clear; ${TourScene.line(...words).join(" ")} -values -command='${command.slice(1, -1)}' ${
      jobs.join(" ")
    }`,
  );
  await terminal.shows(/\b[5-9] of 18 jobs done/);
  await keepTerminal(terminal, "terminal_farm", shown);
}

async function keepTerminal(terminal: RealTerminal, name: string, title: string): Promise<void> {
  await keep(`${name}.svg`, terminalPicture(await terminal.coloredScreen(), title));
}

async function keepPage(page: TestPage, name: string): Promise<void> {
  await page.screenshot(name);
  page.isContent();
  names.push(`${name}.png`);
}

async function keep(name: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${MADE}${name}`, text);
  names.push(name);
}

/** A picture is of a moment: the programs are let live until there is something to see. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
