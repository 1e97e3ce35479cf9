import assert from "node:assert/strict";
import { FractalClient } from "../../../../protocol/app/fractal/client.ts";
import type {
  FractalClientEffect,
  FractalClientInput,
  ImageStatistics,
} from "../../../../protocol/app/fractal/client_types.ts";
import { computePoints } from "../../../../protocol/app/fractal/compute.ts";
import type { FractalParameter } from "../../../../protocol/app/fractal/messages.ts";
import { FractalServer } from "../../../../protocol/app/fractal/server.ts";
import type {
  FractalServerEffect,
  FractalServerInput,
  FractalServerOptions,
} from "../../../../protocol/app/fractal/server_types.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../../../protocol/session/mod.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import type { Process } from "../../message_network.ts";
import { ROUND_ROBIN, World } from "../../session/world.ts";
import { IMAGE, wholeImage } from "./fixture.ts";

const POOL = encodeText("FractalGeneratorPool");

type Server = Process<FractalServerInput, FractalServerEffect>;

/** A registrar, fractal servers and one user, in virtual time. */
class Lab {
  readonly world: World;
  readonly user: Process<FractalClientInput, FractalClientEffect>;
  readonly values: Int32Array;
  readonly image: FractalParameter;
  /** How often a point came. */
  readonly times: Uint8Array;
  statistics: ImageStatistics | undefined;
  missing: number;
  readonly told: string[] = [];

  constructor(seed: number, image: FractalParameter = IMAGE) {
    this.world = new World(seed);
    this.image = image;
    this.missing = image.width * image.height;
    this.values = new Int32Array(this.missing).fill(-1);
    this.times = new Uint8Array(this.missing);
    this.world.registrar();
    const client = new FractalClient(new SessionClient({ seed: seed + 1 }), {
      poolHandle: POOL,
      prng: new Prng(seed + 2),
    });
    this.user = this.world.network.spawn<FractalClientInput, FractalClientEffect>(
      this.world.host(),
      "user",
      client,
      { endpoints: sessionClientEndpoints(9), channels: { "asap-announce": { group: "asap" } } },
    );
    this.user.onEffect = (effect) => {
      if (effect.type === "report") this.#report(effect.report);
    };
  }

  #report(report: Extract<FractalClientEffect, { type: "report" }>["report"]): void {
    this.told.push(report.type);
    if (report.type === "imageCompleted") this.statistics = report.statistics;
    if (report.type !== "points") return;
    this.missing = report.missing;
    let { x, y } = report;
    for (const value of report.values) {
      const index = y * this.image.width + x;
      this.values[index] = value;
      this.times[index]! += 1;
      if (++x === report.area.left + report.area.width) {
        x = report.area.left;
        y++;
      }
    }
  }

  /** A server that takes this long for a job. */
  server(elementId: number, options: FractalServerOptions = {}, jobMs = 20): Server {
    const { network } = this.world;
    const host = new ServiceHost({ elementId, poolHandle: POOL, policy: ROUND_ROBIN, seed: elementId });
    const machine = new FractalServer(host, options);
    const server: Server = network.spawn(this.world.host(), `server ${elementId}`, machine, {
      endpoints: { hunt: { listen: true }, data: { listen: true } },
      channels: { "asap-announce": { group: "asap" } },
    });
    const jobs: { readonly at: number; readonly job: number; readonly values: Uint32Array }[] = [];
    server.onEffect = (effect) => {
      if (effect.type !== "compute") return;
      const values = new Uint32Array(effect.count);
      computePoints(effect.parameter, effect.first, values);
      jobs.push({ at: network.now + jobMs, job: effect.job, values });
    };
    // The server's own timer stands in for its workers: a job is done when its time has come.
    const { machine: inner } = server;
    const nextTimeout = inner.nextTimeout.bind(inner), tick = inner.tick.bind(inner);
    inner.nextTimeout = () => {
      const due = [nextTimeout(), jobs[0]?.at].filter((instant) => instant !== undefined);
      return due.length === 0 ? undefined : Math.min(...due);
    };
    inner.tick = (now) => {
      while (jobs[0] !== undefined && jobs[0].at <= now) {
        const { job, values } = jobs.shift()!;
        inner.handle({ type: "computed", job, values }, now);
      }
      tick(now);
    };
    return server;
  }

  start(sessions = 1): void {
    this.user.input({ type: "image", parameter: this.image, sessions });
  }

  progress(fraction: number): boolean {
    const points = this.values.length;
    return this.world.network.runUntil(() => this.missing <= points * (1 - fraction), 60_000);
  }

  /** Waits for the end and compares every point. */
  complete(limitMs = 120_000): ImageStatistics {
    this.world.network.runUntil(() => this.statistics !== undefined, limitMs);
    assert.ok(this.statistics !== undefined, `complete in time; ${this.missing} points are missing`);
    assert.equal(this.missing, 0);
    assert.deepEqual([...this.values], [...wholeImage(this.image)]);
    return this.statistics;
  }
}

Deno.test("a pool of one fractal server computes an image", () => {
  const lab = new Lab(1);
  lab.server(0x11);
  lab.start();
  const statistics = lab.complete();
  assert.equal(statistics.failovers, 0);
  assert.deepEqual(statistics.elements.map(({ elementId, points }) => [elementId, points]), [[0x11, 6000]]);
  assert.ok(lab.times.every((times) => times === 1));
});

