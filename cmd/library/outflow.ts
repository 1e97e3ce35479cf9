/** Messages that wait until they may be sent. */

/** A message, or whatever else has to keep its place among the messages. */
export interface Outgoing {
  /** Counts against the octets of a turn. */
  readonly lengthBytes: number;
  /** Hands it to the transport. */
  readonly send: () => void;
}

interface Waiting extends Outgoing {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Octets that are handed over before the event loop gets its turn: only then does the transport say that its buffer is
 * full, so that a loop which never sees the end of a turn would fill the memory.
 */
const TURN_OCTETS = 256 * 1024;

/** Sends in order, as fast as the transport takes it. The promise of each message tells when it was handed over. */
export class Outflow {
  #waiting: Waiting[] = [];
  #open = false;
  #blocked = false;
  #turnOctets = 0;
  #turn: ReturnType<typeof setImmediate> | undefined;
  #ended: unknown;
  #onEmpty: (() => void) | undefined;

  /** Whether there is an association. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Octets of the messages that wait. */
  get waitingOctets(): number {
    return this.#waiting.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  }

  /** Sends when it is possible. Rejects when the session ends before. */
  send(outgoing: Outgoing): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#mayGo && this.#waiting.length === 0) {
      this.#hand(outgoing);
      return Promise.resolve();
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ ...outgoing, resolve, reject });
    return promise;
  }

  /** There is an association. */
  open(): void {
    this.#open = true;
    this.#blocked = false;
    this.#flush();
  }

  /** There is no association: messages wait. */
  suspend(): void {
    this.#open = false;
  }

  /** The transport's buffer is full, or has room again. */
  blocked(blocked: boolean): void {
    this.#blocked = blocked;
    this.#flush();
  }

  /** Takes nothing more; what waits goes on. `onEmpty` is called when the last of it was handed over. */
  finish(reason: unknown, onEmpty: () => void): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    if (this.#waiting.length === 0) onEmpty();
    else this.#onEmpty = onEmpty;
  }

  /** Nothing is sent any more: what waits is rejected. */
  end(reason: unknown): void {
    this.#ended ??= reason;
    this.#open = false;
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#turn = undefined;
    for (const { reject } of this.#waiting.splice(0)) reject(reason);
  }

  get #mayGo(): boolean {
    return this.#open && !this.#blocked && this.#turnOctets < TURN_OCTETS;
  }

  #hand({ lengthBytes, send }: Outgoing): void {
    this.#turnOctets += lengthBytes;
    // The transport works in an immediate of its own, which comes first when it was asked for first.
    this.#turn ??= setImmediate(() => {
      this.#turn = setImmediate(() => {
        this.#turn = undefined;
        this.#turnOctets = 0;
        this.#flush();
      });
    });
    send();
  }

  #flush(): void {
    let count = 0;
    for (const outgoing of this.#waiting) {
      if (!this.#mayGo) break;
      count++;
      this.#hand(outgoing);
      outgoing.resolve();
    }
    this.#waiting.splice(0, count);
    if (count > 0 && this.#waiting.length === 0) this.#onEmpty?.();
  }
}
