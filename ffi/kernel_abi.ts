/**
 * Numbers and layouts of Linux's SCTP socket interface (linux/sctp.h, RFC 6458 with the kernel's own values), the same
 * on x86_64 and aarch64. Structures are named in comments; where they are packed, the offsets show it.
 *
 * @module
 */

/** Flags of SCTP_SOCKOPT_PEELOFF_FLAGS: SOCK_NONBLOCK | SOCK_CLOEXEC. */
export const PEEL_OFF_FLAGS = 0x80800;
/** fcntl: F_SETFD with FD_CLOEXEC. */
export const F_SETFD = 2;
/** FD_CLOEXEC */
export const FD_CLOEXEC = 1;

/** SO_MEMINFO of level SOL_SOCKET: an array of u32. */
export const SO_MEMINFO = 55;
/** Index of the octets queued for sending in what SO_MEMINFO gives (SK_MEMINFO_WMEM_QUEUED). */
export const MEMINFO_WRITE_QUEUED = 5;

/** Socket options of level IPPROTO_SCTP that are functions, or used by nobody but the transport: no `SOCKET_OPTIONS`. */
export const SctpOption = {
  peerAddressParameters: 9,
  receiveInfo: 32,
  bindAdd: 100,
  bindRemove: 101,
  peelOff: 102,
  peerAddresses: 108,
  localAddresses: 109,
  connect: 111,
  prAssociationStatus: 115,
  prStreamStatus: 116,
  resetStreams: 119,
  resetAssociation: 120,
  addStreams: 121,
  peelOffFlags: 122,
  event: 127,
} as const;

/** snd_flags and rcv_flags. */
export const SendFlag = {
  unordered: 1,
  addressOverride: 2,
  abort: 4,
  sackImmediately: 8,
  eof: 0x200,
} as const;

/** Ancillary data of level IPPROTO_SCTP. */
export const ControlType = { sendInfo: 2, receiveInfo: 3, partialReliability: 5, authentication: 6 } as const;

/** Notification types, but for the old forms of those that have two. */
export const NotificationType = {
  associationChange: 0x8001,
  peerAddressChange: 0x8002,
  remoteError: 0x8004,
  shutdown: 0x8005,
  partialDelivery: 0x8006,
  adaptation: 0x8007,
  authentication: 0x8008,
  senderDry: 0x8009,
  streamReset: 0x800a,
  associationReset: 0x800b,
  streamChange: 0x800c,
  sendFailedEvent: 0x800d,
} as const;

/** sac_state */
export const AssociationChange = { up: 0, lost: 1, restart: 2, shutdownComplete: 3, cannotStart: 4 } as const;

/** spp_flags */
export const PathFlag = {
  heartbeatEnable: 1,
  heartbeatDisable: 2,
  heartbeatDemand: 4,
  mtuDiscoveryEnable: 8,
  mtuDiscoveryDisable: 0x10,
  sackDelayEnable: 0x20,
  sackDelayDisable: 0x40,
  heartbeatTimeIsZero: 0x80,
  flowLabel: 0x100,
  dscp: 0x200,
} as const;

/** SO_REUSEPORT of level SOL_SOCKET. */
export const SO_REUSEPORT = 15;

/** struct sockaddr_storage */
export const SOCKADDR_STORAGE_BYTES = 128;
/** struct sctp_sndinfo: sid 0, flags 2, ppid 4, context 8, assoc_id 12. */
export const SNDINFO_BYTES = 16;
/** struct sctp_prinfo: policy 0, value 4. */
export const PRINFO_BYTES = 8;
/** struct sctp_authinfo: the key's number. */
export const AUTHINFO_BYTES = 2;
/** Policies of partial reliability (pr_policy). */
export const ReliabilityPolicy = { ttl: 0x10, rtx: 0x20, prio: 0x30 } as const;
/** struct sctp_rcvinfo: sid 0, ssn 2, flags 4, ppid 8, tsn 12, cumtsn 16, context 20, assoc_id 24. */
export const RCVINFO_BYTES = 28;
/** ENOSYS, "function not implemented": here it means that a crypto module is missing. */
export const ENOSYS = 38;
