import assert from "node:assert/strict";
import { Prng } from "../../../protocol/machine.ts";
import type { TransportEvent } from "../../../protocol/net.ts";
import { RegistrarLink } from "../../../protocol/user/registrar_link.ts";
import { MAX_PENDING_REQUESTS } from "../../../protocol/user/request_queue.ts";
import type { RequestOptions } from "../../../protocol/user/request_queue.ts";
import { down, HuntPeer, message, up } from "./harness.ts";

const POOL = Uint8Array.of(65);

class LinkHarness {
  readonly peer: HuntPeer = new HuntPeer();
  readonly link: RegistrarLink<string>;
  now = 0;

  constructor(options: RequestOptions = {}) {
    const hunt = { registrars: [[{ address: "10.1.1.1", port: 3863 }]] };
    const concerns = ({ poolHandle }: { poolHandle: Uint8Array }) => poolHandle[0] === POOL[0];
    const linkOptions = { ...options, hunt, concerns };
    this.link = new RegistrarLink("hunt", "announces", linkOptions, this.peer.outbox, new Prng(1));
    this.link.start(0);
  }

  event(event: TransportEvent): void {
    this.link.handle({ type: "transport", endpoint: "hunt", event }, this.now);
  }

  resolve(context: string): void {
    this.link.request(
      { type: "handleResolution", poolHandle: POOL },
      "handleResolutionResponse",
      context,
      this.now,
    );
  }

  respond(association: number): void {
    this.event(message(association, { type: "handleResolutionResponse", poolHandle: POOL, elements: [] }));
  }

  tick(now: number): void {
    this.now = now;
    this.link.tick(now);
  }

  events(): string[] {
    return this.link.takeEvents().map((event) =>
      "context" in event ? `${event.type} ${event.context}` : event.type
    );
  }
}

Deno.test("RegistrarLink holds requests until there is a registrar, and matches answers in order", () => {
  const harness = new LinkHarness();
  harness.resolve("a");
  harness.resolve("b");
  assert.deepEqual(harness.peer.now(), ["connect 1 10.1.1.1"]);
  harness.event(up(7, 1, "10.1.1.1"));
  harness.resolve("c");
  assert.deepEqual(harness.peer.now(), Array(3).fill("send 7 handleResolution"));
  harness.respond(7);
  harness.event(message(7, { type: "error", error: [{ code: 3, data: new Uint8Array() }] }));
  harness.respond(7);
  harness.respond(7);
  assert.deepEqual(harness.events(), ["connected", "response a", "error b", "response c"]);
});

Deno.test("RegistrarLink gives a registrar up that does not answer in time, and asks the next one", () => {
  const harness = new LinkHarness();
  harness.event(up(7, 1, "10.1.1.1"));
  harness.resolve("a");
  harness.resolve("b");
  harness.peer.now();
  harness.tick(2999);
  assert.deepEqual(harness.peer.now(), []);
  harness.tick(3000);
  assert.deepEqual(harness.peer.now(), ["abort 7"]);
  harness.tick(3500);
  assert.deepEqual(harness.peer.now(), ["connect 2 10.1.1.1"]);
  harness.event(up(8, 2, "10.1.1.1"));
  assert.deepEqual(harness.peer.now(), Array(2).fill("send 8 handleResolution"));
  assert.deepEqual(harness.events(), ["connected", "disconnected", "connected"]);
  harness.respond(8);
  assert.deepEqual(harness.events(), ["response a"]);
});

Deno.test("RegistrarLink gives a request up after three trials, and only that one", () => {
  const harness = new LinkHarness();
  harness.resolve("a");
  harness.resolve("b");
  for (const trial of [1, 2, 3]) {
    harness.tick(harness.now + 20_000);
    harness.event(up(trial, trial, "10.1.1.1"));
    harness.tick(harness.now + 3000);
  }
  assert.deepEqual(harness.events().filter((event) => event.includes(" ")), ["unanswered a"]);
});

Deno.test("RegistrarLink gives a request up after as many trials as it is told", () => {
  const harness = new LinkHarness({ maxTrials: 1, responseTimeoutMs: 700 });
  harness.event(up(7, 1, "10.1.1.1"));
  harness.resolve("a");
  harness.peer.now();
  harness.tick(699);
  assert.deepEqual(harness.events(), ["connected"]);
  harness.tick(700);
  assert.deepEqual(harness.events(), ["unanswered a", "disconnected"]);
  assert.deepEqual(harness.peer.now(), ["abort 7"]);
});

Deno.test("RegistrarLink waits for room to send, and from then on for the answer", () => {
  const blocked = () => {
    const harness = new LinkHarness({ requestTimeoutMs: 10_000, responseTimeoutMs: 1000 });
    harness.event(up(7, 1, "10.1.1.1"));
    harness.resolve("a");
    harness.event({ type: "blocked", association: 7 });
    harness.peer.now();
    harness.tick(9999);
    assert.deepEqual(harness.peer.now(), []);
    return harness;
  };
  const stuck = blocked();
  stuck.tick(10_000);
  assert.deepEqual(stuck.peer.now(), ["abort 7"]);
  const freed = blocked();
  freed.event({ type: "writable", association: 7 });
  freed.tick(10_998);
  assert.deepEqual(freed.peer.now(), []);
  freed.tick(10_999);
  assert.deepEqual(freed.peer.now(), ["abort 7"]);
});

