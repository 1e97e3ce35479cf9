/**
 * The structures of Linux's SCTP socket options (linux/sctp.h), as data: where the ID, the address and the fields of
 * `SOCKET_OPTIONS` stand. Offsets are the same on x86_64 and aarch64; where a structure is packed, they show it.
 *
 * @module
 */
import type { SocketOptionName } from "../protocol/net.ts";

/** How a number stands in memory: little-endian as the processor has it, but for `be16`. */
export type NumberLayout = "u8" | "u16" | "u32" | "u64" | "be16";

/** Where a field stands. */
export interface FieldLayout {
  readonly at: number;
  /** `address` = struct sockaddr_storage. */
  readonly as: NumberLayout | "address";
  /** A boolean or a word is these bits of the number; the other bits belong to other fields. */
  readonly bits?: number;
  /** Numbers of a boolean: `[false, true]`. Default `[0, 1]`. */
  readonly values?: readonly [number, number];
  /** Distance between the numbers of words. Default 1. */
  readonly step?: number;
}

/** A list or text of any length behind the structure. */
export interface TailLayout {
  readonly field: string;
  readonly at: number;
  readonly as: "u8" | "u16";
  /** Number of its elements. */
  readonly count: FieldLayout;
}

/** The structure of an option. */
export interface OptionLayout {
  /** Octets without the tail. */
  readonly bytes: number;
  /** Offset of sctp_assoc_t; absent = the option belongs to the socket. */
  readonly id?: number;
  /** Offset of a path's struct sockaddr_storage. */
  readonly address?: number;
  /** Offset of a stream's number. */
  readonly stream?: number;
  readonly fields: Readonly<Record<string, FieldLayout>>;
  readonly tail?: TailLayout;
  /** 0 in a field leaves what is set: absent fields are 0, and a 0 cannot be set. */
  readonly zeroKeeps?: true;
  /** Belongs to a socket, and has an effect on an association that is there already. */
  readonly live?: true;
  /** Both sides agree upon it when the association is set up. */
  readonly negotiated?: true;
  /** There is nothing to say without an association. */
  readonly ofAssociation?: true;
}

/** `struct sctp_assoc_value` with a number. */
const associationValue = (as: Omit<FieldLayout, "at" | "as"> = {}): OptionLayout => ({
  bytes: 8,
  id: 0,
  fields: { value: { at: 4, as: "u32", ...as } },
});
const NEGOTIATED: OptionLayout = { ...associationValue(), negotiated: true };
/** An int of a socket. */
const INTEGER: OptionLayout = { bytes: 4, fields: { value: { at: 0, as: "u32" } } };
const LIVE: OptionLayout = { ...INTEGER, live: true };
/** `struct sctp_authkeyid` */
const KEY_ID: OptionLayout = { bytes: 8, id: 0, fields: { keynumber: { at: 4, as: "u16" } } };
/** `struct sctp_authchunks` */
const CHUNKS: OptionLayout = {
  bytes: 8,
  id: 0,
  fields: {},
  tail: { field: "chunks", at: 8, as: "u8", count: { at: 4, as: "u32" } },
};
/** `struct sctp_prim`, `struct sctp_setpeerprim`, packed. */
const ADDRESS: OptionLayout = {
  bytes: 132,
  id: 0,
  ofAssociation: true,
  fields: { address: { at: 4, as: "address" } },
};

const u16 = (at: number): FieldLayout => ({ at, as: "u16" });
const u32 = (at: number): FieldLayout => ({ at, as: "u32" });
const u64 = (at: number): FieldLayout => ({ at, as: "u64" });
const bit = (at: number, bits: number): FieldLayout => ({ at, as: "u32", bits });

/**
 * The layouts by the options' names. Those that are not here are made of several calls, or of what the transport itself
 * knows: see `kernel_options.ts`.
 */
