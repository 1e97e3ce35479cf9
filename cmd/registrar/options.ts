/** Options of the registrar, spelled as in RSPLIB (reference/rsplib.md §1.3). */
import { backgroundOptions, logOptions, statusOptions, transportOptions } from "../common_options.ts";
import type { BackgroundOptions, LogOptions, StatusOptions, TransportOptions } from "../common_options.ts";
import type { RegistrarTimes } from "../../protocol/registrar/options.ts";
import { RFC_TIMES, RSPLIB_TIMES } from "../../protocol/registrar/presets.ts";
import { livesOptions } from "../driver/lives.ts";
import type { LivesOptions } from "../driver/lives.ts";
import { MULTICAST_TTL } from "../driver/multicast.ts";
import { choice, decimal, flag, hostSockets, identifier, integer, socket, text } from "../options.ts";
import type { HostSocket, Option, OptionValues } from "../options.ts";

type GroupChoice = "auto" | "off" | "none" | HostSocket | undefined;

/** Options of the registrar. */
export interface RegistrarOptionTable
  extends LivesOptions, BackgroundOptions, LogOptions, StatusOptions, TransportOptions {
  readonly identifier: Option<number | undefined>;
  readonly preset: Option<"rsplib" | "rfc">;
  readonly minaddressscope: Option<"auto" | "loopback" | "sitelocal" | "site-local" | "global">;
  readonly autoclosetimeout: Option<number>;
  readonly announcettl: Option<number>;
  readonly "disable-ipv6": Option<boolean>;
  readonly quiet: Option<boolean>;
  readonly metrics: Option<HostSocket | undefined>;
  readonly asap: Option<"auto" | HostSocket | undefined>;
  readonly asapannounce: Option<GroupChoice>;
  readonly serverannouncecycle: Option<number | undefined>;
  readonly endpointkeepalivetransmissioninterval: Option<number | undefined>;
  readonly endpointkeepalivetimeoutinterval: Option<number | undefined>;
  readonly maxhresitems: Option<number>;
  readonly maxincrement: Option<number>;
  readonly distancestep: Option<number>;
  readonly enrp: Option<"auto" | HostSocket | undefined>;
  readonly enrpannounce: Option<GroupChoice>;
  readonly peer: Option<readonly HostSocket[]>;
  readonly peerheartbeatcycle: Option<number | undefined>;
  readonly peermaxtimelastheard: Option<number | undefined>;
  readonly peermaxtimenoresponse: Option<number | undefined>;
  readonly mentordiscoverytimeout: Option<number | undefined>;
  readonly takeoverexpiryinterval: Option<number | undefined>;
  readonly supporttakeoversuggestion: Option<boolean>;
  readonly maxelementsperhtrequest: Option<number>;
  readonly maxbadpereports: Option<number>;
  readonly maxhrrate: Option<number>;
  readonly maxeurate: Option<number>;
  readonly maxpools: Option<number>;
  readonly maxelements: Option<number>;
  readonly maxassociations: Option<number>;
  readonly maxelementsperassociation: Option<number>;
  readonly maxpeers: Option<number>;
  readonly actionlogfile: Option<string | undefined>;
  readonly statsfile: Option<string | undefined>;
  readonly statsinterval: Option<number>;
  readonly scalar: Option<string | undefined>;
  readonly object: Option<string>;
}

/** Values of {@linkcode registrarOptionTable}. */
export type RegistrarOptionValues = OptionValues<RegistrarOptionTable>;

/** HTTP's ports are TCP's, so the number of ENRP's SCTP port is free for it. */
const METRICS_PORT = 9901;

const asap = { group: "ASAP" } as const,
  enrp = { group: "ENRP" } as const,
  limits = { group: "Limits" } as const,
  general = { group: "General" } as const;
const files = { group: "Files", valueName: "FILE" } as const;

/** A time that the preset says unless the command line does. */
function time(
  summary: string,
  group: { readonly group: string },
  { range: [min, max], preset }: {
    readonly range: readonly [number, number];
    readonly preset: keyof RegistrarTimes;
  },
): Option<number | undefined> {
  const rsplib = RSPLIB_TIMES[preset], rfc = RFC_TIMES[preset];
  const defaultText = rsplib === rfc ? String(rsplib) : `${rsplib}; ${rfc} with -preset=rfc`;
  return integer(summary, { ...group, valueName: "ms", min, max, defaultValue: undefined, defaultText });
}

/** A rate; whatever is not above 0 means that there is no limit, as with RSPLIB. */
function rate(summary: string): Option<number> {
  return decimal(summary, {
    ...limits,
    valueName: "x",
    min: -1,
    max: 1_000_000,
    defaultValue: -1,
    defaultText: "no limit",
  });
}

function limit(summary: string, defaultValue: number): Option<number> {
  return integer(summary, { ...limits, min: 1, max: 10_000_000, defaultValue });
}

