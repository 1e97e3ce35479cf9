import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { RegistrarHunt } from "../../../protocol/user/hunt.ts";
import type { HuntOptions } from "../../../protocol/user/hunt.ts";
import { MAX_STRANGERS, STRANGER_END_MS, STRANGER_LIFE_MS } from "../../../protocol/user/strangers.ts";
import { down, HuntPeer, up } from "./harness.ts";

const FIVE = [1, 2, 3, 4, 5].map((n) => [{ address: `10.1.1.${n}`, port: 3863 }]);

function begin(options: HuntOptions = { registrars: FIVE }): { peer: HuntPeer; hunt: RegistrarHunt } {
  const peer = new HuntPeer();
  const hunt = new RegistrarHunt("hunt", options, peer.outbox, new Prng(3));
  hunt.start(0);
  return { peer, hunt };
}

Deno.test("RegistrarHunt connects to three registrars at a time, in an order of chance", () => {
  const { peer, hunt } = begin();
  const first = peer.now();
  assert.deepEqual(first.map((command) => command.slice(0, 9)), ["connect 1", "connect 2", "connect 3"]);
  hunt.handle(down(0, 2), 10);
  assert.deepEqual(peer.now().map((command) => command.slice(0, 9)), ["connect 4"]);
  const orders = new Set([1, 2, 3, 4, 5, 6].map((seed) => {
    const other = new HuntPeer();
    new RegistrarHunt("hunt", { registrars: FIVE }, other.outbox, new Prng(seed)).start(0);
    return other.now().join();
  }));
  assert.ok(orders.size > 1);
});

Deno.test("RegistrarHunt takes the first association that comes up, and aborts the others when they come", () => {
  const { peer, hunt } = begin();
  peer.now();
  hunt.handle(up(72, 2, "10.1.1.9"), 10);
  assert.equal(hunt.current?.association, 72);
  assert.deepEqual(hunt.takeEvents(), [{ type: "connected", adopted: false }]);
  hunt.handle(up(71, 1, "10.1.1.8"), 20);
  assert.deepEqual(peer.now(), ["abort 71"]);
  hunt.handle(down(71, 1), 21);
  hunt.handle(down(0, 3), 22);
  assert.deepEqual(peer.now(), []);
  assert.equal(hunt.current?.association, 72);
  assert.equal(hunt.nextTimeout(), undefined);
});

Deno.test("RegistrarHunt tries others when one takes too long, and takes it all the same if it comes first", () => {
  const { peer, hunt } = begin({ registrars: FIVE.slice(0, 4), connectTimeoutMs: 1000 });
  peer.now();
  hunt.tick(1000);
  assert.deepEqual(peer.now().map((command) => command.slice(0, 9)), ["connect 4"]);
  hunt.tick(1999);
  assert.deepEqual(peer.now(), [], "nobody connects twice to one place");
  hunt.handle(up(71, 1, "10.1.1.1"), 1999);
  assert.equal(hunt.current?.association, 71);
});

Deno.test("RegistrarHunt gives a silent registrar all its trials before another one takes its turn", () => {
  const { peer, hunt } = begin({
    registrars: FIVE.slice(0, 2),
    maxParallel: 1,
    connectMaxTrials: 3,
    connectTimeoutMs: 1000,
  });
  const first = peer.now()[0]!.split(" ")[2]!;
  hunt.handle(down(0, 1, "timeout"), 700);
  assert.deepEqual(peer.now(), [`connect 2 ${first}`]);
  hunt.tick(1700);
  assert.deepEqual(peer.now(), [], "the transport is still at it: the third trial");
  hunt.tick(2699);
  assert.deepEqual(peer.now(), []);
  hunt.tick(2700);
  const [other] = peer.now();
  assert.match(other!, /^connect 3 /);
  assert.notEqual(other!.split(" ")[2], first);
  assert.equal(peer.reports.filter((type) => type === "huntFailed").length, 1);
});

Deno.test("RegistrarHunt takes a refusal for an answer, whatever trials are left", () => {
  const { peer, hunt } = begin({ registrars: FIVE.slice(0, 1), connectMaxTrials: 3 });
  peer.now();
  hunt.handle(down(0, 1), 10);
  assert.deepEqual(peer.now(), []);
  hunt.tick(510);
  assert.deepEqual(peer.now(), ["connect 2 10.1.1.1"]);
});

Deno.test("RegistrarHunt waits for announces, and says once that it does", () => {
  const { peer, hunt } = begin({});
  assert.deepEqual(peer.now(), []);
  hunt.tick(1000);
  assert.deepEqual(peer.reports, ["huntWaiting"]);
  hunt.announce(["10.1.1.1"], 3863, 7, 1000);
  assert.deepEqual(peer.now(), ["connect 1 10.1.1.1"]);
  hunt.announce(["10.1.1.1"], 3863, 7, 1100);
  hunt.announce(["10.2.1.1"], 3863, 7, 1100);
  assert.deepEqual(peer.now(), [], "one attempt a registrar");
});

Deno.test("RegistrarHunt starts anew when the registrar is lost, fails or shuts down", () => {
  for (const end of ["down", "fail", "peerShutdown"] as const) {
    const { peer, hunt } = begin({ registrars: FIVE.slice(0, 1) });
    hunt.handle(up(71, 1, "10.1.1.1"), 10);
    hunt.takeEvents();
    peer.now();
    if (end === "down") hunt.handle(down(71, 1), 20);
    else if (end === "fail") hunt.fail("it does not answer", 20);
    else hunt.handle({ type: "peerShutdown", association: 71 }, 20);
    assert.deepEqual(hunt.takeEvents().map(({ type }) => type), ["disconnected"]);
    assert.deepEqual(peer.now(), end === "fail" ? ["abort 71"] : []);
    hunt.tick(519);
    assert.deepEqual(peer.now(), []);
    hunt.tick(520);
    assert.deepEqual(peer.now(), ["connect 2 10.1.1.1"]);
  }
});

