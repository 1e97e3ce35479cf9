/** Socket options of paths. */
import { isIpv4 } from "../net.ts";
import type { PathStatus } from "../net.ts";
import { MAX_PACKET_OCTETS, MIN_MTU_IPV4, MIN_MTU_IPV6 } from "./limits.ts";
import { DEFAULT_SACK_DELAY_MS, MAX_SACK_DELAY_MS } from "./options.ts";
import {
  changePathSettings,
  invalid,
  MAX_MILLISECONDS,
  pathSettings,
  theAssociation,
  thePath,
  unsupported,
} from "./socket_option_scope.ts";
import type { OptionFields, OptionHandlers, OptionScope } from "./socket_option_scope.ts";

/** Handlers of the options of paths. */
export const PATH_OPTIONS: OptionHandlers = {
  peer_addr_params: {
    get: (scope) => {
      const { heartbeats, heartbeatIntervalMs, pathMaxRetransmissions, mtuDiscovery } = pathSettings(scope);
      const { sackDelayMs } = scope.settings;
      return {
        hbinterval: heartbeatIntervalMs,
        pathmaxrxt: pathMaxRetransmissions,
        pathmtu: scope.path?.mtu ?? 0,
        sackdelay: sackDelayMs,
        heartbeat: heartbeats,
        pmtud: mtuDiscovery,
        sackdelay_enabled: sackDelayMs > 0,
        ipv6_flowlabel: 0,
        dscp: 0,
      };
    },
    set: setPathParameters,
  },
  peer_addr_thlds: {
    get: (scope) => {
      const settings = pathSettings(scope);
      return {
        pathmaxrxt: settings.pathMaxRetransmissions,
        pathpfthld: settings.potentiallyFailedMaxRetransmissions,
        pathcpthld: Math.min(settings.primarySwitchoverMaxRetransmissions, NEVER_SWITCHES),
      };
    },
    set: (scope, fields) => {
      const settings = pathSettings(scope);
      const threshold = fields.number("pathpfthld", 0, 0xffff) ??
        settings.potentiallyFailedMaxRetransmissions;
      const switchover = fields.number("pathcpthld", 0, 0xffff) ??
        Math.min(settings.primarySwitchoverMaxRetransmissions, NEVER_SWITCHES);
      if (switchover < threshold) { // RFC 7829 §5, 1
        throw invalid("peer_addr_thlds: the primary path cannot change before it is potentially failed");
      }
      changePathSettings(scope, {
        pathMaxRetransmissions: fields.number("pathmaxrxt", 0, 0xffff) ?? settings.pathMaxRetransmissions,
        potentiallyFailedMaxRetransmissions: threshold,
        primarySwitchoverMaxRetransmissions: switchover === NEVER_SWITCHES ? Infinity : switchover,
      });
    },
  },
  plpmtud_probe_interval: {
    get: (scope) => ({ interval: pathSettings(scope).plpmtudProbeIntervalMs }),
    set: (scope, fields) => {
      const interval = fields.required("interval", fields.number("interval", 0, MAX_MILLISECONDS));
      if (interval !== 0 && interval < MIN_PROBE_INTERVAL_MS) {
        throw invalid(
          `plpmtud_probe_interval: probes are at least ${MIN_PROBE_INTERVAL_MS} ms apart; 0 = none`,
        );
      }
      changePathSettings(scope, { plpmtudProbeIntervalMs: interval });
    },
  },
  remote_udp_encaps_port: {
    get: (scope) => ({
      port: scope.parts === undefined
        ? scope.settings.remoteEncapsulationPort
        : thePath(scope).encapsulationPort,
    }),
    set: (scope, fields) => {
      const port = fields.required("port", fields.number("port", 0, 0xffff));
      if (scope.parts === undefined) scope.settings.remoteEncapsulationPort = port;
      for (const path of targetPaths(scope)) path.encapsulationPort = port;
      scope.parts?.measureFragments();
    },
  },
  primary_addr: {
    get: (scope) => ({ address: theAssociation(scope).paths.primary.address }),
    set: (scope, fields) => {
      const parts = theAssociation(scope);
      const address = fields.required("address", fields.text("address"));
      const path = parts.paths.find(address);
      if (path === undefined) throw invalid(`primary_addr: ${address} is not an address of the peer`);
      if (!path.confirmed) throw invalid(`primary_addr: the peer has not confirmed ${address} yet`);
      parts.setPrimary(path);
    },
  },
  get_peer_addr_info: {
    get: (scope) => {
      const { state, cwnd, srttMs, rtoMs, mtu } = thePath(scope).status(
        theAssociation(scope).paths.primary,
        scope.settings.exposePotentiallyFailed,
      );
      return { state, cwnd, srtt: Math.round(srttMs), rto: Math.round(rtoMs), mtu };
    },
  },
  status: {
    get: (scope) => {
      const { association, paths: { primary } } = theAssociation(scope);
      const status = association.status();
      const path: PathStatus = primary.status(primary, scope.settings.exposePotentiallyFailed);
      return {
        state: status.state,
        rwnd: status.peerReceiveWindow,
        unackdata: status.unacknowledgedChunks,
        penddata: status.pendingMessages,
        instrms: status.inboundStreams,
        outstrms: status.outboundStreams,
        fragmentation_point: status.fragmentationPoint,
        primary: path.address,
        primary_state: path.state,
        primary_cwnd: path.cwnd,
        primary_srtt: Math.round(path.srttMs),
        primary_rto: Math.round(path.rtoMs),
        primary_mtu: path.mtu,
      };
    },
  },
};

