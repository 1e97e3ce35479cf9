import assert from "node:assert/strict";
import { readAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { PoolMembership } from "../../../protocol/element/membership.ts";
import type { MembershipEffect, MembershipOptions } from "../../../protocol/element/membership.ts";
import type { ElementReport } from "../../../protocol/element/report.ts";
import { Outbox, Prng } from "../../../protocol/machine.ts";
import type { TransportCommand, TransportEvent } from "../../../protocol/net.ts";
import { down, message, up } from "../user/harness.ts";

const POOL = Uint8Array.of(65, 66);
const ID = 0x11223344;
const ADDRESSES = ["127.0.0.1", "10.1.1.1", "fe80::1%2", "fd00::1"];

class Member {
  readonly outbox: Outbox<MembershipEffect> = new Outbox();
  readonly membership: PoolMembership;
  readonly reports: ElementReport[] = [];
  now = 0;

  constructor(options: Partial<MembershipOptions> = {}) {
    this.membership = new PoolMembership(
      "hunt",
      "announces",
      {
        elementId: ID,
        poolHandle: POOL,
        policy: { name: "RoundRobin", type: 1 },
        hunt: { registrars: [[{ address: "10.1.1.9", port: 3863 }]] },
        ...options,
      },
      this.outbox,
      new Prng(1),
    );
    this.membership.start(4711, ADDRESSES, 0);
    this.took();
  }

  /** The messages that were sent since the last call, and the other commands. */
  took(): { messages: AsapMessage[]; commands: TransportCommand[] } {
    const messages: AsapMessage[] = [];
    const commands: TransportCommand[] = [];
    for (const effect of this.outbox.drain()) {
      if (effect.type === "report") this.reports.push(effect.report);
      else if (effect.type === "transport" && effect.command.type === "send") {
        messages.push(readAsap(effect.command.data));
      } else if (effect.type === "transport") commands.push(effect.command);
    }
    return { messages, commands };
  }

  event(event: TransportEvent): void {
    this.membership.handle({ type: "transport", endpoint: "hunt", event }, this.now);
  }

  respond(association: number, rejectedBy?: number): void {
    const error = rejectedBy === undefined ? undefined : [{ code: rejectedBy, data: new Uint8Array() }];
    this.event(message(association, {
      type: "registrationResponse",
      poolHandle: POOL,
      elementId: ID,
      rejected: rejectedBy !== undefined,
      error,
    }));
  }

  tick(now: number): void {
    this.now = now;
    this.membership.tick(now);
  }
}

function joined(options: Partial<MembershipOptions> = {}): Member {
  const member = new Member(options);
  member.event(up(7, 1, "10.1.1.9"));
  member.took();
  member.respond(7);
  member.took();
  assert.equal(member.membership.state, "member");
  return member;
}

Deno.test("PoolMembership registers with three intervals of life and addresses that mean something elsewhere", () => {
  const member = new Member();
  member.event(up(7, 1, "10.1.1.9"));
  const [registration] = member.took().messages;
  assert.ok(registration?.type === "registration");
  assert.deepEqual(registration.element, {
    elementId: ID,
    homeRegistrarId: 0,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 4711, use: "data+control", addresses: ["10.1.1.1", "fd00::1"] },
    policy: { name: "RoundRobin", type: 1 },
  });
});

Deno.test("PoolMembership offers loopback addresses to a registrar on the same machine", () => {
  const member = new Member();
  member.event(up(7, 1, "10.1.1.1", "127.0.0.1"));
  const [registration] = member.took().messages;
  assert.ok(registration?.type === "registration");
  assert.deepEqual(registration.element.userTransport.addresses, ["127.0.0.1", "10.1.1.1", "fd00::1"]);
});