Deno.test("an image is cut among sessions and servers", () => {
  const lab = new Lab(2, { ...IMAGE, width: 128, height: 64 });
  lab.server(0x11);
  lab.server(0x12);
  lab.world.network.run(2000);
  lab.start(4);
  const statistics = lab.complete();
  assert.deepEqual(statistics.elements.map(({ points }) => points), [4096, 4096], "round robin: half each");
});

for (const how of ["abort", "silent"] as const) {
  Deno.test(`the server in use is killed (${how}): another one goes on, and no point is missing`, () => {
    const lab = new Lab(3);
    const servers = [lab.server(0x11), lab.server(0x12)];
    lab.world.network.run(2000);
    lab.start();
    assert.ok(lab.progress(0.6));
    const inUse = servers.find(({ machine }) => (machine as FractalServer).sessionCount > 0);
    lab.world.network.kill(inUse!, how);
    const { failovers, elements } = lab.complete();
    assert.equal(failovers, 1);
    assert.equal(elements.length, 2);
    assert.ok(lab.told.includes("partResumed"), "it went on from a cookie");
    const repeated = elements.reduce((sum, element) => sum + element.repeated, 0);
    assert.ok(
      repeated <= 10 * 324,
      `${repeated} points were computed twice; a cookie is at most 10 Data old`,
    );
  });
}

Deno.test("a server is killed at any moment of the image, and no point is missing", () => {
  for (let seed = 10; seed < 30; seed++) {
    const lab = new Lab(seed, { ...IMAGE, width: 64, height: 64 });
    const servers = [lab.server(0x11), lab.server(0x12), lab.server(0x13)];
    lab.world.network.run(2000);
    lab.start(2);
    lab.world.network.run(5 * (seed - 10));
    const inUse = servers.find(({ machine }) => (machine as FractalServer).sessionCount > 0) ?? servers[0]!;
    lab.world.network.kill(inUse, seed % 2 === 0 ? "abort" : "silent");
    lab.complete();
  }
});

Deno.test("a server that stops in order hands its sessions over without repeating a point", () => {
  const lab = new Lab(4);
  const servers = [lab.server(0x11), lab.server(0x12)];
  lab.world.network.run(2000);
  lab.start();
  assert.ok(lab.progress(0.5));
  const inUse = servers.find(({ machine }) => (machine as FractalServer).sessionCount > 0);
  inUse!.input({ type: "stop" });
  const { elements } = lab.complete();
  assert.deepEqual(elements.map(({ repeated }) => repeated), [0, 0]);
  assert.ok(!lab.told.includes("unreachableReported"), "it is not called unreachable");
});

Deno.test("servers that leave after 3 Data complete an image together", () => {
  const lab = new Lab(5);
  lab.server(0x11, { failureAfter: 3 });
  lab.server(0x12, { failureAfter: 3 });
  lab.world.network.run(2000);
  lab.start();
  const { failovers, elements } = lab.complete();
  assert.equal(failovers, 6, "19 Data, 3 a session");
  assert.equal(elements.length, 2);
  assert.ok(lab.times.every((times) => times === 1), "no point came twice");
});

Deno.test("a single server that leaves again and again completes the image, too", () => {
  const lab = new Lab(6);
  lab.server(0x11, { failureAfter: 5 });
  lab.start();
  assert.equal(lab.complete().failovers, 3);
});

Deno.test("more sessions than places: the full servers turn some away, and all of them finish", () => {
  const lab = new Lab(7, { ...IMAGE, width: 96, height: 96 });
  const servers = [lab.server(0x11, { maxThreads: 2 }), lab.server(0x12, { maxThreads: 1 })];
  lab.world.network.run(2000);
  lab.start(9);
  lab.complete();
  const full = servers.flatMap(({ effects }) => effects).filter(({ effect }) =>
    effect.type === "report" && effect.report.type === "fractalFull"
  );
  assert.ok(full.length > 0, "some were turned away");
  assert.ok(!lab.told.includes("unreachableReported"), "a full server is not called unreachable");
});

Deno.test("a server that comes late computes what waited for it", () => {
  const lab = new Lab(8);
  lab.start(2);
  lab.world.network.run(20_000);
  assert.ok(lab.told.includes("poolUnknown"));
  lab.server(0x11);
  lab.complete();
});

Deno.test("a second image follows the first over the same machine", () => {
  const lab = new Lab(9, { ...IMAGE, height: 10 });
  lab.server(0x11);
  lab.start();
  lab.complete();
  lab.statistics = undefined;
  lab.values.fill(-1);
  lab.start(2);
  lab.complete();
});

Deno.test("an image is cancelled at any moment, and the next one starts at once with all sessions", () => {
  for (let seed = 40; seed < 60; seed++) {
    const lab = new Lab(seed, { ...IMAGE, width: 64, height: 64 });
    lab.server(0x11);
    lab.server(0x12);
    lab.world.network.run(2000);
    lab.start(3);
    lab.world.network.run(4 * (seed - 40));
    const before = lab.statistics !== undefined ? "complete" : "cancelled";
    lab.user.input({ type: "cancel" });
    assert.equal(lab.told.includes("imageCancelled"), before === "cancelled");
    lab.statistics = undefined;
    lab.missing = lab.values.fill(-1).length;
    lab.start(3);
    lab.complete(3000);
    lab.world.network.run(10_000);
    assert.equal(lab.told.filter((type) => type === "imageCompleted").length, before === "complete" ? 2 : 1);
  }
});
