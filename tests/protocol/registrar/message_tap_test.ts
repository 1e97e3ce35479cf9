import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import { writeEnrp } from "../../../protocol/enrp/mod.ts";
import { Ppid } from "../../../protocol/net.ts";
import type { TransportEvent } from "../../../protocol/net.ts";
import { operationError } from "../../../protocol/param/operation_error.ts";
import { messageReport, MessageTap } from "../../../protocol/registrar/message_tap.ts";
import { SERVED_AT_ONCE } from "../../../protocol/registrar/reception.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type { RegistrarEffect, RegistrarInput } from "../../../protocol/registrar/mod.ts";
import { element, POOL, REGISTRAR_ID, ROUND_ROBIN } from "./harness.ts";

const passage = { direction: "receive", multicast: false, association: 7 } as const;

function transport(event: TransportEvent): RegistrarInput {
  return { type: "transport", endpoint: "asap", event };
}

function message(data: Uint8Array, ppid: Ppid): TransportEvent {
  return { type: "message", association: 7, stream: 0, ssn: 0, tsn: 0, ppid, unordered: false, data };
}

function started(): MessageTap {
  const tap = new MessageTap(new Registrar({ registrarId: REGISTRAR_ID, seed: 1 }), REGISTRAR_ID);
  for (const endpoint of ["asap", "enrp"]) {
    tap.handle({ type: "endpointOpened", endpoint, port: 3863, addresses: ["10.1.1.254"] }, 0);
  }
  tap.handle({ type: "start" }, 0);
  tap.handle(
    transport({
      type: "up",
      association: 7,
      request: undefined,
      peerAddresses: ["10.1.1.1"],
      peerPort: 40_000,
      outboundStreams: 1,
      inboundStreams: 1,
    }),
    0,
  );
  tap.drain();
  return tap;
}

const told = (effects: RegistrarEffect[]) =>
  effects.flatMap((effect) =>
    effect.type === "report" && effect.report.type === "message" ? [effect.report] : []
  );

Deno.test("MessageTap tells what comes in before what it causes, and what leaves before it leaves", () => {
  const tap = started();
  const data = writeAsap({ type: "registration", poolHandle: POOL, element: element(0x11) });
  tap.handle(transport(message(data, Ppid.asap)), 1);
  const effects = tap.drain();
  const order = effects.map((effect) => {
    if (effect.type === "report") {
      return effect.report.type === "message"
        ? `${effect.report.direction} ${effect.report.message}`
        : effect.report.type;
    }
    return effect.type;
  }).filter((name) => name !== "measureRoundTrip");
  assert.deepEqual(order.slice(0, 4), [
    "receive registration",
    "send registrationResponse",
    "transport",
    "registered",
  ]);
  const [received] = told(effects);
  assert.deepEqual(received?.poolHandle, POOL);
  assert.equal(received?.elementId, 0x11);
  assert.equal(received?.association, 7);
});

Deno.test("MessageTap leaves the end of a batch to its driver: a flood waits for its turn as without a tap", () => {
  const tap = started();
  const data = writeAsap({ type: "handleResolution", poolHandle: POOL });
  const answers = () => told(tap.drain()).filter(({ direction }) => direction === "send").length;
  for (let n = 0; n < 2 * SERVED_AT_ONCE; n++) tap.handle(transport(message(data, Ppid.asap)), 1);
  assert.equal(tap.nextTimeout(), 1);
  assert.equal(answers(), SERVED_AT_ONCE);
  tap.tick(1);
  assert.equal(answers(), SERVED_AT_ONCE);
});

Deno.test("MessageTap tells of announces and of presences in the group", () => {
  const tap = started();
  for (let now = 0; now <= 10_000; now += 500) tap.tick(now); // announces wait for the end of the start phase
  const announce = told(tap.drain()).find(({ message }) => message === "serverAnnounce");
  assert.deepEqual([announce?.multicast, announce?.direction, announce?.senderId], [
    true,
    "send",
    REGISTRAR_ID,
  ]);
  const hear = (senderId: number, now: number) => {
    const data = writeEnrp({ type: "presence", senderId, receiverId: 0, replyRequired: false, checksum: 0 });
    tap.handle({
      type: "datagram",
      channel: "enrp-presence",
      source: { address: "10.1.1.2", port: 9901 },
      data,
    }, now);
    return told(tap.drain()).filter(({ direction }) => direction === "receive");
  };
  const [heard] = hear(0x2222, 10_001);
  assert.deepEqual([heard?.protocol, heard?.multicast, heard?.senderId], ["enrp", true, 0x2222]);
  assert.deepEqual(hear(REGISTRAR_ID, 10_002), [], "its own presence comes back to it");
});

Deno.test("MessageTap says nothing of what cannot be read, and of other protocols", () => {
  const tap = started();
  tap.handle(transport(message(Uint8Array.of(1, 0, 0), Ppid.asap)), 1);
  tap.handle(transport(message(Uint8Array.of(1, 0, 0, 4), 32 as Ppid)), 1);
  assert.deepEqual(told(tap.drain()).filter(({ direction }) => direction === "receive"), []);
});

Deno.test("messageReport() has flags, counts, IDs and causes of each kind of message", () => {
  const asap = (data: Uint8Array) => messageReport(Ppid.asap, data, passage);
  const enrp = (data: Uint8Array) => messageReport(Ppid.enrp, data, passage);
  const response = asap(writeAsap({
    type: "handleResolutionResponse",
    poolHandle: POOL,
    policy: ROUND_ROBIN,
    elements: [element(5), element(6)],
  }));
  assert.deepEqual([response?.count, response?.elementId], [2, 5]);
  const rejected = asap(writeAsap({
    type: "registrationResponse",
    rejected: true,
    poolHandle: POOL,
    elementId: 5,
    error: operationError(5),
  }));
  assert.deepEqual([rejected?.flags, rejected?.causeCode], [1, 5]);
  assert.equal(asap(writeAsap({ type: "handleResolution", poolHandle: POOL, items: 9 }))?.count, 9);
  const ids = { senderId: 1, receiverId: 2 };
  const update = enrp(
    writeEnrp({ type: "handleUpdate", ...ids, action: "delete", poolHandle: POOL, element: owned(7) }),
  );
  assert.deepEqual([update?.update, update?.elementId, update?.senderId, update?.receiverId], [
    "delete",
    7,
    1,
    2,
  ]);
  const takeover = enrp(writeEnrp({ type: "initTakeover", ...ids, targetId: 3 }));
  assert.equal(takeover?.targetId, 3);
  const table = enrp(writeEnrp({
    type: "handleTableResponse",
    ...ids,
    rejected: false,
    more: true,
    pools: [{ poolHandle: POOL, elements: [owned(1), owned(2), owned(3)] }],
  }));
  assert.deepEqual([table?.flags, table?.count], [2, 3]);
});

function owned(elementId: number) {
  return element(elementId, {
    homeRegistrarId: 1,
    asapTransport: { protocol: "sctp", port: 40_000, use: "data", addresses: ["10.1.1.1"] },
  });
}
