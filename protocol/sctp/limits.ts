/**
 * What a stranger, or a peer gone wild, may make this stack keep or send. Every number has its reason here, and a test
 * that reaches it.
 */

/**
 * Associations of one endpoint. An idle one costs about 6 KiB, so a flood of them gets at most 100 MB. One whose peer sends
 * may cost more: twice its receive buffer, and `maxMessage` for what is under assembly.
 */
export const MAX_ASSOCIATIONS = 16_384;

/** Addresses of a peer. Each gets HEARTBEATs, so a long list would make this host a reflector. */
export const MAX_PEER_ADDRESSES = 16;

/**
 * Tags of ended associations that are remembered until their cookies are too old, some 64 octets each. Only a server of
 * very many short associations forgets some early, and then a copy of their COOKIE ECHO counts again.
 */
export const MAX_SPENT_TAGS = 4096;

/** Own addresses listed in an INIT or INIT ACK: they have to fit in one packet with the cookie. */
export const MAX_LOCAL_ADDRESSES = 16;

/** How far a TSN may lie beyond the cumulative one. Gap ack blocks reach 65535; half of it is more than any window. */
export const MAX_TSN_WINDOW = 32_768;

/** DATA chunks in flight, for the same reason. */
export const MAX_FLIGHT_CHUNKS = 32_768;

/** What one out-of-order chunk is taken to cost besides its data, when it is decided whether to keep it. */
export const HELD_CHUNK_OVERHEAD = 64;

/** Places for out-of-order chunks that an association keeps when it holds none, 18 KiB: losses come again. */
export const MAX_IDLE_HELD_SLOTS = 1024;

/** What a message under way is taken to cost besides its data, with interleaving, where there may be very many. */
export const PARTIAL_MESSAGE_OVERHEAD = 256;

/**
 * What a message or chunk on its way out is taken to cost besides its data: a peer that asks for many small answers and
 * takes none makes them all wait.
 */
export const OUTBOUND_OVERHEAD = 256;

/** Duplicate TSNs reported in one SACK. They are statistics for the sender, so a sample is enough. */
export const MAX_DUPLICATES = 32;

/** Gap ack blocks read from one SACK; a 64 KiB packet could hold 16,000, a sane peer has some hundred. */
export const MAX_GAP_BLOCKS = 2048;

/** Control chunks waiting in one association. Only a peer that never lets us send can reach it. */
export const MAX_CONTROL_CHUNKS = 64;

/**
 * Answers to packets outside any association, and last packets of associations, waiting to be sent. Beyond it packets stay
 * unanswered; an endpoint that closes waits.
 */
export const MAX_STATELESS_REPLIES = 256;

/** ERROR chunks an association sends in a second. */
export const MAX_ERRORS_PER_SECOND = 10;

/** Octets of unknown parameters that are reported back: enough for debugging, too few for amplification. */
export const MAX_REPORTED_OCTETS = 256;

/** Octets of a peer's error cause that are handed to the user. */
export const MAX_CAUSE_OCTETS = 1024;

/** Octets of a state cookie that is echoed. Real ones have 100 to 500. */
export const MAX_COOKIE_OCTETS = 8192;

/** Octets of HEARTBEAT information that is echoed. */
export const MAX_HEARTBEAT_OCTETS = 1024;

/** Chunks read from one packet: an empty chunk has four octets, so a packet of them would be 16,000. */
export const MAX_CHUNKS_PER_PACKET = 4096;

/** Parameters read from one chunk. */
export const MAX_PARAMETERS = 256;

/** Requests to reconfigure streams that wait in one association. Each can hold messages back, so a user should not pile them up. */
export const MAX_RECONFIGURATION_REQUESTS = 64;

/** Outbound streams that a peer can ask for (RFC 6525 §5.2.6): each takes memory here, up to eight octets. */
export const MAX_STREAMS_ON_DEMAND = 4096;

/** HEARTBEATs sent at once to confirm the addresses a peer has listed. */
export const MAX_CONFIRMATION_BURST = 4;

/** Smallest a_rwnd that an INIT may announce (RFC 9260 §3.3.2). */
export const MIN_RECEIVE_WINDOW = 1500;

/** Path MTUs are not lowered further, whatever an ICMP message says: these are the sizes every host must take. */
export const MIN_MTU_IPV4 = 576;
export const MIN_MTU_IPV6 = 1280;

/** Smallest packet that is probed for, far below every MTU: HEARTBEAT and PAD have to fit. */
export const MIN_BASE_PACKET_OCTETS = 256;

/** SCTP packets of this length pass nearly everywhere (RFC 8899 §5.1.2, BASE_PLPMTU). */
export const BASE_PACKET_OCTETS = 1200;

/** Path MTU where the route is not known. */
export const DEFAULT_MTU = 1280;

/** Longest packet; IP's length fields end there. */
export const MAX_PACKET_OCTETS = 65_535;

/** Octets of a peer's key vector, which travels in the state cookie: 256 chunk types and some algorithms have room. */
export const MAX_KEY_VECTOR_OCTETS = 512;

/** Requests of one ASCONF: with IPv6 addresses and an AUTH chunk they fit into the smallest MTU of IPv4. */
export const MAX_ASCONF_REQUESTS = 16;

/** Answers to ASCONFs that are kept in case they get lost. A peer has one ASCONF under way, and may bundle a few. */
export const MAX_CACHED_ASCONF_ACKS = 8;

/** Addresses that a peer has deleted and that are remembered, so that late packets from there count no more. */
export const MAX_DELETED_ADDRESSES = 32;

/** Keys of an endpoint that is configured by hand are few; a program that loses count of them is told. */
export const MAX_SHARED_KEYS = 1024;
