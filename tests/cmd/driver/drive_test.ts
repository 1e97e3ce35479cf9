import assert from "node:assert/strict";
import { drive } from "../../../cmd/driver/drive.ts";
import type { DriverInput } from "../../../cmd/driver/drive.ts";
import { Outbox, TimerQueue } from "../../../protocol/machine.ts";
import type { Machine } from "../../../protocol/machine.ts";
import type {
  EndpointOptions,
  EventHandler,
  Instant,
  NetworkEffect,
  Transport,
  TransportCommand,
} from "../../../protocol/net.ts";

function notHere(): never {
  throw new Error("no driver asks for this");
}

/** A transport without a network: it keeps commands and lets the test tell events. */
class FakeTransport implements Transport {
  readonly kind = "simulated";
  readonly description = "nothing";
  readonly commands: TransportCommand[] = [];
  readonly closed: number[] = [];
  readonly handlers: EventHandler[] = [];
  refuse = false;

  open(options: EndpointOptions, onEvents: EventHandler) {
    const port = options.port ?? 0;
    if (this.refuse && this.handlers.length > 0) throw new Error("port is in use");
    this.handlers.push(onEvents);
    return {
      port,
      addresses: ["10.1.0.1"],
      execute: (command: TransportCommand) => void this.commands.push(command),
      status: () => undefined,
      statistics: () => undefined,
      getOption: notHere,
      setOption: notHere,
      addAddress: notHere,
      removeAddress: notHere,
      setPeerPrimary: notHere,
      peelOff: notHere,
      close: () => {
        this.closed.push(port);
        return Promise.resolve();
      },
    };
  }

  capture(): Disposable {
    return notHere();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

type TestInput = DriverInput | { type: "start" } | { type: "stop" } | { type: "poke" };
type TestEffect = NetworkEffect | { type: "report"; text: string } | { type: "stopped" };

/** Writes down what it is told. */
class Recorder implements Machine<TestInput, TestEffect> {
  readonly seen: string[] = [];
  readonly #outbox = new Outbox<TestEffect>();
  readonly #timers = new TimerQueue<string>();

  handle(input: TestInput, now: Instant): void {
    this.seen.push(input.type === "transport" ? `${input.endpoint} ${input.event.type}` : input.type);
    if (input.type === "start") {
      this.#timers.set("soon", now + 5);
      this.#outbox.push({
        type: "transport",
        endpoint: "asap",
        command: { type: "shutdown", association: 1 },
      });
      this.#outbox.push({ type: "report", text: "started" });
    }
    if (input.type === "stop") this.#outbox.push({ type: "stopped" });
  }

  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      this.#outbox.push({ type: "report", text: key });
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  drain(): TestEffect[] {
    return this.#outbox.drain();
  }
}

Deno.test("drive() tells a machine its endpoints first, then feeds events and carries out commands", async () => {
  const transport = new FakeTransport(), machine = new Recorder(), reports: string[] = [];
  const driver = drive(machine, {
    transport,
    endpoints: { asap: { port: 3863 }, enrp: { port: 9901 } },
    onEffect: (effect) => {
      if (effect.type === "report") reports.push(effect.text);
    },
    clock: () => 0, // the machine's timer shall not be due meanwhile, however slow we are
  });
  driver.input({ type: "start" });
  transport.handlers[1]?.([{ type: "writable", association: 4 }, { type: "peerShutdown", association: 4 }]);
  assert.deepEqual(machine.seen, [
    "endpointOpened",
    "endpointOpened",
    "start",
    "enrp writable",
    "enrp peerShutdown",
  ]);
  assert.deepEqual(transport.commands, [{ type: "shutdown", association: 1 }]);
  assert.deepEqual(reports, ["started"]);
  assert.equal(driver.endpoint("enrp").port, 9901);
  await driver.close();
  assert.deepEqual(transport.closed, [3863, 9901]);
});

Deno.test("drive() wakes the machine when its timer is due", async () => {
  const due = Promise.withResolvers<void>();
  const driver = drive(new Recorder(), {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: (effect) => {
      if (effect.type === "report" && effect.text === "soon") due.resolve();
    },
  });
  driver.input({ type: "start" });
  await due.promise;
  await driver.close();
});

/** Has something to do some milliseconds after the last input. */
class Procrastinator implements Machine<DriverInput | { readonly type: "poke" }, { readonly type: "done" }> {
  doneAt: number | undefined;
  #dueAt: number | undefined;

  handle(input: { readonly type: string }, now: number): void {
    if (input.type === "poke") this.#dueAt = now + 20;
  }

