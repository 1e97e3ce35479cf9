import { SocketOptionError } from "../net.ts";
import { MAX_SHARED_KEYS } from "./limits.ts";

interface SharedKey {
  readonly key: Uint8Array;
  /** No message is to be sent with it any more; what comes authenticated with it is still taken. */
  deactivated: boolean;
}

const NONE: number[] = [];

/**
 * Endpoint pair shared keys by their identifiers (RFC 4895 §6.1, RFC 6458 §8.3): those of an endpoint, which its
 * associations start with, and then each association's own. Key 0 is there from the start, and empty.
 */
export class SharedKeys {
  readonly #keys = new Map<number, SharedKey>([[0, { key: new Uint8Array(0), deactivated: false }]]);
  #activeId = 0;
  /** Deactivated keys whose last message has not been acknowledged. */
  readonly #draining = new Set<number>();

  /** The key that is used when a message does not name one. */
  get activeId(): number {
    return this.#activeId;
  }

  /** The identifiers in use. */
  get ids(): readonly number[] {
    return [...this.#keys.keys()];
  }

  /** The key to verify with; undefined = there is none of this identifier. */
  get(id: number): Uint8Array | undefined {
    return this.#keys.get(id)?.key;
  }

  /** Whether messages may be sent with a key. */
  isUsable(id: number): boolean {
    return this.#keys.get(id)?.deactivated === false;
  }

  /** Whether a key waits for its last message. */
  isDeactivated(id: number): boolean {
    return this.#keys.get(id)?.deactivated === true;
  }

  /** The deactivated keys that no message needs any more, each once (SCTP_AUTH_FREE_KEY). */
  takeFree(isUsed: (id: number) => boolean): number[] {
    if (this.#draining.size === 0) return NONE;
    const free = [...this.#draining].filter((id) => !isUsed(id));
    for (const id of free) this.#draining.delete(id);
    return free;
  }

  copy(): SharedKeys {
    const copy = new SharedKeys();
    copy.#keys.clear();
    for (const [id, entry] of this.#keys) copy.#keys.set(id, { ...entry });
    copy.#activeId = this.#activeId;
    return copy;
  }

  /**
   * Adds or replaces a key (SCTP_AUTH_KEY).
   *
   * @throws {SocketOptionError} EINVAL when the identifier is out of range, ENOBUFS when there are too many keys
   */
  set(id: number, key: Uint8Array): void {
    if (!Number.isInteger(id) || id < 0 || id > 0xffff || key.length > 0xffff) {
      throw new SocketOptionError("EINVAL", `A key has a number from 0 to 65535, and ${id} is none`);
    }
    if (!this.#keys.has(id) && this.#keys.size >= MAX_SHARED_KEYS) {
      throw new SocketOptionError("ENOBUFS", `There are ${MAX_SHARED_KEYS} keys already`);
    }
    this.#keys.set(id, { key: key.slice(), deactivated: false });
    this.#draining.delete(id);
  }

  /**
   * Makes a key the one to send with (SCTP_AUTH_ACTIVE_KEY).
   *
   * @throws {SocketOptionError} EINVAL when there is no such key, or it is deactivated
   */
  activate(id: number): void {
    if (!this.isUsable(id)) throw new SocketOptionError("EINVAL", `There is no key ${id} to send with`);
    this.#activeId = id;
  }

  /**
   * Stops sending with a key (SCTP_AUTH_DEACTIVATE_KEY).
   *
   * @throws {SocketOptionError} EINVAL when there is no such key, or it is the active one
   */
  deactivate(id: number): void {
    this.#refuseActive(id, "deactivated");
    this.#keys.get(id)!.deactivated = true; // #refuseActive has found it
    this.#draining.add(id);
  }

  /**
   * Forgets a key (SCTP_AUTH_DELETE_KEY).
   *
   * @throws {SocketOptionError} EINVAL when there is no such key, or it is the active one
   */
  delete(id: number): void {
    this.#refuseActive(id, "deleted");
    this.#keys.delete(id);
    this.#draining.delete(id);
  }

  #refuseActive(id: number, verb: string): void {
    if (!this.#keys.has(id)) throw new SocketOptionError("EINVAL", `There is no key ${id}`);
    if (id === this.#activeId) {
      throw new SocketOptionError("EINVAL", `Key ${id} is the active one: it cannot be ${verb}`);
    }
  }
}
