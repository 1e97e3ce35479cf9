import assert from "node:assert/strict";
import type { Machine } from "../../../../protocol/machine.ts";
import type {
  EndpointOpened,
  Instant,
  NetworkEffect,
  NetworkInput,
  TransportCommand,
  TransportEvent,
} from "../../../../protocol/net.ts";
import { MessageNetwork } from "../../../../protocol/sim/pool/mod.ts";
import type { SimulatedComputer, SimulatedProgram } from "../../../../protocol/sim/pool/mod.ts";
import { SEND_BUFFER } from "../../../../protocol/sim/pool/association.ts";

type Input = NetworkInput | EndpointOpened | { readonly type: "start" };

/** A machine that writes down what it hears, and says what it is told to say. */
class Parrot implements Machine<Input, NetworkEffect> {
  readonly events: TransportEvent[] = [];
  readonly datagrams: Uint8Array[] = [];
  readonly at: Instant[] = [];
  timer: Instant | undefined;
  ticks: Instant[] = [];
  #effects: NetworkEffect[] = [];

  handle(input: Input, now: Instant): void {
    if (input.type === "transport") {
      this.events.push(input.event);
      this.at.push(now);
    } else if (input.type === "datagram") this.datagrams.push(input.data);
  }
  tick(now: Instant): void {
    this.ticks.push(now);
    this.timer = undefined;
  }
  nextTimeout(): Instant | undefined {
    return this.timer;
  }
  drain(): NetworkEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
  say(command: TransportCommand): void {
    this.#effects.push({ type: "transport", endpoint: "e", command });
  }
  shout(data: Uint8Array): void {
    this.#effects.push({ type: "datagram", channel: "c", data });
  }
  types(): string[] {
    return this.events.map(({ type }) => type);
  }
}

interface Party {
  readonly machine: Parrot;
  readonly program: SimulatedProgram<Input, NetworkEffect>;
  readonly host: SimulatedComputer;
}

class Stage {
  readonly network = new MessageNetwork(1);
  readonly parties: Party[] = [];

  party(port = 4000, host?: SimulatedComputer, clockRate = 1, manualReceive = false): Party {
    const n = this.parties.length + 1;
    const at = host ?? this.network.host(`h${n}`, `10.0.0.${n}`);
    const machine = new Parrot();
    const program = this.network.spawn<Input, NetworkEffect>(at, `p${n}`, machine, {
      endpoints: { e: { port, listen: true, manualReceive } },
      channels: { c: { group: "g", from: "e" } },
      clockRate,
    });
    const party = { machine, program, host: at };
    this.parties.push(party);
    return party;
  }
  say(party: Party, command: TransportCommand): void {
    party.program.act(() => party.machine.say(command));
  }
  connect(from: Party, to: Party, port = 4000): void {
    this.say(from, { type: "connect", request: 1, addresses: to.host.addresses, port });
  }
  /** Two that have an association. */
  pair(): [Party, Party] {
    const a = this.party(), b = this.party();
    this.connect(a, b);
    this.network.run(100);
    return [a, b];
  }
}

function association({ machine }: Party): number {
  const up = machine.events.findLast(({ type }) => type === "up");
  assert.ok(up !== undefined && "association" in up);
  return up.association;
}

function send(stage: Stage, from: Party, ...octets: number[]): void {
  const data = Uint8Array.from(octets);
  stage.say(from, { type: "send", association: association(from), data, ppid: 11 });
}

function received({ machine }: Party): number[] {
  return machine.events.flatMap((event) => event.type === "message" ? [...event.data] : []);
}

Deno.test("MessageNetwork sets an association up, carries messages in order, and shuts down", () => {
  const stage = new Stage();
  stage.network.ways.usual = { delayMs: 1, jitterMs: 50, loss: 0.2 };
  const a = stage.party(), b = stage.party();
  stage.connect(a, b);
  assert.ok(stage.network.runUntil(() => a.machine.types().includes("up"), 20_000));
  for (let n = 0; n < 100; n++) send(stage, a, n);
  stage.say(a, { type: "shutdown", association: association(a) });
  stage.network.run(60_000);
  assert.deepEqual(received(b), Array.from({ length: 100 }, (_, n) => n));
  assert.deepEqual(b.machine.types().filter((type) => type !== "message"), ["up", "peerShutdown", "down"]);
  assert.deepEqual(a.machine.types(), ["up", "down"]);
  assert.equal(a.program.sides.size + b.program.sides.size, 0);
});

Deno.test("MessageNetwork refuses a second association between two endpoints", () => {
  const stage = new Stage();
  const [a, b] = stage.pair();
  stage.connect(a, b);
  stage.network.run(100);
  const [, down] = a.machine.events;
  assert.ok(down?.type === "down");
  assert.deepEqual([down.reason, down.origin], ["refused", "local"]);
});

Deno.test("MessageNetwork makes one association of two connects that cross", () => {
  const stage = new Stage();
  const a = stage.party(), b = stage.party();
  stage.connect(a, b);
  stage.connect(b, a);
  stage.network.run(100);
  assert.deepEqual([a.machine.types(), b.machine.types()], [["up"], ["up"]]);
  send(stage, a, 7);
  stage.network.run(100);
  assert.deepEqual(received(b), [7]);
});

