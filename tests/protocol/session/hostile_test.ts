import assert from "node:assert/strict";
import { writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { Machine } from "../../../protocol/machine.ts";
import type { TransportEvent } from "../../../protocol/net.ts";
import { ServiceHost, SessionClient } from "../../../protocol/session/mod.ts";
import { POOL, ROUND_ROBIN } from "./world.ts";

const element = {
  elementId: 7,
  homeRegistrarId: 1,
  registrationLifeMs: 1000,
  userTransport: { protocol: "sctp", port: 7, use: "data+control", addresses: ["10.1.1.7"] },
  policy: ROUND_ROBIN,
} as const;

const messages: readonly AsapMessage[] = [
  { type: "registrationResponse", poolHandle: POOL, elementId: 17, rejected: false },
  { type: "registrationResponse", poolHandle: POOL, elementId: 17, rejected: true },
  { type: "deregistrationResponse", poolHandle: POOL, elementId: 17 },
  { type: "handleResolutionResponse", poolHandle: POOL, policy: ROUND_ROBIN, elements: [element] },
  { type: "handleResolutionResponse", poolHandle: POOL, elements: [] },
  { type: "endpointKeepAlive", home: true, registrarId: 9, poolHandle: POOL, elementId: 17 },
  { type: "endpointKeepAlive", home: false, registrarId: 9, poolHandle: POOL },
  { type: "cookie", cookie: new Uint8Array(12) },
  { type: "cookieEcho", cookie: new Uint8Array(12) },
  { type: "businessCard", poolHandle: POOL, elements: [element, { ...element, elementId: 8 }] },
  { type: "error", error: [{ code: 3, data: new Uint8Array() }] },
];

/** Events in any order, of any association, with good and with broken messages: what a transport would never do, too. */
function torture(machine: Machine<never, { readonly type: string }>, seed: number): number {
  const random = new Prng(seed);
  const feed = machine as unknown as Machine<object, { readonly type: string }>;
  const originals = messages.map((message) => writeAsap(message));
  let effects = 0;
  for (const endpoint of ["hunt", "data", "data 2"]) {
    feed.handle({ type: "endpointOpened", endpoint, port: 5, addresses: ["10.1.1.1"] }, 0);
  }
  feed.handle({ type: "start" }, 0);
  for (let session = 1; session <= 3; session++) {
    feed.handle({ type: "openSession", session, poolHandle: POOL }, 0);
  }
  for (let now = 0; now < 400 * 50; now += 50) {
    const association = 1 + random.below(12);
    const request = random.chance(0.5) ? 1 + random.below(6) : undefined;
    const octets = originals[random.below(originals.length)]!.slice();
    if (random.chance(0.5)) octets[random.below(octets.length)] = random.u32() & 255;
    const events: TransportEvent[] = [
      {
        type: "up",
        association,
        request,
        peerAddresses: ["10.1.1.9"],
        peerPort: 9,
        outboundStreams: 1,
        inboundStreams: 1,
      },
      {
        type: "down",
        association,
        request,
        reason: "aborted",
        origin: "peer",
        cause: { code: 12, info: octets },
      },
      {
        type: "message",
        association,
        stream: 0,
        ssn: 0,
        tsn: 0,
        ppid: random.chance(0.8) ? 11 : 4711,
        unordered: false,
        data: octets,
      },
      { type: "restarted", association },
      { type: "peerShutdown", association },
      { type: "blocked", association },
      { type: "writable", association },
    ];
    const event = events[Math.min(random.below(20), events.length - 1) % events.length]!;
    const chosen = random.chance(0.6) ? events[2]! : event;
    feed.handle({ type: "transport", endpoint: random.chance(0.5) ? "hunt" : "data", event: chosen }, now);
    if (random.chance(0.1)) {
      const source = { address: "10.1.1.9", port: 1 + random.below(3) };
      const data = writeAsap({ type: "serverAnnounce", registrarId: 1 + random.below(3) });
      if (random.chance(0.3)) data[random.below(data.length)] = 0;
      feed.handle({ type: "datagram", channel: "asap-announce", source, data }, now);
    }
    if (random.chance(0.1)) {
      const session = 1 + random.below(3);
      feed.handle({ type: "failover", session, reportUnreachable: random.chance(0.5) }, now);
    }
    feed.tick(now);
    effects += feed.drain().length;
  }
  feed.handle({ type: "stop" }, 20_000);
  for (let at = feed.nextTimeout(); at !== undefined && at < 60_000; at = feed.nextTimeout()) {
    feed.tick(at);
    effects += feed.drain().length;
  }
  return effects;
}

Deno.test("ServiceHost never throws, whatever comes, and does not flood", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const host = new ServiceHost({ elementId: 17, poolHandle: POOL, policy: ROUND_ROBIN, seed });
    const effects = torture(host as unknown as Machine<never, { readonly type: string }>, seed);
    assert.ok(effects > 10 && effects < 5000, `seed ${seed}: ${effects} effects`);
  }
});

Deno.test("SessionClient never throws, whatever comes, and does not flood", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const client = new SessionClient({ seed });
    const effects = torture(client as unknown as Machine<never, { readonly type: string }>, seed);
    assert.ok(effects > 10 && effects < 5000, `seed ${seed}: ${effects} effects`);
  }
});