Deno.test("PoolMembership answers keep-alives, with and without its ID, and no others", () => {
  const member = joined();
  const keepAlive = (fields: object) => {
    const asap = {
      type: "endpointKeepAlive",
      home: false,
      registrarId: 0x2222,
      poolHandle: POOL,
      ...fields,
    } as const;
    member.event(message(7, asap));
    return member.took().messages;
  };
  const ack = { type: "endpointKeepAliveAck", poolHandle: POOL, elementId: ID };
  assert.deepEqual(keepAlive({ elementId: ID }), [ack]);
  assert.deepEqual(keepAlive({}), [ack], "RFC 5352 names no element");
  assert.deepEqual(keepAlive({ elementId: ID + 1 }), []);
  assert.deepEqual(keepAlive({ poolHandle: Uint8Array.of(1) }), []);
  member.tick(30_000);
  const [registration] = member.took().messages;
  assert.ok(registration?.type === "registration");
  assert.equal(
    registration.element.homeRegistrarId,
    0x2222,
    "the registrar's ID is known from its keep-alive",
  );
});

Deno.test("PoolMembership goes over to a registrar that took over, and answers it", () => {
  const member = joined();
  member.event(up(9, undefined, "10.1.1.8"));
  member.event(message(9, { type: "endpointKeepAlive", home: true, registrarId: 0x3333, poolHandle: POOL }));
  const { messages, commands } = member.took();
  assert.deepEqual(messages, [{ type: "endpointKeepAliveAck", poolHandle: POOL, elementId: ID }]);
  assert.deepEqual(commands.map(({ type }) => type), ["abort"]);
  member.event(down(7, 1));
  assert.equal(member.membership.state, "member");
  member.tick(30_000);
  const [registration] = member.took().messages;
  assert.ok(registration?.type === "registration");
  assert.equal(registration.element.homeRegistrarId, 0x3333);
});

Deno.test("PoolMembership takes an ASAP error for a refusal, as RSPLIB's registrar refuses some things", () => {
  const member = new Member();
  member.event(up(7, 1, "10.1.1.9"));
  member.event(message(7, { type: "error", error: [{ code: 0x100b, data: new Uint8Array() }] }));
  member.took();
  const refused = member.reports.at(-1);
  assert.ok(refused?.type === "registrationRefused");
  assert.equal(refused.causeCode, 0x100b);
  assert.match(refused.reason, /unsupported policy/);
  assert.equal(refused.retryMs, 1000);
  member.tick(1000);
  assert.deepEqual(member.took().messages.map(({ type }) => type), ["registration"]);
});

Deno.test("PoolMembership registers a load that changed by a percent at once, one registration at a time", () => {
  const member = joined({ policy: { name: "LeastUsed", type: 0x40000001, load: 0 } });
  const loads = () =>
    member.took().messages.map((sent) =>
      sent.type === "registration" && sent.element.policy.name === "LeastUsed" ? sent.element.policy.load : -1
    );
  member.membership.setLoad(0.009, 0);
  assert.deepEqual(loads(), []);
  member.membership.setLoad(0.25, 0);
  assert.deepEqual(loads(), [0x40000000]);
  member.membership.setLoad(0.5, 0);
  member.membership.setLoad(2, 0);
  assert.deepEqual(loads(), [], "one is under way");
  member.respond(7);
  assert.deepEqual(loads(), [0xffffffff]);
});

Deno.test("PoolMembership without an adaptive policy has no load", () => {
  const member = joined();
  member.membership.setLoad(0.5, 0);
  assert.deepEqual(member.took().messages, []);
});

Deno.test("PoolMembership leaves: confirmed, unanswered, or without a registrar", () => {
  const confirmed = joined();
  confirmed.membership.stop(0);
  assert.deepEqual(confirmed.took().messages.map(({ type }) => type), ["deregistration"]);
  assert.equal(confirmed.membership.state, "leaving");
  confirmed.event(message(7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ID }));
  assert.equal(confirmed.membership.state, "left");

  const unanswered = joined();
  unanswered.membership.stop(0);
  unanswered.tick(3000);
  assert.equal(unanswered.membership.state, "left");

  const alone = joined();
  alone.event(down(7, 1));
  alone.membership.stop(0);
  assert.equal(alone.membership.state, "left");

  for (const [member, expected] of [[confirmed, true], [unanswered, false], [alone, false]] as const) {
    member.took();
    const report = member.reports.at(-1);
    assert.ok(report?.type === "deregistered");
    assert.equal(report.confirmed, expected);
    assert.equal(member.membership.nextTimeout(), undefined);
  }
});

