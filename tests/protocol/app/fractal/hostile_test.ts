/** Whatever a peer sends, the machines neither throw nor compute outside the image. */
import assert from "node:assert/strict";
import { FractalClient } from "../../../../protocol/app/fractal/client.ts";
import { writeFractalCookie } from "../../../../protocol/app/fractal/cookie.ts";
import { writeFractal } from "../../../../protocol/app/fractal/messages.ts";
import { FractalServer } from "../../../../protocol/app/fractal/server.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type {
  ServiceHostEffect,
  ServiceHostInput,
  SessionClientEffect,
  SessionClientInput,
} from "../../../../protocol/session/types.ts";
import { IMAGE, ScriptedMachine } from "./fixture.ts";
import { fc } from "../../../properties.ts";

const VALID: readonly Uint8Array[] = [
  writeFractal(IMAGE),
  writeFractal({ type: "data", startX: 3, startY: 4, values: new Uint32Array(7) }),
  writeFractal({ type: "end" }),
  writeFractalCookie({ parameter: IMAGE, currentX: 5, currentY: 6 }),
];

/** Octets at random, and valid messages with some octets changed or the end cut off. */
const octets = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.tuple(
    fc.constantFrom(...VALID),
    fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }),
    fc.option(fc.nat(80)),
  ).map(([message, changes, length]) => {
    const changed = message.slice(0, length ?? message.length);
    for (const [at, value] of changes) if (at < changed.length) changed[at] = value;
    return changed;
  }),
);

Deno.test("FractalServer stands whatever comes, and computes only within the image", () => {
  const happening = fc.oneof(
    fc.record({ kind: fc.constant("message" as const), data: octets }),
    fc.record({ kind: fc.constant("cookie" as const), data: octets }),
    fc.record({
      kind: fc.constantFrom("open" as const, "close" as const, "blocked" as const, "writable" as const),
    }),
  );
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 30 }), (happenings) => {
      const host = new ScriptedMachine<ServiceHostInput, ServiceHostEffect>();
      const server = new FractalServer(host, { maxThreads: 2 });
      let session = 0, now = 0;
      for (const one of happenings) {
        now += 700;
        switch (one.kind) {
          case "open":
            host.emit({ type: "sessionOpened", session: ++session, peer: [], elementId: 1 });
            break;
          case "close":
            host.emit({ type: "sessionClosed", session, reason: "" });
            break;
          case "message":
            host.emit({
              type: "sessionMessage",
              session,
              ppid: Ppid.fractalGenerator,
              stream: 0,
              data: one.data,
            });
            break;
          case "cookie":
            host.emit({ type: "sessionCookie", session, cookie: one.data });
            break;
          case "blocked":
            host.emit({ type: "sessionBlocked", session });
            break;
          case "writable":
            host.emit({ type: "sessionWritable", session });
            break;
        }
        server.tick(now);
        for (const effect of server.drain()) {
          if (effect.type !== "compute") continue;
          const { first, count, parameter } = effect;
          assert.ok(count >= 1 && first >= 0 && first + count <= parameter.width * parameter.height);
          server.handle({ type: "computed", job: effect.job, values: new Uint32Array(count) }, now);
        }
        assert.ok(server.sessionCount <= 2);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("FractalClient stands whatever comes, and takes no point from outside a part", () => {
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 30 }), (messages) => {
      const sessions = new ScriptedMachine<SessionClientInput, SessionClientEffect>();
      const client = new FractalClient(sessions, { poolHandle: Uint8Array.of(1), prng: new Prng(1) });
      client.handle({ type: "image", parameter: IMAGE, sessions: 1 }, 0);
      sessions.emit({ type: "sessionOpened", session: 1, peer: [], elementId: 1 });
      for (const data of messages) {
        sessions.emit({ type: "sessionMessage", session: 1, ppid: Ppid.fractalGenerator, stream: 0, data });
      }
      client.tick(1);
      for (const effect of client.drain()) {
        if (effect.type !== "report" || effect.report.type !== "points") continue;
        const { x, y, values } = effect.report;
        assert.ok(x < IMAGE.width && y * IMAGE.width + x + values.length <= IMAGE.width * IMAGE.height);
      }
    }),
    { numRuns: 500 },
  );
});
