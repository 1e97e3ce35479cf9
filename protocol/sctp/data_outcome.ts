/** What became of a DATA chunk. */
export const DataOutcome = {
  /** In TSN order. */
  inOrder: 0,
  /** New, but behind a gap. */
  behindGap: 1,
  duplicate: 2,
  /** No room, or too far ahead: as if it had been lost. */
  dropped: 3,
  /** The stream does not exist; the TSN counts as received (§6.5). */
  badStream: 4,
  /** Fragments or sequence numbers contradict each other. */
  violation: 5,
  /** The message is longer than this endpoint takes. */
  tooLong: 6,
  /** More messages are under way than this endpoint takes. */
  tooMany: 7,
} as const;
