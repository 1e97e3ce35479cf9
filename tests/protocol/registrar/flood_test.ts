import assert from "node:assert/strict";
import { readAsap, writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import type { AssociationId, TransportEvent } from "../../../protocol/net.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type { RegistrarReport } from "../../../protocol/registrar/mod.ts";
import {
  MAX_ALL_WAITING_OCTETS,
  SERVED_AT_ONCE,
  SERVED_PER_TICK,
} from "../../../protocol/registrar/reception.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { SUPERVISED_PER_TICK } from "../../../protocol/registrar/registrar.ts";
import { element, POOL, REGISTRAR_ID, RegistrarHarness } from "./harness.ts";

// A registrar and a driver that feeds batches as the real one does: all inputs, a tick if one is due, one drain. Work is
// counted in messages that were answered, so that the test depends on no clock. The flood with real transports and
// processes is a benchmark (scripts/bench flood).

const HOSTILE_COUNT = 1000;

/** Ten elements of an honest host, and a user on another one. */
const ELEMENT_IDS = Array.from({ length: 10 }, (_, n) => n + 1);

class FloodBench {
  readonly registrar = new Registrar({
    registrarId: REGISTRAR_ID,
    seed: 1,
    maxElements: 5000,
    maxPools: 1000,
    keepAliveIntervalMs: 1e9,
  });
  readonly reports: RegistrarReport[] = [];
  /** What was sent in each drain. */
  readonly turns: { readonly association: AssociationId; readonly octets: Uint8Array }[][] = [];
  readonly aborted = new Set<AssociationId>();
  now = 0;
  #lastAssociation = 0;

  constructor() {
    for (const endpoint of ["asap", "enrp"]) {
      this.registrar.handle({ type: "endpointOpened", endpoint, port: 3863, addresses: ["10.1.1.254"] }, 0);
    }
    this.registrar.handle({ type: "start" }, 0);
    this.turn([]);
  }

  /** A batch of a driver. */
  turn(events: readonly TransportEvent[]): void {
    for (const event of events) {
      this.registrar.handle({ type: "transport", endpoint: "asap", event }, this.now);
    }
    const due = this.registrar.nextTimeout();
    if (due !== undefined && due <= this.now) this.registrar.tick(this.now);
    const sent: { readonly association: AssociationId; readonly octets: Uint8Array }[] = [];
    const aborted: TransportEvent[] = [];
    for (const effect of this.registrar.drain()) {
      if (effect.type === "report") this.reports.push(effect.report);
      if (effect.type !== "transport") continue;
      const { command } = effect;
      if (command.type === "send") sent.push({ association: command.association, octets: command.data });
      if (command.type === "abort") {
        this.aborted.add(command.association);
        const { association } = command;
        aborted.push({
          type: "down",
          association,
          request: undefined,
          reason: "aborted",
          origin: "local",
          cause: undefined,
        });
      }
    }
    this.turns.push(sent);
    this.now += 5;
    if (aborted.length > 0) this.turn(aborted);
  }

  up(address: string): AssociationId {
    const association = ++this.#lastAssociation;
    this.turn([{
      type: "up",
      association,
      request: undefined,
      peerAddresses: [address],
      peerPort: 40_000,
      outboundStreams: 10,
      inboundStreams: 10,
    }]);
    return association;
  }

  /** Turns until an association has its answer; gives it, and how many messages were answered meanwhile. */
  answerTo(association: AssociationId, batch: readonly TransportEvent[]): [AsapMessage, number] {
    let work = 0;
    for (let turn = 0; turn < 100; turn++) {
      const first = this.turns.length;
      this.turn(turn === 0 ? batch : []);
      const sent = this.turns.slice(first).flat();
      const index = sent.findIndex((one) => one.association === association);
      if (index >= 0) return [readAsap(sent[index]!.octets), work + index];
      work += sent.length;
    }
    throw new Error("no answer in 100 turns");
  }
}

function says(association: AssociationId, message: AsapMessage | Uint8Array): TransportEvent {
  const data = message instanceof Uint8Array ? message : writeAsap(message);
  return { type: "message", association, stream: 0, ssn: 0, tsn: 0, ppid: 11, unordered: false, data };
}

/** What the n-th hostile association says next: one of four kinds. */
function hostility(association: AssociationId, kind: number, serial: number): TransportEvent {
  switch (kind % 4) {
    case 0:
      return says(association, { type: "handleResolution", poolHandle: encodeText(`nowhere ${serial}`) });
    case 1:
      return says(association, Uint8Array.of(serial % 20, 0, 0, 12, 0x40, 0x77, 0, 8, 1, 2, 3, serial & 255));
    case 2:
      return says(association, {
        type: "registration",
        poolHandle: encodeText(`junk ${serial % 300}`),
        element: element(1000 + serial, {
          registrationLifeMs: -1,
          userTransport: { protocol: "sctp", port: 9, use: "data+control", addresses: [hostOf(kind)] },
        }),
      });
    default:
      return says(association, {
        type: "endpointUnreachable",
        poolHandle: POOL,
        elementId: 1 + serial % ELEMENT_IDS.length,
      });
  }
}

/** Hostile associations come from two hosts. */
function hostOf(kind: number): string {
  return `10.6.6.${kind & 1}`;
}

Deno.test("Registrar under a flood of a thousand associations answers honest users first, within its limits", () => {
  const bench = new FloodBench();
  const server = bench.up("10.1.1.1"), user = bench.up("10.1.1.7");
  bench.turn(
    ELEMENT_IDS.map((id) => says(server, { type: "registration", poolHandle: POOL, element: element(id) })),
  );
  const hostile = Array.from({ length: HOSTILE_COUNT }, (_, kind) => bench.up(hostOf(kind)));
  let serial = 0;
  const works: number[] = [];
  for (let round = 0; round < 20; round++) {
    const batch = hostile.flatMap((association, kind) =>
      bench.aborted.has(association) ? [] : [1, 2, 3].map(() => hostility(association, kind, serial++))
    );
    const [answer, work] = bench.answerTo(user, [
      ...batch,
      says(user, { type: "handleResolution", poolHandle: POOL, items: 1 }),
    ]);
    works.push(work);
    assert.ok(answer.type === "handleResolutionResponse" && answer.elements.length === 1, `round ${round}`);
    assert.ok(bench.registrar.waitingOctets <= MAX_ALL_WAITING_OCTETS);
  }
  // At first everybody is new, and has a turn; then, of some thousand messages that came before it, no more than those
  // that are served as they come are answered before the honest one.
  assert.ok(works[0]! <= HOSTILE_COUNT * 1.5, `${works[0]}`);
  const later = works.slice(2);
  assert.ok(Math.max(...later) <= SERVED_AT_ONCE + 8, works.join(" "));
  assert.ok(bench.turns.every((sent) => sent.length <= SERVED_AT_ONCE + 2 * SERVED_PER_TICK));
  assert.ok(bench.registrar.waitingOctets > 100_000, "the flood is still there");
  assert.ok(bench.registrar.handlespace.elementCount <= 5000);
  bench.registrar.checkInvariants();
  for (let turn = 0; turn < 10_000 && bench.registrar.waitingOctets > 0; turn++) {
    const { now } = bench;
    bench.turn([]);
    const due = bench.registrar.nextTimeout();
    assert.ok(due === undefined || due >= now, "what waits is due now, not since the last message came");
  }
  assert.equal(bench.registrar.waitingOctets, 0, "everything is answered in the end");
  const told = bench.reports.filter(({ type }) =>
    type === "offence" || type === "poolUnknown" || type === "limit"
  );
  assert.ok(told.length <= HOSTILE_COUNT * 32, `${told.length} reports of offences`);
  bench.registrar.checkInvariants();
});

Deno.test("Registrar answers nothing that an association which it has aborted has waiting", () => {
  const bench = new FloodBench();
  const association = bench.up("10.6.6.6");
  bench.turn(Array.from({ length: 400 }, () => says(association, Uint8Array.of(1))));
  while (bench.registrar.waitingOctets > 0) bench.turn([]);

  const { badMessages, limitsMet } = bench.registrar.statistics;
  assert.ok(bench.aborted.has(association));
  assert.deepEqual([badMessages, limitsMet], [257, 1]);
});

Deno.test("Registrar loses few elements by false reports, however many come from a host", () => {
  const bench = new FloodBench();
  const server = bench.up("10.1.1.1");
  bench.turn(
    ELEMENT_IDS.map((id) => says(server, { type: "registration", poolHandle: POOL, element: element(id) })),
  );
  const liars = Array.from({ length: 200 }, () => bench.up("10.6.6.6"));
  for (let round = 0; round < 50; round++) {
    bench.turn(liars.map((association, n) => hostility(association, 3, round + n)));
    const asked = bench.turns.at(-1)!.filter(({ association }) => association === server);
    bench.turn(asked.map(({ octets }) => {
      const keepAlive = readAsap(octets);
      assert.ok(keepAlive.type === "endpointKeepAlive");
      return says(server, {
        type: "endpointKeepAliveAck",
        poolHandle: POOL,
        elementId: keepAlive.elementId!,
      });
    }));
  }
  assert.ok(bench.registrar.statistics.unreachableReports >= 5000);
  assert.ok(bench.registrar.handlespace.elementCount >= ELEMENT_IDS.length - 4);
});

Deno.test("Registrar is closed to nobody's user when one host takes all the associations it can get", () => {
  const bench = new FloodBench();
  for (let n = 0; n < 6000; n++) bench.up("10.6.6.6");
  const user = bench.up("10.1.1.7");
  const [answer] = bench.answerTo(user, [says(user, { type: "handleResolution", poolHandle: POOL })]);
  assert.equal(answer.type, "handleResolutionResponse");
  assert.equal(bench.registrar.associationCount, 5001);
  assert.ok(bench.reports.filter(({ type }) => type === "limit").length === 1);
});

Deno.test("Registrar asks few elements for a sign of life at a time, however many are due, and all in the end", () => {
  const harness = new RegistrarHarness({ maxElementsPerAssociation: 1000 }), association = harness.up();
  for (let id = 1; id <= 300; id++) harness.register(association, element(id));
  const asked = new Set<number>(), now = 6000; // all of them are due since 5000
  for (let due = harness.registrar.nextTimeout(); due! <= now; due = harness.registrar.nextTimeout()) {
    harness.registrar.tick(now);
    const sent = harness.registrar.drain().flatMap((effect) =>
      effect.type === "transport" && effect.command.type === "send" ? [readAsap(effect.command.data)] : []
    );
    assert.ok(sent.length > 0 && sent.length <= SUPERVISED_PER_TICK, `${sent.length} at once`);
    for (const message of sent) if (message.type === "endpointKeepAlive") asked.add(message.elementId!);
  }
  assert.equal(asked.size, 300);
});
