import type { ApplicationOutlet } from "../../../protocol/app/application.ts";
import type { SessionCommand, SessionEvent, SessionLoss } from "../../../protocol/session/types.ts";

/** An outlet that keeps what an application says. */
export class RecordedOutlet<Effect, Report> implements ApplicationOutlet<Effect, Report> {
  readonly commands: SessionCommand[] = [];
  readonly effects: Effect[] = [];
  readonly reports: Report[] = [];

  command(command: SessionCommand): void {
    this.commands.push(command);
  }

  effect(effect: Effect): void {
    this.effects.push(effect);
  }

  report(report: Report): void {
    this.reports.push(report);
  }

  /** Takes the commands of a type out, in order. */
  take<Type extends SessionCommand["type"]>(type: Type): Extract<SessionCommand, { readonly type: Type }>[] {
    const taken = this.commands.filter((command) => command.type === type);
    const others = this.commands.filter((command) => command.type !== type);
    this.commands.splice(0, this.commands.length, ...others);
    return taken as Extract<SessionCommand, { readonly type: Type }>[];
  }
}

const PEER = [{ address: "10.1.0.9", port: 9 }] as const;

/** A session has come up. */
export function opened(session = 1, elementId = 7): SessionEvent {
  return { type: "sessionOpened", session, peer: PEER, elementId };
}

/** A message has come. */
export function message(
  data: Uint8Array,
  details: { session?: number; ppid?: number; stream?: number } = {},
): SessionEvent {
  return { type: "sessionMessage", session: 1, ppid: 0, stream: 0, ...details, data };
}

/** A session has ended. */
export function closed(session = 1): SessionEvent {
  return { type: "sessionClosed", session, reason: "shut down by the peer" };
}

/** The element of a pool user has gone, or another one is there. */
export function failover(
  state: "necessary" | "complete",
  details: { elementId?: number; hasCookie?: boolean; loss?: SessionLoss } = {},
): SessionEvent {
  const defaults = {
    elementId: 7,
    hasCookie: false,
    loss: state === "necessary" ? "silent" : undefined,
  } as const;
  return { type: "sessionFailover", session: 1, state, ...defaults, ...details, reason: "it died" };
}
