/** What pages are told, without a browser: a reader of the words keeps a picture of its own. */
import assert from "node:assert/strict";
import { LogLevel } from "../../../../cmd/driver/log.ts";
import type { ImageProgress } from "../../../../cmd/pooluser/display.ts";
import { CHANGES_ROUND, NOT_THERE, Picture } from "../../../../cmd/pooluser/picture.ts";
import { ImagePage } from "../../../../cmd/pooluser/web/image_page.ts";
import type { PageSnapshot, PageUpdate } from "../../../../cmd/pooluser/web/page_words.ts";
import type { Wish } from "../../../../cmd/pooluser/wish.ts";
import { partition } from "../../../../protocol/app/fractal/subimage.ts";
import { IMAGE } from "../../../protocol/app/fractal/fixture.ts";

const WIDTH = 64, HEIGHT = 64, POINTS = WIDTH * HEIGHT;
const AREAS = partition(WIDTH, HEIGHT, 4);

/** A page's server that keeps what is published, and a clock that stands until it is told to go. */
class Bench implements Disposable {
  readonly page: ImagePage;
  readonly published: [string, unknown][] = [];
  readonly wishes: Wish[] = [];
  readonly pages: number[] = [];
  progress!: ImageProgress;
  sessions = 4;
  readonly #timers: (() => void)[] = [];
  readonly #setTimeout = globalThis.setTimeout;
  readonly #clearTimeout = globalThis.clearTimeout;