Deno.test("PoolMembership that never was a member does not say that it has left", () => {
  const hunting = new Member();
  const refused = new Member();
  refused.event(up(7, 1, "10.1.1.9"));
  refused.respond(7, 0x100b);
  const waiting = new Member();
  waiting.event(up(7, 1, "10.1.1.9")); // its registration is not answered before it stops
  for (const member of [hunting, refused, waiting]) member.membership.stop(0);
  waiting.respond(7, 0x100b);
  waiting.event(message(7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ID }));
  for (const member of [hunting, refused, waiting]) {
    member.took();
    assert.equal(member.membership.state, "left");
    assert.ok(!member.reports.some(({ type }) => type === "deregistered"));
  }
});

Deno.test("PoolMembership that was registered just before it left says that it has left", () => {
  const member = new Member();
  member.event(up(7, 1, "10.1.1.9"));
  member.membership.stop(0);
  member.respond(7);
  assert.equal(member.membership.state, "leaving");
  member.event(message(7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ID }));
  member.took();
  const report = member.reports.at(-1);
  assert.ok(report?.type === "deregistered" && report.confirmed);
});

Deno.test("PoolMembership does not take a refused deregistration for a confirmation", () => {
  const member = joined();
  member.membership.stop(0);
  const error = [{ code: 0xa, data: new Uint8Array() }];
  member.event(message(7, { type: "deregistrationResponse", poolHandle: POOL, elementId: ID, error }));
  member.took();
  const report = member.reports.at(-1);
  assert.ok(report?.type === "deregistered" && !report.confirmed);
});

Deno.test("PoolMembership that gave up stays refused", () => {
  const member = new Member({ retryRefused: false });
  member.event(up(7, 1, "10.1.1.9"));
  member.respond(7, 0x100b);
  assert.equal(member.membership.state, "refused");
  member.membership.stop(0);
  assert.equal(member.membership.state, "refused");
});

Deno.test("PoolMembership that retries afterwards gives a first registration up, and none that follows one", () => {
  const stranger = new Member({ retryRefused: "afterwards" });
  stranger.event(up(7, 1, "10.1.1.9"));
  stranger.respond(7, 0x0007);
  assert.equal(stranger.membership.state, "refused");

  const member = joined({ retryRefused: "afterwards" });
  member.event(down(7, 1));
  member.tick(1000);
  member.event(up(8, 2, "10.1.1.9"));
  member.took();
  member.respond(8, 0x0007);
  assert.equal(member.membership.state, "joining");
  member.tick(2000);
  assert.deepEqual(member.took().messages.map(({ type }) => type), ["registration"]);
});

Deno.test("PoolMembership has a life that the field can hold, however rarely it registers", () => {
  const member = new Member({ reregistrationIntervalMs: 1_000_000_000 });
  member.event(up(7, 1, "10.1.1.9"));
  const [registration] = member.took().messages;
  assert.ok(registration?.type === "registration");
  assert.equal(registration.element.registrationLifeMs, 0x7fffffff);
});

Deno.test("PoolMembership gives its registrar as long to answer as it is told", () => {
  const member = new Member({ responseTimeoutMs: 400 });
  member.event(up(7, 1, "10.1.1.9"));
  member.took();
  member.tick(399);
  assert.deepEqual(member.took().commands, []);
  member.tick(400);
  assert.deepEqual(member.took().commands.map(({ type }) => type), ["abort"]);
});

Deno.test("PoolMembership registers anew when a registrar is found after a loss", () => {
  const member = joined();
  member.event(down(7, 1));
  member.tick(500);
  assert.deepEqual(member.took().commands.map(({ type }) => type), ["connect"]);
  member.event(up(8, 2, "10.1.1.9"));
  assert.deepEqual(member.took().messages.map(({ type }) => type), ["registration"]);
  member.respond(8);
  member.took();
  const report = member.reports.at(-1);
  assert.ok(report?.type === "registered" && !report.again);
});
