import assert from "node:assert/strict";
import type { AssociationId, ConnectCommand } from "../../../protocol/net.ts";
import { MAX_PARALLEL_PROBES } from "../../../protocol/registrar/probes.ts";
import type { RegistrarOptions } from "../../../protocol/registrar/mod.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness } from "./harness.ts";

const THEIRS = 0x5555;

/** A registrar, a user of it, and elements of another registrar. */
class Bench {
  readonly harness: RegistrarHarness;
  readonly user: AssociationId;

  constructor(options: Partial<RegistrarOptions> = {}) {
    this.harness = new RegistrarHarness({ maxBadReports: 1000, ...options });
    this.user = this.harness.up(["10.1.3.1"]);
  }

  get elementCount(): number {
    return this.harness.registrar.handlespace.elementCount;
  }

  /** Connects of the endpoint of ASAP; there is no other in these tests. */
  get connects(): ConnectCommand[] {
    return this.harness.commands.filter((command) => command.type === "connect");
  }

  foreign(elementId: number, port = 40_000): void {
    const asapTransport = { protocol: "sctp", port, use: "data", addresses: ["10.1.4.1"] } as const;
    const { handlespace } = this.harness.registrar;
    const result = handlespace.register(POOL, element(elementId, { homeRegistrarId: THEIRS, asapTransport }));
    assert.equal(result.type, "added");
  }

  report(elementId: number): void {
    this.harness.say(this.user, { type: "endpointUnreachable", poolHandle: POOL, elementId });
  }

  /** The last connect succeeds. */
  accept(): AssociationId {
    const { request, addresses, port } = this.connects.at(-1)!;
    return this.harness.up(addresses, "asap", { peerPort: port, request });
  }

  /** The last connect fails. */
  refuse(origin: "local" | "peer"): void {
    const { request } = this.connects.at(-1)!;
    const event = {
      type: "down",
      association: 0,
      request,
      reason: "refused",
      origin,
      cause: undefined,
    } as const;
    this.harness.input({ type: "transport", endpoint: "asap", event });
  }

  shutDown(association: AssociationId): boolean {
    return this.harness.commands.some((command) => {
      return command.type === "shutdown" && command.association === association;
    });
  }
}

Deno.test("Registrar asks a reported element of another registrar without the H bit, and keeps one that is reached", () => {
  const bench = new Bench();
  bench.foreign(1);
  bench.report(1);
  assert.deepEqual(bench.connects.map(({ addresses, port }) => [addresses, port]), [[["10.1.4.1"], 40_000]]);

  const association = bench.accept();

  const { message, association: to } = bench.harness.answers.at(-1)!;
  assert.equal(to, association);
  assert.deepEqual(message, {
    type: "endpointKeepAlive",
    home: false,
    registrarId: REGISTRAR_ID,
    poolHandle: POOL,
    elementId: 1,
  });
  assert.ok(!bench.shutDown(association), "the keep-alive has time to arrive");
  bench.harness.run(5000);
  assert.ok(bench.shutDown(association));
  assert.equal(bench.elementCount, 1);
});

Deno.test("Registrar does not offer an element of another registrar any more that it cannot reach itself", async (t) => {
  const cases: [name: string, fail: (bench: Bench) => void, elementCount: number][] = [
    ["the process is gone", (bench) => bench.refuse("peer"), 0],
    ["the host is gone", (bench) => bench.harness.run(5000), 0],
    ["there is an association already", (bench) => bench.refuse("local"), 1],
    ["it is not late yet", (bench) => bench.harness.run(4999), 1],
  ];
  for (const [name, fail, elementCount] of cases) {
    await t.step(name, () => {
      const bench = new Bench();
      bench.foreign(1);
      bench.report(1);

      fail(bench);

      assert.equal(bench.elementCount, elementCount);
      const reasons = bench.harness.reportsOf("removed").map(({ reason }) => reason);
      assert.deepEqual(reasons, elementCount === 0 ? ["no answer to a keep-alive"] : []);
    });
  }
});

Deno.test("Registrar looks once for all reported elements of a process, and not again at once", () => {
  const bench = new Bench();
  bench.foreign(1);
  bench.foreign(2);
  for (let i = 0; i < 100; i++) bench.report(1 + i % 2);
  assert.equal(bench.connects.length, 1);

  bench.accept();
  bench.report(1);

  const asked = bench.harness.answers.filter(({ message }) => message.type === "endpointKeepAlive");
  assert.equal(asked.length, 2);
  assert.equal(bench.connects.length, 1);
  bench.harness.run(5000);
  bench.report(1);
  assert.equal(bench.connects.length, 2);
});

Deno.test("Registrar looks for few processes at a time, whatever is reported", () => {
  const bench = new Bench();
  for (let i = 0; i < 100; i++) bench.foreign(1 + i, 40_000 + i);

  for (let i = 0; i < 100; i++) bench.report(1 + i);

  assert.equal(bench.connects.length, MAX_PARALLEL_PROBES);
});

Deno.test("Registrar keeps an element of another registrar that it has no room to ask", () => {
  const bench = new Bench({ maxAssociations: 1 });
  bench.foreign(1);
  bench.report(1);

  assert.ok(bench.harness.aborted(bench.accept()));
  bench.harness.run(10_000);

  assert.equal(bench.elementCount, 1);
});

Deno.test("Registrar keeps an element of another registrar whose association ended before it was told of", () => {
  const bench = new Bench();
  bench.foreign(1);
  bench.report(1);
  const { request } = bench.connects.at(-1)!;

  assert.ok(bench.harness.aborted(bench.harness.up([], "asap", { request })));
  bench.harness.run(10_000);

  assert.equal(bench.elementCount, 1);
  bench.report(1);
  assert.equal(bench.connects.length, 2, "the next report counts again");
});

Deno.test("Registrar keeps an element that comes to it while it looks for it", () => {
  const bench = new Bench();
  bench.foreign(1);
  bench.report(1);
  const own = bench.harness.up(["10.1.1.1"]);
  bench.harness.register(own, element(1));

  bench.refuse("peer");

  assert.equal(bench.elementCount, 1);
});

Deno.test("Registrar ends the association of a probe that comes up too late, and all probes when it stops", () => {
  const bench = new Bench();
  bench.foreign(1);
  bench.report(1);
  bench.harness.run(5000);
  assert.ok(bench.shutDown(bench.accept()));

  bench.foreign(2);
  bench.report(2);
  bench.harness.input({ type: "stop" });
  bench.harness.run(10_000);

  assert.equal(bench.elementCount, 1);
});
