import { ComponentGroup, componentGroupOf } from "./component_id.ts";
import type { ComponentReport } from "./report.ts";

/** `2 Sessions`; the project's own elements say whose: `2 Sessions in EchoPool`. */
const SESSIONS = /^(\d{1,6}) Sessions?(?: in (.+))?$/;

/** `3[2] PEs in 1 Pool, 1 Peer` */
const REGISTRAR = /^(\d{1,9})\[(\d{1,9})\] PEs in (\d{1,9}) Pools?, (\d{1,9}) Peers?$/;

/** What a registrar says of its handlespace. */
export interface HandlespaceCounts {
  readonly elements: number;
  /** Those that it is the home of. */
  readonly ownElements: number;
  readonly pools: number;
  readonly peers: number;
}

/**
 * The sessions of an element or a user. An element says in words how many it has; a user has one for each association
 * with an element, whatever it says.
 *
 * @returns undefined = nothing is known of sessions
 */
export function sessionCountOf({ sender, status, associations }: ComponentReport): number | undefined {
  switch (componentGroupOf(sender)) {
    case ComponentGroup.element: {
      const count = SESSIONS.exec(status)?.[1];
      return count === undefined ? undefined : Number(count);
    }
    case ComponentGroup.user:
      return associations.filter(({ receiver }) => componentGroupOf(receiver) === ComponentGroup.element)
        .length;
    default:
      return undefined;
  }
}

/** The pool that an element says it is in; undefined = it does not say. */
export function poolOf({ sender, status }: ComponentReport): string | undefined {
  return componentGroupOf(sender) === ComponentGroup.element ? SESSIONS.exec(status)?.[2] : undefined;
}

/** What a registrar's status text says; undefined = it has other words, or is no registrar. */
export function handlespaceCountsOf({ sender, status }: ComponentReport): HandlespaceCounts | undefined {
  if (componentGroupOf(sender) !== ComponentGroup.registrar) return undefined;
  const match = REGISTRAR.exec(status);
  if (match === null) return undefined;
  const [, elements, ownElements, pools, peers] = match.map(Number) as [0, number, number, number, number];
  return { elements, ownElements, pools, peers };
}
