/**
 * Checks one of this program's own invariants. It stays on in production: a wrong invariant is a bug that must be
 * seen where it happens. Never for peer input; that gets a {@linkcode DecodeError}.
 *
 * @param condition what must hold
 * @param message says which invariant was broken
 * @throws {InvariantError} `invariant broken: <message>` when the condition does not hold
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** One of this program's own invariants does not hold: always a bug of ours. */
export class InvariantError extends Error {
  /**
   * Made by {@linkcode assert}.
   *
   * @param message which invariant was broken
   */
  constructor(message: string) {
    super(`invariant broken: ${message}`);
    this.name = "InvariantError";
  }
}