Deno.test("MessageNetwork refuses a connect to a port where nobody listens, and gives up on a silent address", () => {
  const stage = new Stage();
  const a = stage.party(), b = stage.party();
  stage.connect(a, b, 5000);
  stage.network.run(1000);
  stage.network.powerOff(b.host);
  stage.connect(a, b);
  stage.network.run(20_000);
  const reasons = a.machine.events.map((event) => event.type === "down" ? event.reason : event.type);
  assert.deepEqual(reasons, ["refused", "timeout"]);
});

Deno.test("a program that dies aborts its associations; a computer without power is found out by time-out", () => {
  const stage = new Stage();
  const [a, b] = stage.pair();
  stage.network.kill(b.program);
  stage.network.run(1000);
  const down = a.machine.events.at(-1);
  assert.ok(down?.type === "down" && down.reason === "aborted" && down.origin === "peer");

  const other = new Stage();
  const [e, f] = other.pair();
  other.network.powerOff(f.host);
  other.network.run(60_000);
  const lost = e.machine.events.at(-1);
  assert.ok(lost?.type === "down" && lost.reason === "timeout" && lost.origin === "local");
});

Deno.test("a computer that comes back aborts what it does not know, or restarts it", () => {
  const stage = new Stage();
  const [a, b] = stage.pair();
  stage.network.powerOff(b.host);
  stage.network.powerOn(b.host);
  const again = stage.party(4000, b.host);
  stage.connect(again, a);
  stage.network.run(1000);
  assert.deepEqual(a.machine.types(), ["up", "restarted"]);
  assert.deepEqual(again.machine.types(), ["up"]);

  const other = new Stage();
  const [c, d] = other.pair();
  other.network.powerOff(d.host);
  other.network.powerOn(d.host);
  send(other, c, 1);
  other.network.run(2000);
  const down = c.machine.events.at(-1);
  assert.ok(down?.type === "down" && down.reason === "aborted");
});

Deno.test("a short cut delays messages, a long one ends the association on both sides, in one direction too", () => {
  for (const long of [false, true]) {
    const stage = new Stage();
    const [a, b] = stage.pair();
    stage.network.cut(a.host, b.host); // acknowledgements of b's messages do not come back either
    send(stage, a, 1);
    send(stage, b, 2);
    stage.network.run(long ? 60_000 : 5000);
    stage.network.ways.heal();
    stage.network.run(5000);
    assert.deepEqual(received(a), [2]);
    assert.deepEqual(received(b), long ? [] : [1]);
    assert.deepEqual([a, b].map((party) => party.machine.types().includes("down")), [long, long]);
  }
});

Deno.test("a program that stands still blocks the one that sends to it, and loses nothing", () => {
  const stage = new Stage();
  const [a, b] = stage.pair();
  b.program.pause();
  const chunk = new Uint8Array(60_000).fill(9);
  const count = Math.ceil(SEND_BUFFER / chunk.length) + 2;
  for (let n = 0; n < count; n++) {
    stage.say(a, { type: "send", association: association(a), data: chunk, ppid: 11 });
  }
  stage.network.run(30_000);
  assert.equal(b.program.backlog, count);
  assert.deepEqual(a.machine.types(), ["up", "blocked"]);
  b.program.resume();
  stage.network.run(1000);
  assert.deepEqual(a.machine.types(), ["up", "blocked", "writable"]);
  assert.equal(received(b).length, count * chunk.length);
});

Deno.test("a machine that says what it has consumed blocks its peer until then", () => {
  const stage = new Stage();
  const [a, b] = [stage.party(), stage.party(4000, undefined, 1, true)];
  stage.connect(a, b);
  stage.network.run(100);
  const data = new Uint8Array(SEND_BUFFER + 1);
  stage.say(a, { type: "send", association: association(a), data, ppid: 11 });
  stage.network.run(1000);
  assert.deepEqual([a, b].map((party) => party.machine.types()), [["up", "blocked"], ["up", "message"]]);
  stage.say(b, { type: "consumed", association: association(b), octets: data.length });
  stage.network.run(1000);
  assert.deepEqual(a.machine.types(), ["up", "blocked", "writable"]);
});

Deno.test("a slow program takes one input after the other", () => {
  const stage = new Stage();
  const [a, b] = stage.pair();
  b.program.costMs = 10;
  for (let n = 0; n < 5; n++) send(stage, a, n);
  stage.network.run(1000);
  const times = b.machine.at.slice(1);
  for (let n = 1; n < times.length; n++) assert.ok(times[n]! - times[n - 1]! >= 10);
  assert.equal(times.length, 5);
});

Deno.test("datagrams reach everybody in the group but their sender, and no way that is cut", () => {
  const stage = new Stage();
  const [a, b, c] = [stage.party(), stage.party(), stage.party()];
  stage.network.cut(a.host, c.host);
  a.program.act(() => a.machine.shout(Uint8Array.of(1)));
  c.program.act(() => c.machine.shout(Uint8Array.of(2)));
  stage.network.run(100);
  assert.deepEqual([a, b, c].map(({ machine }) => machine.datagrams.map(([octet]) => octet).sort()), [[2], [
    1,
    2,
  ], []]);
});

Deno.test("a clock that is fast makes timers fire early, once", () => {
  const stage = new Stage();
  const a = stage.party(4000, undefined, 1.25);
  a.program.act((now) => a.machine.timer = now + 1000);
  stage.network.run(799);
  assert.equal(a.machine.ticks.length, 0);
  stage.network.run(2);
  assert.equal(a.machine.ticks.length, 1);
});
