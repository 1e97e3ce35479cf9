/** Socket options of SCTP's extensions but for authentication and dynamic addresses. */
import type { AssociationExtensions, PartialReliability, SocketOptionValue } from "../net.ts";
import type { AbandonedCounts } from "./abandoned_counts.ts";
import { booleanSetting, fixedSetting, invalid, theAssociation } from "./socket_option_scope.ts";
import type { OptionHandler, OptionHandlers, OptionScope } from "./socket_option_scope.ts";

/** Handlers of the options of extensions. */
export const EXTENSION_OPTIONS: OptionHandlers = {
  pr_supported: supported("partialReliability"),
  reconfig_supported: supported("reconfiguration"),
  interleaving_supported: supported("interleaving"),
  asconf_supported: supported("dynamicAddresses"),
  auth_supported: supported("authentication"),
  ecn_supported: fixedSetting(false, "This stack has no explicit congestion notification"),
  expose_potentially_failed_state: booleanSetting("exposePotentiallyFailed"),
  default_prinfo: {
    get: ({ settings: { defaultReliability: reliability } }) => ({
      policy: reliability?.policy ?? "none",
      value: reliability === undefined ? 0 : valueOf(reliability),
    }),
    set: ({ settings }, fields) => {
      const { defaultReliability: old } = settings;
      const policy = fields.text("policy") ?? old?.policy ?? "none";
      const value = fields.number("value", 0, 0xffff_ffff) ?? (old === undefined ? 0 : valueOf(old));
      settings.defaultReliability = reliabilityOf(policy, value);
    },
  },
  pr_assoc_status: {
    get: (scope) => abandoned(theAssociation(scope).outbound.abandonment.counts, undefined),
  },
  pr_stream_status: {
    get: (scope) => {
      const { outbound } = theAssociation(scope);
      return abandoned(outbound.abandonment.counts, streamOf(scope, outbound.streams.count));
    },
  },
  stream_scheduler: {
    get: ({ parts, settings }) => ({ value: parts?.outbound.backlog.scheduler ?? settings.scheduler }),
    set: ({ parts, settings }, fields) => {
      const wanted = fields.required("value", fields.text("value"));
      const scheduler = SCHEDULERS.find((name) => name === wanted);
      if (scheduler === undefined) {
        throw invalid(`stream_scheduler: value is one of ${SCHEDULERS.join(", ")}`);
      }
      settings.scheduler = scheduler;
      parts?.outbound.backlog.setScheduler(scheduler);
    },
  },
  stream_scheduler_value: {
    get: (scope) => {
      const { outbound } = theAssociation(scope);
      return { value: outbound.backlog.streamValue(streamOf(scope, outbound.streams.count)) };
    },
    set: (scope, fields) => {
      const { outbound } = theAssociation(scope);
      const value = fields.required("value", fields.number("value", 0, 0xffff));
      outbound.backlog.setStreamValue(streamOf(scope, outbound.streams.count), value);
    },
  },
  enable_stream_reset: {
    get: ({ settings: { streamReset } }) => ({ ...streamReset }),
    set: ({ settings }, fields) => {
      const { streamReset: old } = settings;
      settings.streamReset = {
        streams: fields.boolean("streams") ?? old.streams,
        association: fields.boolean("association") ?? old.association,
        change: fields.boolean("change") ?? old.change,
      };
    },
  },
};

const SCHEDULERS = ["fcfs", "prio", "rr", "rr-packet", "fc", "wfq"] as const;

function streamOf({ stream = 0, name }: OptionScope, count: number): number {
  if (Number.isInteger(stream) && stream >= 0 && stream < count) return stream;
  throw invalid(`${name}: there is no stream ${stream} to send on`);
}

function abandoned(counts: AbandonedCounts, stream: number | undefined): SocketOptionValue {
  const [ttl, rtx, prio] = [counts.of("ttl", stream), counts.of("rtx", stream), counts.of("prio", stream)];
  return {
    ttl_unsent: ttl.unsent,
    ttl_sent: ttl.sent,
    rtx_unsent: rtx.unsent,
    rtx_sent: rtx.sent,
    prio_unsent: prio.unsent,
    prio_sent: prio.sent,
  };
}

/** An association tells what was agreed upon; an endpoint can be told what to offer. */
function supported(extension: keyof AssociationExtensions): OptionHandler {
  return {
    get: ({ parts, settings }) => ({
      value: parts === undefined ? settings[extension] : parts.association.seed.extensions[extension],
    }),
    set: ({ parts, settings, name }, fields) => {
      if (parts !== undefined) {
        throw invalid(`${name}: the handshake has decided it; set it for associations to come`);
      }
      settings[extension] = fields.required("value", fields.boolean("value"));
    },
  };
}

function valueOf(reliability: PartialReliability): number {
  switch (reliability.policy) {
    case "ttl":
      return reliability.lifetimeMs;
    case "rtx":
      return reliability.retransmissions;
    case "prio":
      return reliability.priority;
    default:
      return reliability satisfies never;
  }
}

function reliabilityOf(policy: string, value: number): PartialReliability | undefined {
  switch (policy) {
    case "none":
      return undefined;
    case "ttl":
      return value === 0 ? undefined : { policy, lifetimeMs: value }; // RFC 7496 §4.4: a lifetime of 0 is none
    case "rtx":
      return { policy, retransmissions: value };
    case "prio":
      return { policy, priority: value };
    default:
      throw invalid("default_prinfo: policy is none, ttl, rtx or prio");
  }
}
