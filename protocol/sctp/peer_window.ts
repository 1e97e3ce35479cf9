import type { Flight } from "./flight.ts";

/** What the peer's receive buffer takes (RFC 9260 §6.1 A). */
export class PeerWindow {
  /** The peer's last a_rwnd. */
  octets: number;
  /** The only thing in flight is a probe of a closed window: silence is not the path's fault. */
  probing = false;
  readonly #flight: Flight;

  constructor(octets: number, flight: Flight) {
    this.octets = octets;
    this.#flight = flight;
  }

  /** Whether the window takes a chunk; one chunk may always be in flight. */
  takes(length: number): boolean {
    return this.#flight.octets === 0 || this.holds(length);
  }

  /** Whether there is room for a chunk beside what is in flight. */
  holds(length: number): boolean {
    return length <= this.octets - this.#flight.octets;
  }
}
