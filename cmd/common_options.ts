/** Options that several commands share, spelled as in RSPLIB (reference/rsplib.md §1.2). */
import {
  choice,
  flag,
  hostSocket,
  hostSockets,
  identifier,
  integer,
  onOff,
  socket,
  text,
} from "./options.ts";
import { CSP_PORT } from "../protocol/csp/mod.ts";
import type { HostSocket, Option } from "./options.ts";

/** How often a component reports when nobody says it, as RSPLIB's registrar does. */
export const DEFAULT_STATUS_INTERVAL_MS = 250;

/** Between reports: more often tells nobody more, and longer would not fit into a report, which has microseconds. */
export const MIN_STATUS_INTERVAL_MS = 10, MAX_STATUS_INTERVAL_MS = 3_600_000;

/** What may carry SCTP. */
export type TransportChoice = "auto" | "kernel" | "embedded";

/** How the embedded stack packs its packets. */
export type EncapsulationChoice = "auto" | "raw" | "udp";

/** Options about what carries SCTP. */
export interface TransportOptions {
  readonly transport: Option<TransportChoice>;
  readonly encapsulation: Option<EncapsulationChoice>;
  readonly capture: Option<string | undefined>;
  readonly [name: string]: Option<unknown>;
}

/** For every command that talks SCTP. */
export const transportOptions: TransportOptions = {
  transport: choice(["auto", "kernel", "embedded"], "What carries SCTP; auto asks the kernel first", {
    defaultValue: "auto",
    variable: "RSP_TRANSPORT",
    group: "Transport",
  }),
  encapsulation: choice(
    ["auto", "raw", "udp"],
    "Packets of the embedded stack: raw = plain SCTP over IP or an error, udp = in UDP only, auto = raw if allowed",
    {
      defaultValue: "auto",
      variable: "RSP_ENCAPSULATION",
      group: "Transport",
    },
  ),
  capture: text(
    "Write the SCTP packets of this program into a file for Wireshark (pcapng); - is standard output",
    {
      valueName: "FILE",
      defaultValue: undefined,
      group: "Transport",
    },
  ),
};

/** Options about the log. */
export interface LogOptions {
  readonly loglevel: Option<number>;
  readonly logquiet: Option<boolean>;
  readonly logfile: Option<string | undefined>;
  readonly logappend: Option<string | undefined>;
  readonly logcolor: Option<boolean | undefined>;
  readonly json: Option<boolean>;
  readonly [name: string]: Option<unknown>;
}

/** For every command that runs for a while. */
export const logOptions: LogOptions = {
  loglevel: integer("0 nothing, 1 errors, 2 warnings, 3 notes, 4 actions, 5 to 9 ever more", {
    min: 0,
    max: 9,
    defaultValue: 3,
    group: "Log",
  }),
  logquiet: flag("Log nothing (log level 0)", { group: "Log" }),
  logfile: text("Log into a new file instead of standard error", {
    valueName: "FILE",
    defaultValue: undefined,
    group: "Log",
  }),
  logappend: text("Log behind what the file has already", {
    valueName: "FILE",
    defaultValue: undefined,
    group: "Log",
  }),
  logcolor: onOff("Colours in the log", {
    defaultValue: undefined,
    defaultText: "on in a terminal",
    group: "Log",
  }),
  json: flag("One JSON object a line instead of text for people", { group: "Log" }),
};

/** Options about how registrars are found. */
export interface RegistrarHuntOptions {
  readonly registrar: Option<readonly HostSocket[]>;
  readonly asapannounce: Option<"auto" | "off" | "none" | HostSocket | undefined>;
  readonly registrarannouncetimeout: Option<number>;
  readonly registrarconnecttimeout: Option<number>;
  readonly registrarconnectmaxtrials: Option<number>;
  readonly registrarrequesttimeout: Option<number>;
  readonly registrarresponsetimeout: Option<number>;
  readonly registrarrequestmaxtrials: Option<number>;
  readonly [name: string]: Option<unknown>;
}

const hunt = { group: "Registrar" } as const;
const wait = { ...hunt, valueName: "ms", min: 100, max: 600_000 } as const;
const trials = { ...hunt, valueName: "n", min: 1, max: 1000 } as const;

/** For pool elements and pool users. */
export const registrarHuntOptions: RegistrarHuntOptions = {
  registrar: hostSockets("A registrar, with all its addresses; may be given several times", {
    ...hunt,
    defaultPort: 3863,
  }),
  asapannounce: socket("Multicast group in which registrars announce themselves", {
    ...hunt,
    words: ["auto", "off", "none"],
    valueName: "auto|off|none|group[:port]",
    defaultValue: "auto",
    defaultText: "auto: 239.0.0.50:3863",
    defaultPort: 3863,
  }),
  registrarannouncetimeout: integer("How long an announce is good for", { ...wait, defaultValue: 5000 }),
  registrarconnecttimeout: integer("How long an association to a registrar may take to set up", {
    ...wait,
    defaultValue: 7500,
  }),
  registrarconnectmaxtrials: integer("Attempts to connect before another registrar is tried", {
    ...trials,
    defaultValue: 1,
  }),
  registrarrequesttimeout: integer("How long a request may take to send", { ...wait, defaultValue: 3000 }),
  registrarresponsetimeout: integer("How long an answer may take", { ...wait, defaultValue: 3000 }),
  registrarrequestmaxtrials: integer("How often a request may go without an answer before it fails", {
    ...trials,
    defaultValue: 1,
  }),
};

/** Options about how a command that serves is run. */
export interface BackgroundOptions {
  readonly daemonpidfile: Option<string | undefined>;
  readonly [name: string]: Option<unknown>;
}

/** For every command that serves. */
export const backgroundOptions: BackgroundOptions = {
  daemonpidfile: text(
    "Run in the background, and write the process ID into this file; -logfile keeps the log",
    { valueName: "FILE", defaultValue: undefined, group: "Background" },
  ),
};

/** Options about reports to a monitor. */
export interface StatusOptions {
  readonly cspserver: Option<HostSocket | undefined>;
  readonly cspinterval: Option<number | undefined>;
  readonly [name: string]: Option<unknown>;
}

const status = { group: "Status reports" } as const;

/** For every component of a pool. */
export const statusOptions: StatusOptions = {
  cspserver: hostSocket("Report the component's status to a monitor there, by UDP", {
    ...status,
    defaultPort: CSP_PORT,
    variable: "CSP_SERVER",
    defaultText: `off; with -cspinterval 127.0.0.1:${CSP_PORT}`,
  }),
  cspinterval: integer("Time between two reports", {
    ...status,
    valueName: "ms",
    min: MIN_STATUS_INTERVAL_MS,
    max: MAX_STATUS_INTERVAL_MS,
    defaultValue: undefined,
    variable: "CSP_INTERVAL",
    defaultText: `off; with -cspserver ${DEFAULT_STATUS_INTERVAL_MS}`,
  }),
};

/** For elements and users: RSPLIB's know their ID in reports by this option alone. */
export const statusIdentifier: Option<number | undefined> = identifier("Another ID in status reports", {
  ...status,
  defaultText: "as -identifier",
});
