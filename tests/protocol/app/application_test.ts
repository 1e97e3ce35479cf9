import assert from "node:assert/strict";
import { ApplicationMachine } from "../../../protocol/app/application.ts";
import type { Application, ApplicationOutlet, Sessions } from "../../../protocol/app/application.ts";
import { Outbox } from "../../../protocol/machine.ts";
import type { Instant } from "../../../protocol/net.ts";
import type { ServiceHostInput, SessionEvent } from "../../../protocol/session/types.ts";
import { opened } from "./outlet.ts";

type SessionsEffect = ReturnType<Sessions["drain"]>[number];

/** A session layer that writes down what it is told, and says what the test wants. */
class FakeSessions implements Sessions {
  readonly outbox = new Outbox<SessionsEffect>();
  readonly diary: string[];
  timeout: Instant | undefined;
  /** What follows from an input. */
  onInput: ((input: ServiceHostInput) => void) | undefined;

  constructor(diary: string[]) {
    this.diary = diary;
  }

  handle(input: ServiceHostInput, now: Instant): void {
    this.diary.push(`${now} sessions: ${input.type}`);
    this.onInput?.(input);
  }

  tick(now: Instant): void {
    this.diary.push(`${now} sessions: tick`);
  }

  nextTimeout(): Instant | undefined {
    return this.timeout;
  }

  drain(): SessionsEffect[] {
    return this.outbox.drain();
  }
}

type OwnInput = { readonly type: "wish" };
type OwnEffect = { readonly type: "deed" };
type OwnReport = { readonly type: "saidSo" };

/** An application that writes down what it is told. */
class Diarist implements Application<OwnInput> {
  readonly outlet: ApplicationOutlet<OwnEffect, OwnReport>;
  readonly diary: string[];
  timeout: Instant | undefined;
  onEvent: ((event: SessionEvent) => void) | undefined;

  constructor(outlet: ApplicationOutlet<OwnEffect, OwnReport>, diary: string[]) {
    this.outlet = outlet;
    this.diary = diary;
  }

  start(now: Instant): void {
    this.diary.push(`${now} application: start`);
  }

  stop(now: Instant): void {
    this.diary.push(`${now} application: stop`);
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    this.diary.push(`${now} application: ${event.type}`);
    this.onEvent?.(event);
  }

  input(input: OwnInput, now: Instant): void {
    this.diary.push(`${now} application: ${input.type}`);
    this.outlet.effect({ type: "deed" });
    this.outlet.report({ type: "saidSo" });
  }

  tick(now: Instant): void {
    this.diary.push(`${now} application: tick`);
    this.outlet.command({ type: "closeSession", session: 1, how: "abort" });
  }

  nextTimeout(): Instant | undefined {
    return this.timeout;
  }
}

function make() {
  const diary: string[] = [];
  const sessions = new FakeSessions(diary);
  let application: Diarist | undefined;
  const machine = new ApplicationMachine<OwnInput, OwnEffect, OwnReport>(sessions, (outlet) => {
    return application = new Diarist(outlet, diary);
  });
  assert.ok(application !== undefined);
  return { diary, sessions, application, machine };
}

Deno.test("ApplicationMachine starts its sessions first, and lets the application speak before they stop", () => {
  const { machine, diary } = make();
  machine.handle({ type: "start" }, 3);
  machine.handle({ type: "stop" }, 9);
  assert.deepEqual(diary, [
    "3 sessions: start",
    "3 application: start",
    "9 application: stop",
    "9 sessions: stop",
  ]);
});

Deno.test("ApplicationMachine gives the network to the sessions and wishes to the application", () => {
  const { machine, diary } = make();
  machine.handle({ type: "endpointOpened", endpoint: "data", port: 1, addresses: [] }, 1);
  machine.handle({
    type: "datagram",
    channel: "c",
    source: { address: "10.1.0.1", port: 1 },
    data: new Uint8Array(),
  }, 2);
  machine.handle({ type: "transport", endpoint: "data", event: { type: "blocked", association: 1 } }, 3);
  machine.handle({ type: "wish" }, 4);
  assert.deepEqual(diary, [
    "1 sessions: endpointOpened",
    "2 sessions: datagram",
    "3 sessions: transport",
    "4 application: wish",
  ]);
  assert.deepEqual(machine.drain(), [{ type: "deed" }, { type: "report", report: { type: "saidSo" } }]);
});

Deno.test("ApplicationMachine keeps the events of sessions for the application, until neither asks for more", () => {
  const { machine, sessions, application, diary } = make();
  sessions.onInput = (input) => {
    if (input.type === "start") sessions.outbox.push(opened());
    else if (input.type === "closeSession") {
      sessions.outbox.push({ type: "sessionClosed", session: 1, reason: "closed" });
      sessions.outbox.push({ type: "stopped" });
    }
  };
  application.onEvent = ({ type, session }) => {
    if (type === "sessionOpened") {
      application.outlet.command({ type: "closeSession", session, how: "shutdown" });
    }
  };
  machine.handle({ type: "start" }, 5);
  assert.deepEqual(diary.slice(2), [
    "5 application: sessionOpened",
    "5 sessions: closeSession",
    "5 application: sessionClosed",
  ]);
  assert.deepEqual(machine.drain(), [{ type: "stopped" }]);
});

Deno.test("ApplicationMachine runs what is due of both, the sessions first, and commands carry the time of the call", () => {
  const { machine, sessions, application, diary } = make();
  assert.equal(machine.nextTimeout(), undefined);
  sessions.timeout = 20;
  assert.equal(machine.nextTimeout(), 20);
  application.timeout = 10;
  assert.equal(machine.nextTimeout(), 10);
  machine.tick(10);
  assert.deepEqual(diary, ["10 sessions: tick", "10 application: tick", "10 sessions: closeSession"]);
});
