import type { Peer } from "./peer_list.ts";

/**
 * The peer that an element is offered to (draft-dreibholz-rserpool-enrp-takeover): elements are spread over registrars
 * by the distance between their IDs and the registrars', that is the exclusive or of both; the greatest wins
 * (reference/rsplib.md §3.10). All registrars that know the same peers agree on it.
 *
 * @param elementId the element's ID
 * @param registrarId our own
 * @param peers the others; those without an ID do not count
 * @returns undefined = the element is in the best hands here
 */
export function betterHome(elementId: number, registrarId: number, peers: Iterable<Peer>): Peer | undefined {
  let best: Peer | undefined;
  let bestDistance = (elementId ^ registrarId) >>> 0;
  for (const peer of peers) {
    if (peer.registrarId === 0) continue;
    const distance = (elementId ^ peer.registrarId) >>> 0;
    if (distance > bestDistance) [best, bestDistance] = [peer, distance];
  }
  return best;
}
