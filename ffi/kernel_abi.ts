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

/** Socket options of level IPPROTO_SCTP. */
export const SctpOption = {
  rtoInfo: 0,
  associationInfo: 1,
  initMessage: 2,
  noDelay: 3,
  autoClose: 4,
  primaryAddress: 6,
  peerAddressParameters: 9,
  wantMappedV4: 12,
  status: 14,
  peerAddressInfo: 15,
  delayedSack: 16,
  fragmentInterleave: 18,
  receiveInfo: 32,
  bindAdd: 100,
  peelOff: 102,
  peerAddresses: 108,
  localAddresses: 109,
  connect: 111,
  peelOffFlags: 122,
  event: 127,
  encapsulationPort: 132,
} as const;

/** snd_flags and rcv_flags. */
export const SendFlag = {
  unordered: 1,
  abort: 4,
  sackImmediately: 8,
  eof: 0x200,
} as const;

/** Ancillary data of level IPPROTO_SCTP. */
export const ControlType = { sendInfo: 2, receiveInfo: 3 } as const;

/** Notification types that this program subscribes to. */
export const NotificationType = {
  associationChange: 0x8001,
  peerAddressChange: 0x8002,
  remoteError: 0x8004,
  shutdown: 0x8005,
  partialDelivery: 0x8006,
  sendFailedEvent: 0x800d,
} as const;

/** sac_state */
export const AssociationChange = { up: 0, lost: 1, restart: 2, shutdownComplete: 3, cannotStart: 4 } as const;

/** spp_flags */
export const PathFlag = { heartbeatEnable: 1, heartbeatDisable: 2, heartbeatDemand: 4 } as const;

/** struct sockaddr_storage */
export const SOCKADDR_STORAGE_BYTES = 128;
/** struct sctp_sndinfo: sid 0, flags 2, ppid 4, context 8, assoc_id 12. */
export const SNDINFO_BYTES = 16;
/** struct sctp_rcvinfo: sid 0, ssn 2, flags 4, ppid 8, tsn 12, cumtsn 16, context 20, assoc_id 24. */
export const RCVINFO_BYTES = 28;
/** ENOSYS, "function not implemented": here it means that a crypto module is missing. */
export const ENOSYS = 38;
