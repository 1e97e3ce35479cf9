/** Components that a test makes up, and the monitor's page that shows them. */
import { MonitorFeed } from "../../cmd/cspmonitor/web/monitor_feed.ts";
import { pagePlan } from "../../cmd/cspmonitor/web/page.ts";
import { openWebServer } from "../../cmd/web/web_server.ts";
import type { WebServer } from "../../cmd/web/web_server.ts";
import { ComponentGroup, componentId, Monitor } from "../../protocol/csp/mod.ts";
import type { ComponentId, ComponentReport } from "../../protocol/csp/mod.ts";
import { datagramOf } from "../protocol/csp/components.ts";
import type { TestPage } from "./browser.ts";

export const registrar: (object: number) => ComponentId = (object: number) =>
  componentId(ComponentGroup.registrar, object);
export const element: (object: number) => ComponentId = (object: number) =>
  componentId(ComponentGroup.element, object);
export const user: (object: number) => ComponentId = (object: number) =>
  componentId(ComponentGroup.user, object);

const PPIDS = new Map<number, number>([[ComponentGroup.registrar, 11], [ComponentGroup.element, 32]]);

/** A monitor with its page; time goes on when the test says so. */
export class MonitorScene implements AsyncDisposable {
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
export function reportAll(scene: MonitorScene, without: readonly ComponentId[] = []): void {
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

/** A row of the table, by what it says. */
export const rowOf: (text: string) => string = (text) =>
  `[...document.querySelectorAll("#table tbody tr")].find((row) => row.textContent.includes(${
    JSON.stringify(text)
  }))`;

/** How many different colours the picture has: an empty one has one. */
export const COLOURS: string = `(() => {
  const canvas = document.querySelector("#graph canvas"), { width, height } = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, width, height), found = new Set();
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 0) found.add(data[at] >> 4 << 8 | data[at + 1] >> 4 << 4 | data[at + 2] >> 4);
  return found.size;
})()`;

/** Waits until the page has heard of the program. */
export async function isReady(page: TestPage): Promise<void> {
  await page.says("#connection", /^connected$/);
}

/** Loads the page again as whoever wants no motion sees it: what is drawn there changes only when something happens. */
export async function wantNoMotion({ page }: TestPage): Promise<void> {
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  await page.reload({ waitUntil: "domcontentloaded" });
}
