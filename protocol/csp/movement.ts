import type { Instant } from "../net.ts";
import { ComponentGroup, componentGroupOf, componentObjectOf } from "./component_id.ts";
import type { ComponentId } from "./component_id.ts";
import type { Component } from "./monitor.ts";

/** A session that ends and one that begins within this time are taken for one that moved. */
const SWIFT_MS = 2000;

/** A session whose element is gone may need so long to find another one: a user waits for elements that are started anew. */
const PATIENT_MS = 60_000;

/** Somebody went from one component to another. */
export interface Movement {
  readonly kind: "registrar" | "session";
  readonly component: ComponentId;
  readonly from: ComponentId;
  readonly to: ComponentId;
  /** Sessions; 1 for registrars. */
  readonly count: number;
  /** The former one is gone. */
  readonly isForced: boolean;
}

interface Loss {
  readonly element: ComponentId;
  readonly at: Instant;
  count: number;
}

interface Contacts {
  /** The registrar it had last. */
  registrar: ComponentId | undefined;
  /** Sessions by element. */
  sessions: ReadonlyMap<ComponentId, number>;
  /** Sessions that ended and may go on elsewhere. */
  losses: Loss[];
}

/**
 * Finds out from the associations of components who went from whom to whom. Reports tell what is, not why: a session that
 * ends here and begins there within two seconds is one that moved, and one whose element is gone has a minute for it.
 */
export class Movements {
  readonly #contacts = new Map<ComponentId, Contacts>();

  /**
   * Looks at a component.
   *
   * @param isGone whether a component that the contact was with is gone, since that instant
   * @returns what has changed since the last look
   */
  observe(
    component: Component,
    now: Instant,
    isGone: (id: ComponentId, since: Instant) => boolean,
  ): Movement[] {
    const group = componentGroupOf(component.id);
    if (group !== ComponentGroup.element && group !== ComponentGroup.user) return [];
    const registrar = registrarOf(component), sessions = sessionsOf(component);
    const before = this.#contacts.get(component.id);
    if (before === undefined) {
      this.#contacts.set(component.id, { registrar, sessions, losses: [] });
      return [];
    }
    const found = group === ComponentGroup.user
      ? moveSessions(before, component.id, sessions, now, isGone)
      : [];
    const { registrar: former } = before;
    if (registrar !== undefined && registrar !== former) {
      before.registrar = registrar;
      if (former !== undefined) {
        const ends = { from: former, to: registrar, isForced: isGone(former, now) };
        found.push({ kind: "registrar", component: component.id, ...ends, count: 1 });
      }
    }
    return found;
  }

  /** A component is gone. */
  forget(id: ComponentId): void {
    this.#contacts.delete(id);
  }
}

function moveSessions(
  contacts: Contacts,
  component: ComponentId,
  sessions: ReadonlyMap<ComponentId, number>,
  now: Instant,
  isGone: (id: ComponentId, since: Instant) => boolean,
): Movement[] {
  const { sessions: before } = contacts;
  contacts.sessions = sessions;
  let losses = contacts.losses.filter(({ element, at }) =>
    now - at <= (isGone(element, at) ? PATIENT_MS : SWIFT_MS)
  );
  for (const [element, count] of before) {
    const lost = count - (sessions.get(element) ?? 0);
    if (lost > 0) losses.push({ element, at: now, count: lost });
  }
  const found: Movement[] = [];
  for (const [to, count] of sessions) {
    let gained = count - (before.get(to) ?? 0);
    for (const loss of losses) {
      if (gained <= 0) break;
      const moved = Math.min(gained, loss.count), from = loss.element;
      gained -= moved;
      loss.count -= moved;
      // A session that comes back to its element was just interrupted.
      if (moved === 0 || from === to) continue;
      found.push({ kind: "session", component, from, to, count: moved, isForced: isGone(from, loss.at) });
    }
  }
  losses = losses.filter(({ count }) => count > 0);
  contacts.losses = losses;
  return found;
}

/** The registrar that a component has an association with; one whose ID is not known yet is none. */
function registrarOf({ report }: Component): ComponentId | undefined {
  return report.associations.find(({ receiver }) =>
    componentGroupOf(receiver) === ComponentGroup.registrar && componentObjectOf(receiver) !== 0n
  )?.receiver;
}

function sessionsOf({ report }: Component): ReadonlyMap<ComponentId, number> {
  const sessions = new Map<ComponentId, number>();
  for (const { receiver } of report.associations) {
    if (componentGroupOf(receiver) !== ComponentGroup.element) continue;
    sessions.set(receiver, (sessions.get(receiver) ?? 0) + 1);
  }
  return sessions;
}
