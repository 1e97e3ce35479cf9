/** Options of the registrar, spelled as in RSPLIB (reference/rsplib.md §1.3). */
import { logOptions, transportOptions } from "../common_options.ts";
import type { LogOptions, TransportOptions } from "../common_options.ts";
import { choice, flag, identifier, integer, notYet, socket } from "../options.ts";
import type { Option, Socket } from "../options.ts";

type GroupChoice = "auto" | "off" | "none" | Socket | undefined;

/** Options of the registrar. */
export interface RegistrarOptionTable extends LogOptions, TransportOptions {
  readonly identifier: Option<number | undefined>;
  readonly asap: Option<"auto" | Socket | undefined>;
  readonly enrp: Option<"auto" | Socket | undefined>;
  readonly asapannounce: Option<GroupChoice>;
  readonly enrpannounce: Option<GroupChoice>;
  readonly serverannouncecycle: Option<number>;
  readonly endpointkeepalivetransmissioninterval: Option<number>;
  readonly endpointkeepalivetimeoutinterval: Option<number>;
  readonly maxbadpereports: Option<number>;
  readonly maxhresitems: Option<number>;
  readonly minaddressscope: Option<"auto" | "loopback" | "sitelocal" | "site-local" | "global">;
  readonly autoclosetimeout: Option<number>;
  readonly "disable-ipv6": Option<boolean>;
  readonly quiet: Option<boolean>;
}

const asap = { group: "ASAP" } as const,
  enrp = { group: "ENRP" } as const,
  general = { group: "General" } as const;
const later = { group: "Not yet" } as const;

/** The table that parser, help and README read. */
export const registrarOptionTable: RegistrarOptionTable = {
  identifier: identifier("ID of this registrar", general),
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
  "disable-ipv6": flag("Serve IPv4 addresses only", general),
  quiet: flag("Log warnings and errors only", general),

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
    defaultValue: "auto",
    defaultText: "auto: 239.0.0.50:3863",
    defaultPort: 3863,
  }),
  serverannouncecycle: integer("Mean time between announces, ±12.5 %", {
    ...asap,
    valueName: "ms",
    min: 100,
    max: 60_000,
    defaultValue: 1000,
  }),
  endpointkeepalivetransmissioninterval: integer("Time between keep-alives to an element", {
    ...asap,
    valueName: "ms",
    min: 300,
    max: 300_000,
    defaultValue: 5000,
  }),
  endpointkeepalivetimeoutinterval: integer(
    "An element that is silent to a keep-alive for so long is removed",
    {
      ...asap,
      valueName: "ms",
      min: 100,
      max: 60_000,
      defaultValue: 5000,
    },
  ),
  maxbadpereports: integer("So many reports that an element is unreachable remove it", {
    ...asap,
    min: 1,
    max: 1_000_000,
    defaultValue: 3,
  }),
  maxhresitems: integer("Elements in an answer when the user does not say how many", {
    ...asap,
    min: 1,
    max: 128,
    defaultValue: 3,
  }),

  enrp: socket("Addresses and port of ENRP", {
    ...enrp,
    words: ["auto"],
    defaultValue: "auto",
    defaultText: "auto: all addresses, port 9901 or, when that is in use, any",
    defaultPort: 9901,
  }),
  enrpannounce: socket("Multicast group to hear other registrars in", {
    ...enrp,
    words: ["auto", "off", "none"],
    defaultValue: "auto",
    defaultText: "auto: 239.0.0.51:9901",
    defaultPort: 9901,
    aliases: ["enrpmulticast"],
  }),

  ...transportOptions,
  ...logOptions,

  peer: notYet("Other registrars, by address", later),
  peerheartbeatcycle: notYet("Time between presences", later),
  peermaxtimelastheard: notYet("Silence of another registrar before it is asked", later),
  peermaxtimenoresponse: notYet("Silence of another registrar before it is taken over", later),
  mentordiscoverytimeout: notYet("Wait for another registrar at the start", later),
  takeoverexpiryinterval: notYet("Limit of a takeover", later),
  supporttakeoversuggestion: notYet("RSPLIB's takeover suggestion", later),
  maxelementsperhtrequest: notYet("Elements in a handle table response", later),
  maxhrrate: notYet("Limit of resolutions a second", later),
  maxeurate: notYet("Limit of unreachable reports a second", later),
  maxincrement: notYet("Step of the ordered policies", later),
  distancestep: notYet("Rounding of delays for the distance policies", later),
  cspserver: notYet("Component status monitor", later),
  cspinterval: notYet("Time between status reports", later),
  daemonpidfile: notYet("Run in the background", later),
  uptime: notYet("Failure tester: time up", later),
  downtime: notYet("Failure tester: time down", later),
  actionlogfile: notYet("Log of events", later),
  statsfile: notYet("Log of counters", later),
  statsinterval: notYet("Time between counters", later),
  scalar: notYet("Totals at the end", later),
  object: notYet("Name in the totals", later),
};
