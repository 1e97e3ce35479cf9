import type { AssociationId } from "../net.ts";

/**
 * Answers to whoever asks. One that asks and does not read has one answer waiting, the newest, when its send buffer is full:
 * anybody can ask, and what waits costs memory.
 */
export class OwedReplies {
  readonly #send: (association: AssociationId, data: Uint8Array) => void;
  /** Associations whose send buffer is full, and the answer that waits for room there. */
  readonly #full = new Map<AssociationId, Uint8Array | undefined>();

  /** @param send where answers go */
  constructor(send: (association: AssociationId, data: Uint8Array) => void) {
    this.#send = send;
  }

  /** Answers, now or when there is room. */
  reply(association: AssociationId, data: Uint8Array): void {
    if (this.#full.has(association)) this.#full.set(association, data);
    else this.#send(association, data);
  }

  /** A send buffer is full. */
  blocked(association: AssociationId): void {
    this.#full.set(association, this.#full.get(association));
  }

  /** It has room again. */
  writable(association: AssociationId): void {
    const owed = this.#full.get(association);
    this.#full.delete(association);
    if (owed !== undefined) this.#send(association, owed);
  }

  /** The association has ended. */
  forget(association: AssociationId): void {
    this.#full.delete(association);
  }
}
