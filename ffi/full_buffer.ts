/**
 * The kernel's send buffer of an association where it is to drain within a time.
 *
 * @module
 */
import type { Instant } from "../protocol/net.ts";
import type { SendRoom } from "../protocol/net/send_room.ts";
import type { KernelSocket } from "./kernel_socket.ts";

/**
 * Sees how fast the kernel's send buffer drains, and sets its size. While it is full the kernel takes as many octets as have
 * gone; while it is not, nobody can tell.
 */
export class FullBuffer {
  readonly #room: SendRoom;
  /** When it was full last, and what was taken since; undefined = it was not full. */
  #fullAt: Instant | undefined;
  #takenOctets = 0;

  /** @param room says how much may wait */
  constructor(room: SendRoom) {
    this.#room = room;
  }

  /** The kernel has taken so many octets. */
  taken(octets: number): void {
    this.#takenOctets += octets;
  }

  /** It is full now. */
  full(socket: Pick<KernelSocket, "setSendBuffer">, now: Instant): void {
    const since = this.#fullAt;
    this.#fullAt = now;
    const octets = this.#takenOctets;
    this.#takenOctets = 0;
    if (since !== undefined && this.#room.drained(octets, now - since)) {
      socket.setSendBuffer(this.#room.octets);
    }
  }

  /** It was full until now, when the last that waited for room was taken. */
  emptied(socket: Pick<KernelSocket, "setSendBuffer">, now: Instant): void {
    this.full(socket, now);
    this.#fullAt = undefined;
  }
}