/** RFC 7829 §7.2: with this threshold the primary path is never changed. */
const NEVER_SWITCHES = 0xffff;

/** As kernel SCTP has it (reference/sctp.md §2.2). */
const MIN_PROBE_INTERVAL_MS = 5000;

function targetPaths({ path, parts }: OptionScope): readonly ReturnType<typeof thePath>[] {
  return path !== undefined ? [path] : parts?.paths.list ?? [];
}

/** Everything is looked at before anything is changed. */
function setPathParameters(scope: OptionScope, fields: OptionFields): void {
  const old = pathSettings(scope);
  const change = {
    heartbeats: fields.boolean("heartbeat") ?? old.heartbeats,
    heartbeatIntervalMs: fields.number("hbinterval", 0, MAX_MILLISECONDS) ?? old.heartbeatIntervalMs,
    pathMaxRetransmissions: fields.number("pathmaxrxt", 0, 0xffff) ?? old.pathMaxRetransmissions,
    mtuDiscovery: fields.boolean("pmtud") ?? old.mtuDiscovery,
  };
  const mtu = fields.number("pathmtu", 0, MAX_PACKET_OCTETS) ?? 0;
  if (mtu > 0 && change.mtuDiscovery) {
    throw invalid("peer_addr_params: pathmtu can be set with pmtud=false only");
  }
  if (mtu > 0 && scope.parts === undefined) {
    throw invalid("peer_addr_params: pathmtu belongs to an association");
  }
  for (const path of mtu > 0 ? targetPaths(scope) : []) {
    const least = isIpv4(path.address) ? MIN_MTU_IPV4 : MIN_MTU_IPV6;
    if (mtu < least) {
      throw invalid(`peer_addr_params: the path to ${path.address} takes at least ${least} octets`);
    }
  }
  for (const field of ["ipv6_flowlabel", "dscp"]) {
    if ((fields.number(field, 0, 0xffff_ffff) ?? 0) === 0) continue;
    throw unsupported(`peer_addr_params: the packet drivers of this stack cannot set ${field}`);
  }
  const delay = sackDelay(fields, scope.settings.sackDelayMs);
  changePathSettings(scope, change);
  scope.settings.sackDelayMs = delay; // a SACK speaks for the association, so its delay does
  for (const path of targetPaths(scope)) {
    if (mtu > 0) path.fixMtu(mtu);
    scope.parts?.supervision.reschedule(path, scope.now);
    scope.parts?.arm(path.heartbeatAt);
  }
  scope.parts?.measureFragments();
}

function sackDelay(fields: OptionFields, old: number): number {
  const delay = fields.number("sackdelay", 0, MAX_SACK_DELAY_MS);
  const enabled = fields.boolean("sackdelay_enabled");
  if (enabled === false) return 0;
  if (delay !== undefined && delay > 0) return delay;
  return enabled === true && old === 0 ? DEFAULT_SACK_DELAY_MS : old;
}