export const OPTION_LAYOUTS: { readonly [name in SocketOptionName]?: OptionLayout } = {
  rtoinfo: { // struct sctp_rtoinfo
    bytes: 16,
    id: 0,
    zeroKeeps: true,
    fields: { initial: u32(4), max: u32(8), min: u32(12) },
  },
  associnfo: { // struct sctp_assocparams
    bytes: 20,
    id: 0,
    zeroKeeps: true,
    fields: {
      asocmaxrxt: u16(4),
      number_peer_destinations: u16(6),
      peer_rwnd: u32(8),
      local_rwnd: u32(12),
      cookie_life: u32(16),
    },
  },
  initmsg: { // struct sctp_initmsg
    bytes: 8,
    zeroKeeps: true,
    fields: {
      num_ostreams: u16(0),
      max_instreams: u16(2),
      max_attempts: u16(4),
      max_init_timeo: u16(6),
    },
  },
  nodelay: LIVE,
  autoclose: INTEGER,
  set_peer_primary_addr: ADDRESS,
  primary_addr: ADDRESS,
  adaptation_layer: INTEGER,
  disable_fragments: LIVE,
  peer_addr_params: { // struct sctp_paddrparams, packed: what comes behind pathmaxrxt is misaligned
    bytes: 156,
    id: 0,
    address: 4,
    fields: {
      hbinterval: u32(132),
      pathmaxrxt: u16(136),
      pathmtu: u32(138),
      sackdelay: u32(142),
      heartbeat: bit(146, 1),
      pmtud: bit(146, 8),
      sackdelay_enabled: bit(146, 0x20),
      ipv6_flowlabel: u32(150),
      dscp: { at: 154, as: "u8" },
    },
  },
  i_want_mapped_v4_addr: LIVE,
  maxseg: associationValue(),
  status: { // struct sctp_status, whose end is a struct sctp_paddrinfo
    bytes: 176,
    ofAssociation: true,
    id: 0,
    fields: {
      state: u32(4),
      rwnd: u32(8),
      unackdata: u16(12),
      penddata: u16(14),
      instrms: u16(16),
      outstrms: u16(18),
      fragmentation_point: u32(20),
      primary: { at: 28, as: "address" },
      primary_state: u32(156),
      primary_cwnd: u32(160),
      primary_srtt: u32(164),
      primary_rto: u32(168),
      primary_mtu: u32(172),
    },
  },
  get_peer_addr_info: { // struct sctp_paddrinfo, packed
    bytes: 152,
    ofAssociation: true,
    id: 0,
    address: 4,
    fields: { state: u32(132), cwnd: u32(136), srtt: u32(140), rto: u32(144), mtu: u32(148) },
  },
  delayed_sack: { // struct sctp_sack_info
    bytes: 12,
    id: 0,
    zeroKeeps: true,
    fields: { delay: u32(4), freq: u32(8) },
  },
  context: associationValue(),
  fragment_interleave: LIVE,
  partial_delivery_point: LIVE,
  max_burst: associationValue(),
  reuse_port: INTEGER,
  auth_chunk: { bytes: 1, fields: { chunk: { at: 0, as: "u8" } } }, // struct sctp_authchunk
  hmac_ident: { // struct sctp_hmacalgo
    bytes: 4,
    fields: {},
    tail: { field: "idents", at: 4, as: "u16", count: u32(0) },
  },
  auth_key: { // struct sctp_authkey
    bytes: 8,
    id: 0,
    fields: { keynumber: u16(4) },
    tail: { field: "key", at: 8, as: "u8", count: u16(6) },
  },
  auth_active_key: KEY_ID,
  auth_delete_key: KEY_ID,
  auth_deactivate_key: KEY_ID,
  peer_auth_chunks: { ...CHUNKS, ofAssociation: true },
  local_auth_chunks: CHUNKS,
  auto_asconf: INTEGER,
  peer_addr_thlds: { // struct sctp_paddrthlds_v2, not packed
    bytes: 144,
    id: 0,
    address: 8,
    fields: { pathmaxrxt: u16(136), pathpfthld: u16(138), pathcpthld: u16(140) },
  },
  get_assoc_stats: { // struct sctp_assoc_stats, not packed
    bytes: 256,
    ofAssociation: true,
    id: 0,
    fields: {
      maxrto: u64(136),
      maxrto_address: { at: 8, as: "address" },
      isacks: u64(144),
      osacks: u64(152),
      opackets: u64(160),
      ipackets: u64(168),
      rtxchunks: u64(176),
      outofseqtsns: u64(184),
      idupchunks: u64(192),
      gapcnt: u64(200),
      ouodchunks: u64(208),
      iuodchunks: u64(216),
      oodchunks: u64(224),
      iodchunks: u64(232),
      octrlchunks: u64(240),
      ictrlchunks: u64(248),
    },
  },
  pr_supported: NEGOTIATED,
  default_prinfo: { // struct sctp_default_prinfo
    bytes: 12,
    id: 0,
    fields: { policy: { at: 8, as: "u16", step: 0x10 }, value: u32(4) },
  },
  reconfig_supported: NEGOTIATED,
  enable_stream_reset: {
    bytes: 8,
    id: 0,
    fields: { streams: bit(4, 1), association: bit(4, 2), change: bit(4, 4) },
  },
  stream_scheduler: associationValue(),
  stream_scheduler_value: { // struct sctp_stream_value
    bytes: 8,
    id: 0,
    stream: 4,
    ofAssociation: true,
    fields: { value: u16(6) },
  },
  interleaving_supported: NEGOTIATED,
  asconf_supported: NEGOTIATED,
  auth_supported: NEGOTIATED,
  ecn_supported: NEGOTIATED,
  expose_potentially_failed_state: associationValue({ values: [1, 2] }), // SCTP_PF_EXPOSE_DISABLE, _ENABLE
  remote_udp_encaps_port: { // struct sctp_udpencaps, not packed
    bytes: 144,
    id: 0,
    address: 8,
    fields: { port: { at: 136, as: "be16" } },
  },
  plpmtud_probe_interval: { // struct sctp_probeinterval, not packed
    bytes: 144,
    id: 0,
    address: 8,
    fields: { interval: u32(136) },
  },
  sndbuf: LIVE,
  rcvbuf: LIVE,
};
