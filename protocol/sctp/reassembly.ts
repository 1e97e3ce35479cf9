/** Makes messages of fragments. There are two ways, as there are two chunks: see data_format.ts. */
export interface Reassembly {
  /** Octets of incomplete messages that count against the receive buffer. */
  readonly octets: number;

  /**
   * Takes a chunk whose TSN is next.
   *
   * @param source where the user data stands from `from` to `to`, borrowed
   * @param number stream sequence number or message identifier
   * @param ppid payload protocol identifier, or fragment sequence number
   * @returns 0, or why the association cannot go on: a value of `DataOutcome`
   */
  inOrder(
    source: Uint8Array,
    from: number,
    to: number,
    tsn: number,
    stream: number,
    number: number,
    ppid: number,
    flags: number,
  ): number;

  /** Takes a chunk that came behind a gap. Parameters and result as above; the data is the callee's. */
  behindGap(
    data: Uint8Array,
    tsn: number,
    stream: number,
    number: number,
    ppid: number,
    flags: number,
  ): number;

  /** The cumulative TSN has reached a chunk that came behind a gap. Result as above. */
  reached(tsn: number): number;

  /** The peer has moved the cumulative TSN forward (RFC 3758 §3.6): fragments up to there are held no longer. */
  forwarded(): void;

  /** The peer will not complete messages of a stream up to a number. */
  skip(stream: number, number: number, unordered: boolean): void;

  /** @throws {InvariantError} when the sums do not agree with the fragments */
  checkInvariants(): void;
}