  constructor() {
    // Updates come by a timer; here they come when the test says so.
    globalThis.setTimeout = ((act: () => void) => this.#timers.push(act)) as unknown as typeof setTimeout;
    globalThis.clearTimeout = ((id: number) => {
      if (id !== undefined) this.#timers[id - 1] = () => {};
    }) as unknown as typeof clearTimeout;
    this.page = new ImagePage({
      caption: "A caption",
      marks: { sessions: false, colormarks: true },
      facts: () => ({ name: "cubic", sessions: this.sessions, depth: 0, slideShow: true }),
      onWish: (wish) => {
        this.wishes.push(wish);
        return { ok: true };
      },
      onPages: (count) => this.pages.push(count),
    });
    this.page.attach({
      publish: (event, data) => this.published.push([event, structuredClone(data)]),
      listenerCount: 1,
    });
  }

  start(image = 1): void {
    this.progress = {
      image,
      parameter: { ...IMAGE, width: WIDTH, height: HEIGHT },
      picture: new Picture(WIDTH, HEIGHT),
      startedAt: performance.now(),
      missing: POINTS,
      elements: new Map(),
      elementNumbers: new Map(),
    };
    this.page.started(this.progress);
  }

  /** Points of a part from a position on: the values count up. */
  points(part: number, first: number, count: number, elementId = 0xa, peChanges = 0): void {
    const area = AREAS[part]!;
    const values = Uint32Array.from({ length: count }, (_, index) => first + index);
    this.progress.missing -= count;
    const points = {
      type: "points",
      part,
      area,
      x: area.left + first % area.width,
      y: area.top + Math.floor(first / area.width),
      values,
      elementId,
      peChanges,
      missing: this.progress.missing,
    } as const;
    const element = [...this.progress.elementNumbers.keys()].indexOf(elementId);
    this.page.grown(this.progress, points, count);
    const known = element === -1 ? this.progress.elementNumbers.size - 1 : element;
    this.progress.picture.paint(points, {}, { peChanges, element: known });
  }

  /** Lets the time of the next update come. @returns what was published since the last call */
  update(): PageUpdate[] {
    for (const act of this.#timers.splice(0)) act();
    return this.published.splice(0).filter(([event]) => event === "update").map(([, data]) =>
      data as PageUpdate
    );
  }

  /** The planes that a page would fetch. */
  picture(): { image: number; sequence: number; planes: Uint8Array[] } {
    const asset = this.page.plan().live?.get("/picture")?.();
    const body = asset?.body as Uint8Array<ArrayBuffer>;
    const view = new DataView(body.buffer);
    const points = view.getUint32(8);
    const planes = [0, 1, 2].map((plane) => body.slice(12 + plane * points, 12 + (plane + 1) * points));
    return { image: view.getUint32(0), sequence: view.getUint32(4), planes };
  }

  [Symbol.dispose](): void {
    this.page.end();
    globalThis.setTimeout = this.#setTimeout;
    globalThis.clearTimeout = this.#clearTimeout;
  }
}

/** Does with updates what the page's script does. */
class Reader {
  readonly planes = [new Uint8Array(POINTS).fill(NOT_THERE), new Uint8Array(POINTS), new Uint8Array(POINTS)];

  take({ points }: PageUpdate): void {
    const hues = Uint8Array.fromBase64(points?.hues ?? "");
    let done = 0;
    for (const [part, element, changes, first, count] of points?.runs ?? []) {
      const { left, top, width } = AREAS[part]!;
      for (let position = first; position < first + count; position++) {
        const index = (top + Math.floor(position / width)) * WIDTH + left + position % width;
        for (const [plane, value] of [hues[done]!, changes, element].entries()) {
          this.planes[plane]![index] = value;
        }
        done++;
      }
    }
  }
}

Deno.test("a page that has come in time and one that fetches the picture know the same", () => {
  using bench = new Bench();
  bench.start();
  const reader = new Reader();
  bench.points(0, 0, 324);
  bench.points(3, 0, 100, 0xb);
  for (const update of bench.update()) reader.take(update);
  bench.points(0, 324, 324, 0xc, CHANGES_ROUND + 2);
  bench.points(1, 7, 1000);
  for (const update of bench.update()) reader.take(update);
  const { image, sequence, planes } = bench.picture();
  assert.deepEqual([image, sequence], [1, bench.page.snapshot().sequence]);
  assert.deepEqual(planes, reader.planes);
  assert.equal(planes[0]!.filter((hue) => hue !== NOT_THERE).length, 1748);
});

Deno.test("a page hears at most one update in 50 ms, with nothing but what has changed", () => {
  using bench = new Bench();
  bench.start();
  assert.deepEqual(bench.published.map(([event]) => event), ["snapshot"]);
  bench.update();
  for (let i = 0; i < 100; i++) bench.points(0, i, 1);
  bench.page.report({ type: "partRequested", part: 0, elementId: 0xa, points: 1024 });
  const [update, ...more] = bench.update();
  assert.deepEqual(more, []);
  assert.deepEqual(update?.parts?.map(([index]) => index), [0]);
  assert.deepEqual(update?.elements, [[0, {
    id: "0x0000000a",
    messages: 100,
    points: 100,
    repeated: 0,
  }]]);
  assert.deepEqual(update?.points?.runs, [[0, 0, 0, 0, 100]]);
  assert.equal(update?.status.missing, POINTS - 100);
  assert.equal(update?.events, undefined, "what happened before is in the snapshot");
  assert.deepEqual(bench.update(), [], "nothing has happened since");
});

Deno.test("a failover is told with its place, and the part looks for another element", () => {
  using bench = new Bench();
  bench.start();
  bench.page.report({ type: "partRequested", part: 3, elementId: 0xa, points: 1024 });
  bench.points(3, 0, 70);
  bench.page.report({
    type: "partFailover",
    part: 3,
    elementId: 0xa,
    hasCookie: true,
    reason: "<b>gone</b>" + "!".repeat(1000),
    pauseMs: 0,
  });
  const [update] = bench.update();
  const [failover] = update?.failovers ?? [];
  assert.deepEqual([failover?.number, failover?.x, failover?.y, failover?.cookie], [1, 38, 34, true]);
  assert.equal(failover?.reason.length, 500);
  assert.deepEqual(update?.parts, [[3, { phase: "seeking", element: 0, points: 70, failovers: 1 }]]);
  assert.equal(update?.status.failoverCount, 1);
  bench.page.report({ type: "partResumed", part: 3, elementId: 0xb });
  bench.page.report({ type: "partCompleted", part: 3, elementId: 0xb });
  const part = bench.page.snapshot().parts[3];
  assert.deepEqual(part, { phase: "done", element: 1, points: 70, failovers: 1 });
});

Deno.test("failovers and events without end are counted, and the newest listed", () => {
  using bench = new Bench();
  bench.start();
  for (let i = 0; i < 1000; i++) {
    const reason = `reason ${i}`;
    bench.page.report({ type: "partFailover", part: 0, elementId: i, hasCookie: false, reason, pauseMs: 0 });
    bench.page.status(`event ${i}`, LogLevel.warning);
  }
  const { failovers, events, elements, status } = bench.page.snapshot();
  assert.equal(status.failoverCount, 1000);
  assert.ok(failovers.length <= 400 && events.length <= 400);
  assert.deepEqual(failovers.at(-1)?.reason, "reason 999");
  assert.deepEqual([events.at(-1)?.number, events.at(-1)?.level], [1001, "warning"]);
  assert.deepEqual(elements, [], "an element that gave nothing is none of the image's");
});

Deno.test("more elements than an octet counts share the last place", () => {
  using bench = new Bench();
  bench.start();
  for (let i = 0; i < 300; i++) bench.points(0, i, 1, 1000 + i);
  const { elements } = bench.page.snapshot();
  assert.equal(elements.length, 256);
  assert.deepEqual(elements[255], { id: "others", messages: 45, points: 45, repeated: 0 });
  assert.equal(elements.reduce((sum, { points }) => sum + points, 0), 300);
});

Deno.test("the next image begins with a snapshot, and the file of a complete one can be fetched", () => {
  using bench = new Bench();
  bench.start();
  const { live } = bench.page.plan();
  assert.equal(live?.get("/image.png")?.(), undefined);
  const statistics = { durationMs: 1234, failovers: 0, repairs: 0, invalid: 0, elements: [] };
  bench.page.completed(bench.progress, statistics, "out.png", Uint8Array.of(1, 2, 3));
  assert.deepEqual(live?.get("/image.png")?.(), { type: "image/png", body: Uint8Array.of(1, 2, 3) });
  const [update] = bench.update();
  assert.deepEqual([update?.status.state, update?.status.file, update?.status.elapsedMs], [
    "complete",
    "out.png",
    1234,
  ]);
  bench.points(0, 0, 10);
  bench.sessions = 1;
  bench.start(2);
  const [[event, data] = []] = bench.published;
  assert.equal(event, "snapshot");
  const { image, status, elements, parts, failovers } = data as PageSnapshot;
  assert.deepEqual([image?.number, image?.name, image?.areas], [2, "cubic", [[0, 0, 64, 64]]]);
  assert.deepEqual([status.file, status.missing], [undefined, POINTS]);
  assert.deepEqual([elements, parts.length, failovers], [[], 1, []]);
  assert.equal(live?.get("/image.png")?.(), undefined);
  assert.equal(bench.picture().image, 2);
});

Deno.test("commands are checked before they become wishes", () => {
  using bench = new Bench();
  const { onCommand, onListeners } = bench.page.plan();
  assert.deepEqual(onCommand?.({ type: "next" }), { ok: true });
  assert.deepEqual(onCommand?.({ type: "format", disk: "C:" }), {
    ok: false,
    problem: "There is no such command.",
  });
  assert.deepEqual(bench.wishes, [{ type: "next" }]);
  onListeners?.(2);
  assert.deepEqual(bench.pages, [2]);
});

Deno.test("when the program ends, the page is told so", () => {
  const bench = new Bench();
  {
    using _ = bench;
    bench.start();
    bench.update();
  }
  assert.deepEqual(bench.published.map(([, data]) => (data as PageUpdate).status.state), ["ended"]);
});
