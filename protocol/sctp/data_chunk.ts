/**
 * DATA (RFC 9260 §3.3.1):
 *
 *     +-------------------------------+-------------------------------+
 *     |  type = 0     | Res |I|U|B|E  |            length             |
 *     |                              TSN                              |
 *     |       stream identifier       |    stream sequence number     |
 *     |                 payload protocol identifier                   |
 *     |                           user data                           |
 *     +---------------------------------------------------------------+
 *
 * Read and written in place: these are the only chunks that come by the hundred thousand.
 */

/** Flags of a DATA chunk. */
export const DataFlag = {
  /** Last fragment of a message. */
  end: 1,
  /** First fragment of a message. */
  begin: 2,
  unordered: 4,
  /** The sender wants a SACK at once. */
  immediate: 8,
} as const;

/** First and last fragment: a message that was not fragmented. */
export const WHOLE_MESSAGE = 3;

/** Octets of the chunk header and the fixed fields. */
export const DATA_HEADER_OCTETS = 16;