Deno.test("RegistrarLink does not carry back-pressure over to the next registrar", () => {
  const harness = new LinkHarness({ requestTimeoutMs: 10_000, responseTimeoutMs: 1000 });
  harness.event(up(7, 1, "10.1.1.1"));
  harness.resolve("a");
  harness.event({ type: "blocked", association: 7 });
  harness.event(down(7, 1));
  harness.tick(500);
  harness.event(up(8, 2, "10.1.1.1"));
  harness.peer.now();
  harness.tick(1500);
  assert.deepEqual(harness.peer.now(), ["abort 8"]);
});

Deno.test("RegistrarLink leaves a registrar that answers something else, or what cannot be read", () => {
  const answers = [
    message(7, { type: "registrationResponse", poolHandle: POOL, elementId: 1, rejected: false }),
    message(7, Uint8Array.of(1, 2, 3)),
  ];
  for (const answer of answers) {
    const harness = new LinkHarness();
    harness.event(up(7, 1, "10.1.1.1"));
    harness.resolve("a");
    harness.peer.now();
    harness.event(answer);
    assert.deepEqual(harness.peer.now(), ["abort 7"]);
  }
});

Deno.test("RegistrarLink ignores answers that nobody waits for, and strangers' answers", () => {
  const harness = new LinkHarness();
  harness.event(up(7, 1, "10.1.1.1"));
  harness.respond(7);
  harness.event(up(9, undefined, "10.6.6.6"));
  harness.resolve("a");
  harness.peer.now();
  harness.respond(9);
  assert.deepEqual(harness.peer.now(), []);
  assert.deepEqual(harness.events(), ["connected"]);
  harness.event(message(9, Uint8Array.of(1, 2, 3)));
  assert.deepEqual(harness.peer.now(), ["abort 9"], "a stranger that talks nonsense is sent away");
});

Deno.test("RegistrarLink moves its requests to a registrar that took over", () => {
  const harness = new LinkHarness();
  harness.event(up(7, 1, "10.1.1.1"));
  harness.resolve("a");
  harness.event(up(9, undefined, "10.1.1.2"));
  harness.peer.now();
  harness.event(message(9, { type: "endpointKeepAlive", home: true, registrarId: 0x2222, poolHandle: POOL }));
  assert.deepEqual(harness.peer.now(), ["abort 7", "send 9 handleResolution"]);
  assert.equal(harness.link.registrar?.registrarId, 0x2222);
  harness.respond(9);
  assert.deepEqual(harness.events(), ["connected", "keepAlive", "connected", "response a"]);
});

Deno.test("RegistrarLink is not taken over for the sake of somebody else's element", () => {
  const harness = new LinkHarness();
  harness.event(up(7, 1, "10.1.1.1"));
  harness.event(up(9, undefined, "10.6.6.6"));
  harness.peer.now();
  const poolHandle = Uint8Array.of(99);
  harness.event(message(9, { type: "endpointKeepAlive", home: true, registrarId: 0x2222, poolHandle }));
  assert.deepEqual(harness.peer.now(), []);
  assert.equal(harness.link.registrar?.association, 7);
  assert.deepEqual(harness.events(), ["connected"]);
});

Deno.test("RegistrarLink takes a registrar's address from its announce or from where that came from", () => {
  const announced = (data: string) => {
    const peer = new HuntPeer();
    const link = new RegistrarLink("hunt", "announces", {}, peer.outbox, new Prng(1));
    link.start(0);
    const source = { address: "10.1.1.9", port: 4711 };
    link.handle({ type: "datagram", channel: "announces", source, data: fromHex(data) }, 0);
    return [...peer.commandsNow()].map((command) =>
      command.type === "connect" ? `${command.addresses.join("+")}:${command.port}` : command.type
    );
  };
  assert.deepEqual(announced("0a000008c2818128"), ["10.1.1.9:4711"]);
  assert.deepEqual(announced("0a000018c2818128000400100f17000000010008" + "0a020202"), ["10.2.2.2:3863"]);
  assert.deepEqual(announced("0a00000800000000"), [], "no ID");
  assert.deepEqual(announced("0a0000"), [], "cut");
  assert.deepEqual(announced("0b000008000d0004"), [], "no announce");
});

Deno.test("RegistrarLink keeps no more requests than its limit", () => {
  const harness = new LinkHarness();
  for (let n = 0; n < MAX_PENDING_REQUESTS; n++) harness.resolve("a");
  assert.deepEqual(harness.events(), []);
  harness.resolve("b");
  assert.deepEqual(harness.events(), ["unanswered b"]);
});

Deno.test("RegistrarLink takes back what still waits", () => {
  const harness = new LinkHarness();
  harness.resolve("a");
  harness.resolve("b");
  harness.link.cancel((context) => context === "a");
  harness.peer.now();
  harness.event(up(7, 1, "10.1.1.1"));
  assert.deepEqual(harness.peer.now(), ["send 7 handleResolution"]);
  harness.respond(7);
  harness.event(down(7, 1));
  assert.deepEqual(harness.events(), ["connected", "response b", "disconnected"]);
});

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (octet) => Number.parseInt(octet, 16));
}
