import { earliest, Outbox } from "../machine.ts";
import type { Machine } from "../machine.ts";
import type { EndpointOpened, Instant, NetworkEffect, NetworkInput } from "../net.ts";
import { isSessionEvent } from "../session/types.ts";
import type {
  LifecycleInput,
  ServiceHostInput,
  SessionCommand,
  SessionEvent,
  SessionReport,
} from "../session/types.ts";

/**
 * The form that all applications on top of the session layer have, at pool elements and at pool users.
 *
 * Theory of operation: an {@linkcode Application} knows sessions and nothing below them. The
 * {@linkcode ApplicationMachine} joins it to a service host or a session client and makes one machine of the two: what
 * comes from the network goes to the session layer first, whose events go to the application; what the application asks
 * of its sessions goes back at once, and everything else becomes an effect of the machine.
 */

/** What the session layer is to an application: a service host or a session client. */
export type Sessions = Machine<
  ServiceHostInput,
  | NetworkEffect
  | SessionEvent
  | { readonly type: "report"; readonly report: SessionReport }
  | { readonly type: "stopped" }
>;

/** Where an application speaks. Valid during a call of the application only as far as time is concerned: it is `now`. */
export interface ApplicationOutlet<OwnEffect, OwnReport> {
  /** Asks something of the sessions. Events that follow from it come after the present call. */
  command(command: SessionCommand): void;
  /** Asks something of the driver. */
  effect(effect: OwnEffect): void;
  /** Says what is worth a log line. */
  report(report: OwnReport): void;
}

/** What an application does with its sessions. */
export interface Application<OwnInput> {
  /** The session layer starts. A pool user may open its sessions from now on. */
  start?(now: Instant): void;
  /** Something happened to a session. */
  sessionEvent(event: SessionEvent, now: Instant): void;
  /** The driver answers an effect of the application's own, or has a wish. */
  input?(input: OwnInput, now: Instant): void;
  /** The session layer is about to stop: the last chance to say something to the sessions. */
  stop?(now: Instant): void;
  /** Runs what is due. Extra calls are harmless. */
  tick?(now: Instant): void;
  /** When `tick` has something to do; undefined = never. */
  nextTimeout?(): Instant | undefined;
}

/** What an application's machine takes. */
export type ApplicationInput<OwnInput> = NetworkInput | EndpointOpened | LifecycleInput | OwnInput;

/** What an application's machine asks for. `stopped` is its last effect. */
export type ApplicationEffect<OwnEffect, OwnReport> =
  | NetworkEffect
  | OwnEffect
  | { readonly type: "report"; readonly report: OwnReport | SessionReport }
  | { readonly type: "stopped" };

/**
 * An application and its session layer as one machine.
 *
 * @example A service that answers each message with its length
 * ```ts
 * import { ApplicationMachine, encodeText, Ppid, ServiceHost } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const host = new ServiceHost({
 *   elementId: 1,
 *   poolHandle: encodeText("LengthPool"),
 *   policy: { name: "RoundRobin", type: 1 },
 *   seed: 1,
 * });
 * const machine = new ApplicationMachine(host, (outlet) => ({
 *   sessionEvent(event) {
 *     if (event.type !== "sessionMessage") return;
 *     const data = encodeText(String(event.data.length));
 *     outlet.command({ type: "send", session: event.session, ppid: Ppid.none, data });
 *   },
 * }));
 * assert.deepEqual(machine.drain(), [], "nothing happens before its endpoints are open");
 * ```
 */
export class ApplicationMachine<
  OwnInput extends { readonly type: string } = never,
  OwnEffect extends { readonly type: string } = never,
  OwnReport extends { readonly type: string } = never,
> implements Machine<ApplicationInput<OwnInput>, ApplicationEffect<OwnEffect, OwnReport>> {
  readonly #sessions: Sessions;
  readonly #application: Application<OwnInput>;
  readonly #outbox = new Outbox<ApplicationEffect<OwnEffect, OwnReport>>();
  #now: Instant = 0;

  /**
   * Joins the two.
   *
   * @param sessions a service host or a session client; only this machine talks to it
   * @param make makes the application, which keeps the outlet
   */
  constructor(
    sessions: Sessions,
    make: (outlet: ApplicationOutlet<OwnEffect, OwnReport>) => Application<OwnInput>,
  ) {
    this.#sessions = sessions;
    this.#application = make({
      command: (command) => this.#sessions.handle(command, this.#now),
      effect: (effect) => this.#outbox.push(effect),
      report: (report) => this.#outbox.push({ type: "report", report }),
    });
  }

  handle(input: ApplicationInput<OwnInput>, now: Instant): void {
    this.#now = now;
    if (isForSessions(input)) {
      if (input.type === "stop") this.#application.stop?.(now);
      this.#sessions.handle(input, now);
      if (input.type === "start") this.#application.start?.(now);
    } else {
      this.#application.input?.(input, now);
    }
    this.#pump(now);
  }

  tick(now: Instant): void {
    this.#now = now;
    this.#sessions.tick(now);
    this.#pump(now);
    this.#application.tick?.(now);
    this.#pump(now);
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#sessions.nextTimeout(), this.#application.nextTimeout?.());
  }

  drain(): ApplicationEffect<OwnEffect, OwnReport>[] {
    return this.#outbox.drain();
  }

  /** Hands the session layer's effects on and its events to the application, until neither asks for anything more. */
  #pump(now: Instant): void {
    for (let effects = this.#sessions.drain(); effects.length > 0; effects = this.#sessions.drain()) {
      for (const effect of effects) {
        if (isSessionEvent(effect)) this.#application.sessionEvent(effect, now);
        else this.#outbox.push(effect);
      }
    }
  }
}

/** Whether an input is the session layer's; the type of no application's own input may be one of these. */
function isForSessions<OwnInput extends { readonly type: string }>(
  input: ApplicationInput<OwnInput>,
): input is NetworkInput | EndpointOpened | LifecycleInput {
  switch (input.type) {
    case "transport":
    case "datagram":
    case "endpointOpened":
    case "start":
    case "stop":
      return true;
    default:
      return false;
  }
}