Deno.test("RegistrarHunt adopts a registrar that took over, and aborts the old association", () => {
  const { peer, hunt } = begin({ registrars: FIVE.slice(0, 1) });
  hunt.handle(up(71, 1, "10.1.1.1"), 10);
  hunt.takeEvents();
  hunt.handle(up(80, undefined, "10.1.1.2"), 20);
  peer.now();
  hunt.adopt(80, 0x2222);
  assert.deepEqual(peer.now(), ["abort 71"]);
  assert.deepEqual(hunt.takeEvents(), [{ type: "connected", adopted: true }]);
  assert.equal(hunt.current?.registrarId, 0x2222);
  hunt.handle(down(71, 1), 21);
  assert.equal(hunt.current?.association, 80);
  assert.deepEqual(hunt.takeEvents(), []);
});

Deno.test("RegistrarHunt lets few strangers in, and none for long", () => {
  const { peer, hunt } = begin({});
  peer.now();
  for (let n = 0; n < MAX_STRANGERS + 2; n++) hunt.handle(up(100 + n, undefined, "10.9.9.9"), n);
  assert.deepEqual(peer.now(), [`abort ${100 + MAX_STRANGERS}`, `abort ${101 + MAX_STRANGERS}`]);
  hunt.tick(STRANGER_LIFE_MS);
  assert.deepEqual(peer.now(), ["shutdown 100"]);
  hunt.dismiss(101, "no valid ASAP message");
  assert.deepEqual(peer.now(), ["abort 101"]);
});

Deno.test("RegistrarHunt keeps one answer for a stranger that asks and does not read, and aborts it in the end", () => {
  const { peer, hunt } = begin({});
  hunt.handle(up(100, undefined, "10.9.9.9"), 0);
  peer.now();
  const answer = writeAsap({ type: "endpointKeepAliveAck", poolHandle: Uint8Array.of(65), elementId: 1 });
  hunt.handle({ type: "blocked", association: 100 }, 1);
  for (let n = 0; n < 1000; n++) hunt.reply(100, answer);
  assert.deepEqual(peer.now(), []);
  hunt.handle({ type: "writable", association: 100 }, 2);
  assert.deepEqual(peer.now(), ["send 100 endpointKeepAliveAck"]);
  hunt.reply(100, answer);
  assert.deepEqual(peer.now(), ["send 100 endpointKeepAliveAck"]);

  hunt.tick(STRANGER_LIFE_MS);
  assert.deepEqual(peer.now(), ["shutdown 100"]);
  for (let n = 1; n < MAX_STRANGERS; n++) hunt.handle(up(100 + n, undefined, "10.9.9.9"), STRANGER_LIFE_MS);
  assert.deepEqual(peer.now(), []);
  hunt.handle(up(200, undefined, "10.9.9.9"), STRANGER_LIFE_MS);
  assert.deepEqual(peer.now(), ["abort 200"], "it has its place until it is gone");
  hunt.tick(STRANGER_LIFE_MS + STRANGER_END_MS);
  assert.deepEqual(peer.now(), ["abort 100"]);
});

Deno.test("RegistrarHunt does not abort a stranger that lets itself be shut down", () => {
  const { peer, hunt } = begin({});
  hunt.handle(up(100, undefined, "10.9.9.9"), 0);
  hunt.tick(STRANGER_LIFE_MS);
  hunt.handle(down(100, undefined, "shutdown"), STRANGER_LIFE_MS + 1);
  peer.now();
  assert.equal(hunt.nextTimeout(), undefined);
  hunt.tick(STRANGER_LIFE_MS + STRANGER_END_MS);
  assert.deepEqual(peer.now(), []);
});

Deno.test("RegistrarHunt aborts a registrar that it has left, and that does not let itself be shut down", () => {
  const left = () => {
    const { peer, hunt } = begin({ registrars: FIVE.slice(0, 2) });
    hunt.handle(up(71, 1, "10.1.1.1"), 10);
    peer.now();
    assert.ok(hunt.moveOn(new Set(), "it does not know the pool", 20));
    assert.deepEqual(peer.now(), ["shutdown 71"]);
    hunt.handle(up(72, 2, "10.1.1.2"), 30);
    return { peer, hunt };
  };
  const stuck = left();
  stuck.hunt.tick(20 + STRANGER_END_MS);
  assert.deepEqual(stuck.peer.now(), ["abort 71"]);
  const gone = left();
  gone.hunt.handle(down(71, 1, "shutdown"), 40);
  gone.hunt.tick(20 + STRANGER_END_MS);
  assert.deepEqual(gone.peer.now(), []);
  assert.equal(gone.hunt.current?.association, 72);
});

Deno.test("RegistrarHunt that is stopped shuts its registrar down, aborts strangers, and asks for nothing more", () => {
  const { peer, hunt } = begin({ registrars: FIVE.slice(0, 2) });
  hunt.handle(up(71, 1, "10.1.1.1"), 10);
  hunt.handle(up(80, undefined, "10.1.1.2"), 20);
  peer.now();
  hunt.stop();
  assert.deepEqual(peer.now().sort(), ["abort 80", "shutdown 71"]);
  hunt.handle(up(72, 2, "10.1.1.2"), 30);
  hunt.handle(down(71, 1), 30);
  hunt.announce(["10.1.1.7"], 3863, 9, 40);
  assert.deepEqual(peer.now(), ["abort 72"]);
  assert.equal(hunt.nextTimeout(), undefined);
});