  tick(now: number): void {
    if (this.#dueAt === undefined || now < this.#dueAt) return;
    this.#dueAt = undefined;
    this.doneAt = now;
  }

  nextTimeout(): number | undefined {
    return this.#dueAt;
  }

  drain(): { readonly type: "done" }[] {
    return this.doneAt === undefined ? [] : [{ type: "done" }];
  }
}

Deno.test("drive() wakes a machine that put its timer off at the later time, not at the earlier one", async () => {
  const machine = new Procrastinator(), done = Promise.withResolvers<void>();
  let skippedMs = 0;
  const driver = drive(machine, {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: () => done.resolve(),
    clock: () => performance.now() + skippedMs,
  });
  driver.input({ type: "poke" });
  skippedMs = 10;
  const putOffAt = performance.now() + skippedMs;
  driver.input({ type: "poke" });
  await done.promise;
  assert.ok(machine.doneAt! - putOffAt >= 19);
  await driver.close();
});

Deno.test("drive() reads what came while the process stood still before it lets a timer judge", async () => {
  const machine = new Procrastinator(), done = Promise.withResolvers<void>();
  const transport = new FakeTransport();
  let stoodStillMs = 0;
  const driver = drive(machine, {
    transport,
    endpoints: { asap: {} },
    onEffect: () => done.resolve(),
    clock: () => performance.now() + stoodStillMs,
  });
  driver.input({ type: "poke" });
  stoodStillMs = 10_000;
  transport.handlers[0]?.([{ type: "writable", association: 4 }]); // one of several that wait to be read
  assert.equal(machine.doneAt, undefined, "not at once");
  const pokedAt = performance.now() + stoodStillMs;
  driver.input({ type: "poke" }); // here is the sign of life
  await done.promise;
  assert.ok(machine.doneAt! - pokedAt >= 19, "the timer was put off in time");
  await driver.close();
});

Deno.test("drive() lets a timer run that came late, when nothing was to read", async () => {
  const machine = new Procrastinator(), done = Promise.withResolvers<void>();
  let stoodStillMs = 0;
  const driver = drive(machine, {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: () => done.resolve(),
    clock: () => performance.now() + stoodStillMs,
  });
  driver.input({ type: "poke" });
  stoodStillMs = 10_000;
  await done.promise;
  assert.ok(machine.doneAt! > 10_000);
  await driver.close();
});

/** Has something to do at once whenever it has heard something, and tells when it does it. */
class Hasty implements Machine<DriverInput | { readonly type: "poke" }, { readonly type: "done" }> {
  readonly seen: string[] = [];
  #dueAt: number | undefined;

  handle(input: { readonly type: string }, now: number): void {
    this.seen.push(input.type);
    if (input.type === "poke") this.#dueAt = now;
  }

  tick(): void {
    this.seen.push("tick");
    this.#dueAt = undefined;
  }

  nextTimeout(): number | undefined {
    return this.#dueAt;
  }

  drain(): { readonly type: "done" }[] {
    return this.seen.at(-1) === "tick" ? [{ type: "done" }] : [];
  }
}

Deno.test("drive() feeds what comes in before it lets a machine do what is due", async () => {
  const machine = new Hasty(), done = Promise.withResolvers<void>();
  const driver = drive(machine, {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: () => done.resolve(),
  });
  for (let n = 0; n < 3; n++) driver.input({ type: "poke" });
  assert.deepEqual(machine.seen, ["endpointOpened", "poke", "poke", "poke"]);
  await done.promise;
  assert.deepEqual(machine.seen, ["endpointOpened", "poke", "poke", "poke", "tick"]);
  await driver.close();
});

/** Has had much to do for long. */
class Belated implements Machine<DriverInput, { readonly type: "done" }> {
  ticks = 0;
  #isDone = false;

  handle(): void {}

  tick(): void {
    this.ticks++;
  }

  nextTimeout(): number | undefined {
    return this.ticks < 40 ? 0 : undefined;
  }

  drain(): { readonly type: "done" }[] {
    if (this.ticks < 40 || this.#isDone) return [];
    this.#isDone = true;
    return [{ type: "done" }];
  }
}

Deno.test("drive() reads once before a machine makes up for lost time, not before each step", async () => {
  const machine = new Belated(), done = Promise.withResolvers<void>();
  let now = 10_000;
  const driver = drive(machine, {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: () => done.resolve(),
    clock: () => now++, // counts how often it is asked, so that a slow test is no slow driver
  });
  await done.promise;
  assert.ok(now - 10_000 < 10 * machine.ticks, `${now - 10_000} readings of the clock`);
  await driver.close();
});

Deno.test("drive() puts an input from within an effect behind the present batch", async () => {
  const machine = new Recorder();
  const driver = drive(machine, {
    transport: new FakeTransport(),
    endpoints: { asap: {} },
    onEffect: (effect) => {
      if (effect.type === "report" && effect.text === "started") driver.input({ type: "poke" });
    },
  });
  driver.inputs([{ type: "start" }, { type: "stop" }]);
  assert.deepEqual(machine.seen, ["endpointOpened", "start", "stop", "poke"]);
  await driver.stopped;
  await driver.close();
});

Deno.test("drive() feeds a batch of more events than a call can have arguments", async () => {
  const transport = new FakeTransport(), machine = new Recorder();
  const driver = drive(machine, { transport, endpoints: { asap: {} }, onEffect: () => {} });
  transport.handlers[0]?.(new Array(500_000).fill({ type: "writable", association: 1 }));
  assert.equal(machine.seen.length, 500_001);
  await driver.close();
});

Deno.test("drive() feeds nothing after close()", async () => {
  const transport = new FakeTransport(), machine = new Recorder();
  const driver = drive(machine, { transport, endpoints: { asap: {} }, onEffect: () => {} });
  driver.input({ type: "start" });
  const before = machine.seen.length;
  await Promise.all([driver.close(), driver.close()]);
  transport.handlers[0]?.([{ type: "writable", association: 1 }]);
  driver.input({ type: "poke" });
  assert.equal(machine.seen.length, before);
  assert.equal(transport.closed.length, 1);
});

Deno.test("drive() closes what it opened when a later endpoint cannot be opened", () => {
  const transport = new FakeTransport();
  transport.refuse = true;
  const endpoints = { asap: { port: 3863 }, enrp: { port: 9901 } };
  assert.throws(() => drive(new Recorder(), { transport, endpoints, onEffect: () => {} }), /port is in use/);
  assert.deepEqual(transport.closed, [3863]);
});
