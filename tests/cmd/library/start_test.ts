import assert from "node:assert/strict";
import { PoolClient, PoolElement, PoolRegistrar } from "../../../cmd/library/mod.ts";
import { startTimer } from "../../../cmd/library/timer.ts";
import type { Endpoint, Transport } from "../../../protocol/net.ts";
import { echo, within } from "./pools.ts";

const POOL = { announce: "off", registrars: ["127.0.0.1"] } as const;

/** A transport whose endpoints fail when their addresses are asked for again, which is behind their start. */
class LateFailure {
  opened = 0;
  closed = 0;
  readonly transport: Transport = {
    kind: "simulated",
    description: "fails late",
    open: () => this.#open(),
    capture: () => assert.fail("nobody wants a capture"),
    close: () => Promise.resolve(),
  };

  #open(): Endpoint {
    let asked = 0;
    const endpoint = {
      port: ++this.opened,
      get addresses() {
        if (asked++ > 0) throw new TypeError("too late");
        return ["127.0.0.1"];
      },
      execute: () => {},
      close: () => {
        this.closed++;
        return Promise.resolve();
      },
    };
    return endpoint as unknown as Endpoint; // nobody asks more of it
  }
}

Deno.test("what fails when it has been opened already is closed again", async () => {
  const starts: readonly ((transport: Transport) => Promise<AsyncDisposable>)[] = [
    (transport) => PoolClient.start({ ...POOL, transport }),
    (transport) => PoolElement.serve("P", echo, { ...POOL, transport }),
    (transport) => PoolRegistrar.start({ announce: "off", transport }),
  ];
  for (const start of starts) {
    const failure = new LateFailure();
    await assert.rejects(start(failure.transport), /^TypeError: too late$/);
    assert.ok(failure.opened > 0);
    assert.equal(failure.closed, failure.opened);
  }
});

Deno.test("a registrar and an element of a program may be at a host by its name", async () => {
  const udp = { transport: "embedded", encapsulation: "udp", announce: "off", local: "localhost" } as const;
  await using registrar = await PoolRegistrar.start(udp);
  assert.match(registrar.address, /^(127\.0\.0\.1|\[::1\]):\d+/);
  const serving = PoolElement.serve("P", echo, { ...udp, registrars: [registrar.address] });
  await using element = await within("the element", serving);
  assert.ok(element.addresses.length > 0);
  assert.ok(element.addresses.every(({ address }) => address === "127.0.0.1" || address === "::1"));
});

Deno.test("a place that cannot be is told in words before anything is opened", async () => {
  const failure = new LateFailure(), { transport } = failure;
  const refused = (option: string) => ({
    name: "PoolError",
    message: new RegExp(`^Cannot use option ${option}: `),
  });
  await assert.rejects(PoolRegistrar.start({ announce: "localhost", transport }), refused("announce"));
  await assert.rejects(PoolRegistrar.start({ announce: "off", local: "a b", transport }), refused("local"));
  await assert.rejects(PoolElement.serve("P", echo, { ...POOL, local: "a b", transport }), refused("local"));
  assert.equal(failure.opened, 0);
});

Deno.test("an ID that does not fit is told in words before anything is opened", async () => {
  const failure = new LateFailure(), { transport } = failure;
  for (const id of [0, -1, 1.5, 2 ** 32, NaN]) {
    const message = new RegExp(`Cannot use option \\S*: it must be from 1 to 4294967295, not ${id}$`);
    const error = { name: "PoolError", reason: "option", message };
    await assert.rejects(PoolElement.serve("P", echo, { ...POOL, transport, elementId: id }), error);
    const machine = { registrarId: id };
    await assert.rejects(PoolRegistrar.start({ announce: "off", transport, machine }), error);
  }
  for (const id of [0, 1.5, 2n ** 56n]) {
    const error = { reason: "option", message: /option userId: it must be from 1 to 72057594037927935, not/ };
    await assert.rejects(PoolClient.start({ ...POOL, transport, userId: id }), error);
  }
  assert.equal(failure.opened, 0);
});

Deno.test("startTimer starts no timer that would wrap", () => {
  for (const delayMs of [Infinity, 2 ** 31]) {
    assert.equal(startTimer(delayMs, () => assert.fail("it has wrapped")), undefined);
  }
  const timer = startTimer(2 ** 31 - 1, () => {});
  assert.notEqual(timer, undefined);
  clearTimeout(timer);
});
