/** Socket options of RFC 6458 but for those of paths. */
import { MAX_SACK_DELAY_MS, MIN_RECEIVE_BUFFER } from "./options.ts";
import {
  booleanSetting,
  fixedSetting,
  invalid,
  MAX_MILLISECONDS,
  numberSetting,
  theAssociation,
  unsupported,
} from "./socket_option_scope.ts";
import type { OptionHandlers } from "./socket_option_scope.ts";

/** Buffers of a gigabyte are a slip. */
const MAX_BUFFER = 1 << 30;

/** Octets of user data below which a DATA chunk is mostly header. */
const MIN_SEGMENT = 16;

/** Events that this stack always tells, and the names that the option has for them. */
const ALWAYS_TOLD = [
  "association",
  "address",
  "remote_error",
  "shutdown",
  "adaptation",
  "authentication",
  "stream_reset",
  "assoc_reset",
  "stream_change",
  "send_failed",
] as const;

/** Handlers of the options of endpoints and associations. */
export const BASIC_OPTIONS: OptionHandlers = {
  rtoinfo: {
    get: ({ settings }) => ({
      initial: settings.rtoInitialMs,
      max: settings.rtoMaxMs,
      min: settings.rtoMinMs,
    }),
    set: ({ settings }, fields) => {
      const initial = fields.number("initial", 1, MAX_MILLISECONDS) ?? settings.rtoInitialMs;
      const max = fields.number("max", 1, MAX_MILLISECONDS) ?? settings.rtoMaxMs;
      const min = fields.number("min", 1, MAX_MILLISECONDS) ?? settings.rtoMinMs;
      if (min > initial || initial > max) {
        throw invalid(`rtoinfo: min (${min}) <= initial (${initial}) <= max (${max}) does not hold`);
      }
      Object.assign(settings, { rtoInitialMs: initial, rtoMaxMs: max, rtoMinMs: min });
    },
  },
  associnfo: {
    get: ({ settings, parts }) => ({
      asocmaxrxt: settings.associationMaxRetransmissions,
      number_peer_destinations: parts?.paths.list.length ?? 0,
      peer_rwnd: parts?.outbound.peerWindow ?? 0,
      local_rwnd: parts?.inbound.window ?? settings.receiveBuffer,
      cookie_life: settings.cookieLifeMs,
    }),
    set: ({ settings }, fields) => {
      const retransmissions = fields.number("asocmaxrxt", 0, 0xffff);
      settings.cookieLifeMs = fields.number("cookie_life", 1, MAX_MILLISECONDS) ?? settings.cookieLifeMs;
      settings.associationMaxRetransmissions = retransmissions ?? settings.associationMaxRetransmissions;
    },
  },
  initmsg: {
    get: ({ settings }) => ({
      num_ostreams: settings.outboundStreams,
      max_instreams: settings.maxInboundStreams,
      max_attempts: settings.maxInitRetransmissions,
      max_init_timeo: settings.maxInitTimeoutMs,
    }),
    set: ({ settings }, fields) => { // RFC 6458 §5.3.1: 0 keeps what there is
      const outbound = fields.number("num_ostreams", 0, 0xffff) || settings.outboundStreams;
      const inbound = fields.number("max_instreams", 0, 0xffff) || settings.maxInboundStreams;
      const attempts = fields.number("max_attempts", 0, 0xffff) || settings.maxInitRetransmissions;
      const timeout = fields.number("max_init_timeo", 0, MAX_MILLISECONDS) || settings.maxInitTimeoutMs;
      Object.assign(settings, {
        outboundStreams: outbound,
        maxInboundStreams: inbound,
        maxInitRetransmissions: attempts,
        maxInitTimeoutMs: timeout,
      });
    },
  },
  nodelay: booleanSetting("noDelay"),
  autoclose: {
    get: ({ settings }) => ({ value: settings.autoCloseMs / 1000 }),
    set: ({ settings }, fields) => {
      settings.autoCloseMs = 1000 *
        fields.required("value", fields.number("value", 0, MAX_MILLISECONDS / 1000));
    },
  },
  adaptation_layer: {
    get: ({ settings }) => ({ value: settings.adaptation ?? 0 }),
    set: ({ settings }, fields) => {
      settings.adaptation = fields.required("value", fields.number("value", 0, 0xffff_ffff));
    },
  },
  disable_fragments: booleanSetting("disableFragments"),
  i_want_mapped_v4_addr: fixedSetting(false, "IPv4 addresses are told as such here, never as IPv6 ones"),
  maxseg: {
    get: ({ settings }) => ({ value: settings.maxSegment }),
    set: ({ settings, parts }, fields) => {
      const octets = fields.required("value", fields.number("value", 0, 0xffff));
      if (octets !== 0 && octets < MIN_SEGMENT) {
        throw invalid(`maxseg: at least ${MIN_SEGMENT}; 0 = as the path allows`);
      }
      settings.maxSegment = octets;
      parts?.measureFragments();
    },
  },
  delayed_sack: {
    get: ({ settings }) => ({ delay: settings.sackDelayMs, freq: settings.sackFrequency }),
    set: ({ settings }, fields) => {
      const delay = fields.number("delay", 0, MAX_SACK_DELAY_MS);
      settings.sackFrequency = fields.number("freq", 1, 0xffff) ?? settings.sackFrequency;
      settings.sackDelayMs = delay ?? settings.sackDelayMs;
    },
  },
  context: fixedSetting(0, "Received messages carry their association, so this stack gives them no context"),
  fragment_interleave: fixedSetting(
    0,
    "Messages are delivered whole here, so their parts are never in turns",
  ),
  partial_delivery_point: fixedSetting(0, "Messages are delivered whole here: the limit is maxMessage"),
  max_burst: numberSetting("maxBurst", 0, 0xffff),
  get_assoc_number: { get: (scope) => ({ value: scope.associations().length }) },
  get_assoc_id_list: { get: (scope) => ({ ids: scope.associations() }) },
  reuse_port: fixedSetting(
    false,
    "A port of this stack belongs to one endpoint, which can have many associations",
  ),
  event: {
    get: ({ settings }) => ({
      ...Object.fromEntries(ALWAYS_TOLD.map((name) => [name, true])),
      partial_delivery: false,
      sender_dry: settings.senderDryEvents,
    }),
    set: ({ settings }, fields) => {
      for (const name of ALWAYS_TOLD) {
        if (fields.boolean(name) === false) {
          throw unsupported(`event: this stack always tells ${name} events`);
        }
      }
      if (fields.boolean("partial_delivery") === true) {
        throw unsupported(
          "event: messages are delivered whole here, so there is nothing to tell of partial ones",
        );
      }
      settings.senderDryEvents = fields.boolean("sender_dry") ?? settings.senderDryEvents;
    },
  },
  sndbuf: numberSetting("sendBuffer", 1, MAX_BUFFER),
  rcvbuf: numberSetting("receiveBuffer", MIN_RECEIVE_BUFFER, MAX_BUFFER),
  get_assoc_stats: {
    get: (scope) => {
      const counted = theAssociation(scope).association.statistics();
      return {
        maxrto: Math.round(counted.maxRtoMs),
        maxrto_address: counted.maxRtoAddress,
        isacks: counted.sacksReceived,
        osacks: counted.sacksSent,
        opackets: counted.packetsSent,
        ipackets: counted.packetsReceived,
        rtxchunks: counted.retransmittedChunks,
        outofseqtsns: counted.outOfSequenceTsns,
        idupchunks: counted.duplicateChunks,
        gapcnt: counted.gapAcksReceived,
        ouodchunks: counted.unorderedChunksSent,
        iuodchunks: counted.unorderedChunksReceived,
        oodchunks: counted.orderedChunksSent,
        iodchunks: counted.orderedChunksReceived,
        octrlchunks: counted.controlChunksSent,
        ictrlchunks: counted.controlChunksReceived,
      };
    },
  },
};
