/** What DATA and I-DATA have in common; how they look stands in data_format.ts. */

/** Flags of a DATA chunk (RFC 9260 §3.3.1). */
export const DataFlag = {
  /** Last fragment of a message. */
  end: 1,
  /** First fragment of a message. */
  begin: 2,
  unordered: 4,
  /** The sender wants a SACK at once (RFC 7053). */
  immediate: 8,
} as const;

/** First and last fragment: a message that was not fragmented. */
export const WHOLE_MESSAGE = 3;

/** Octets of the chunk header and the fixed fields of DATA. */
export const DATA_HEADER_OCTETS = 16;