/** The table that parser, help and README read. */
export const registrarOptionTable: RegistrarOptionTable = {
  identifier: identifier("ID of this registrar", general),
  preset: choice(["rsplib", "rfc"], "Whose times hold unless one is given: RSPLIB's or the RFCs'", {
    ...general,
    defaultValue: "rsplib",
  }),
  minaddressscope: choice(
    ["auto", "loopback", "sitelocal", "site-local", "global"],
    "How far addresses must reach to be given to others; auto takes loopback ones over loopback",
    { ...general, defaultValue: "auto", valueName: "auto|loopback|sitelocal|global" },
  ),
  autoclosetimeout: integer("Idle associations are shut down after this", {
    ...general,
    valueName: "s",
    min: 5,
    max: 86_400,
    defaultValue: 300,
  }),
  announcettl: integer("Hops that announces and presences may travel", {
    ...general,
    min: 0,
    max: 255,
    defaultValue: MULTICAST_TTL,
  }),
  "disable-ipv6": flag("Serve IPv4 addresses only", general),
  quiet: flag("Log warnings and errors only", general),
  metrics: socket("Serve metrics for Prometheus by HTTP there, path /metrics", {
    ...general,
    words: [],
    defaultValue: undefined,
    defaultPort: METRICS_PORT,
  }),

  asap: socket("Addresses and port of ASAP", {
    ...asap,
    words: ["auto"],
    defaultValue: "auto",
    defaultText: "auto: all addresses, port 3863 or, when that is in use, any",
    defaultPort: 3863,
  }),
  asapannounce: socket("Multicast group to announce this registrar in", {
    ...asap,
    words: ["auto", "off", "none"],
    valueName: "auto|off|none|group[:port]",
    defaultValue: "auto",
    defaultText: "auto: 239.0.0.50:3863",
    defaultPort: 3863,
  }),
  serverannouncecycle: time("Mean time between announces, ±12.5 %", asap, {
    range: [100, 60_000],
    preset: "announceIntervalMs",
  }),
  endpointkeepalivetransmissioninterval: time("Mean time between keep-alives to an element, ±50 %", asap, {
    range: [300, 300_000],
    preset: "keepAliveIntervalMs",
  }),
  endpointkeepalivetimeoutinterval: time(
    "An element that is silent to a keep-alive for so long is removed",
    asap,
    { range: [100, 60_000], preset: "keepAliveTimeoutMs" },
  ),
  maxhresitems: integer("Elements in an answer when the user does not say how many", {
    ...asap,
    min: 1,
    max: 128,
    defaultValue: 3,
  }),
  maxincrement: integer("So many elements of an answer count as used, for policies that take turns", {
    ...asap,
    min: 0,
    max: 128,
    defaultValue: 0,
    defaultText: "0: as each policy has it",
  }),
  distancestep: integer("Distances of elements, for the policies that weigh them, are multiples of this", {
    ...asap,
    valueName: "ms",
    min: 1,
    max: 60_000,
    defaultValue: 50,
  }),

  enrp: socket("Addresses and port of ENRP", {
    ...enrp,
    words: ["auto"],
    defaultValue: "auto",
    defaultText: "auto: all addresses, port 9901 or, when that is in use, any",
    defaultPort: 9901,
  }),
  enrpannounce: socket("Multicast group to show this registrar to other registrars in", {
    ...enrp,
    words: ["auto", "off", "none"],
    valueName: "auto|off|none|group[:port]",
    defaultValue: "auto",
    defaultText: "auto: 239.0.0.51:9901",
    defaultPort: 9901,
    aliases: ["enrpmulticast"],
  }),
  peer: hostSockets("Another registrar, with all its addresses; may be given several times", {
    ...enrp,
    defaultPort: 9901,
  }),
  peerheartbeatcycle: time("Mean time between presences, ±12.5 %", enrp, {
    range: [100, 300_000],
    preset: "presenceIntervalMs",
  }),
  peermaxtimelastheard: time("Another registrar that is silent for so long is asked for a presence", enrp, {
    range: [100, 300_000],
    preset: "maxTimeLastHeardMs",
  }),
  peermaxtimenoresponse: time("One that does not answer that for so long is dead: it is taken over", enrp, {
    range: [100, 60_000],
    preset: "maxTimeNoResponseMs",
  }),
  mentordiscoverytimeout: {
    ...time("How long to wait at the start for another registrar to learn from", enrp, {
      range: [100, 60_000],
      preset: "mentorDiscoveryTimeoutMs",
    }),
    aliases: ["mentorhuntinterval"],
  },
  takeoverexpiryinterval: time("How long a takeover waits for the other registrars", enrp, {
    range: [100, 60_000],
    preset: "takeoverExpiryMs",
  }),
  supporttakeoversuggestion: flag("Offer elements to the registrars that suit them best", enrp),
  maxelementsperhtrequest: integer("Elements in a handle table response", {
    ...enrp,
    min: 1,
    max: 65_535,
    defaultValue: 128,
  }),

  maxbadpereports: integer("So many reports within a minute that an element is unreachable remove it", {
    ...limits,
    min: 1,
    max: 1_000_000,
    defaultValue: 3,
  }),
  maxhrrate: rate("Resolutions a second that one user may ask of one pool"),
  maxeurate: rate("Unreachable reports a second that one user may send about one pool"),
  maxpools: limit("Pools", 10_000),
  maxelements: limit("Elements in all pools", 200_000),
  maxassociations: limit("Associations with elements and users", 10_000),
  maxelementsperassociation: limit("Elements that one association may register", 128),
  maxpeers: limit("Other registrars that are known at a time", 128),

  ...statusOptions,
  ...backgroundOptions,
  ...transportOptions,
  ...logOptions,

  actionlogfile: text("Write down every message; .bz2 packs the file", { ...files, defaultValue: undefined }),
  statsfile: text("Write down the counters now and then; .bz2 packs the file", {
    ...files,
    defaultValue: undefined,
  }),
  statsinterval: integer("Time between two lines of the statistics file", {
    ...files,
    valueName: "ms",
    min: 10,
    max: 3_600_000,
    defaultValue: 1000,
  }),
  scalar: text("Write totals and means at the end", { ...files, defaultValue: undefined }),
  object: text("Whose totals they are", { ...files, valueName: "ID", defaultValue: "registrar" }),

  ...livesOptions,
};
