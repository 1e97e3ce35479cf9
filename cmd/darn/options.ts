/** Options of `rsp darn`: those of sctp_darn (reference/sctp.md §1.1), and its own. */
import { transportOptions } from "../common_options.ts";
import type { TransportOptions } from "../common_options.ts";
import { choice, decimal, flag, integer, text, texts } from "../options.ts";
import type { Option } from "../options.ts";
import { VIEWS } from "./render/message.ts";
import type { View } from "./render/message.ts";

/** What stands behind a line that is sent as a message. */
export const LINE_ENDS = ["lf", "none", "nul", "lf-nul"] as const;

/** What stands behind a line that is sent as a message; the original: `lf-nul`. */
export type LineEnd = typeof LINE_ENDS[number];

/** The options. */
export interface DarnOptionTable extends TransportOptions {
  readonly local: Option<string | undefined>;
  readonly "local-port": Option<number>;
  readonly "bindx-add": Option<readonly string[]>;
  readonly "bindx-rem": Option<readonly string[]>;
  readonly remote: Option<string | undefined>;
  readonly "remote-port": Option<number>;
  readonly connectx: Option<readonly string[]>;
  readonly interface: Option<string | undefined>;
  readonly listen: Option<boolean>;
  readonly send: Option<boolean>;
  readonly interactive: Option<boolean>;
  readonly poll: Option<number | undefined>;
  readonly "use-poll": Option<boolean>;
  readonly "message-size": Option<number>;
  readonly echo: Option<boolean>;
  readonly once: Option<boolean>;
  readonly command: Option<readonly string[]>;
  readonly "keep-going": Option<boolean>;
  readonly timeout: Option<number | undefined>;
  readonly "line-end": Option<LineEnd>;
  readonly buffers: Option<number | undefined>;
  readonly "non-blocking": Option<boolean>;
  readonly "one-to-one": Option<boolean>;
  readonly json: Option<boolean>;
  readonly timestamps: Option<boolean>;
  readonly quiet: Option<boolean>;
  readonly verbose: Option<boolean>;
  readonly view: Option<View>;
  readonly show: Option<number>;
  readonly history: Option<string | undefined>;
  readonly streams: Option<number>;
  readonly "max-instreams": Option<number>;
  readonly hbinterval: Option<number | undefined>;
  readonly "rto-initial": Option<number | undefined>;
  readonly "rto-min": Option<number | undefined>;
  readonly "rto-max": Option<number | undefined>;
  readonly "max-init": Option<number | undefined>;
  readonly "assoc-max": Option<number | undefined>;
  readonly "path-max": Option<number | undefined>;
  readonly "pf-max": Option<number | undefined>;
  readonly "sack-delay": Option<number | undefined>;
  readonly "sack-frequency": Option<number | undefined>;
  readonly "cookie-life": Option<number | undefined>;
  readonly "max-burst": Option<number | undefined>;
  readonly autoclose: Option<number>;
  readonly plpmtud: Option<number>;
  readonly "sender-dry": Option<boolean>;
  readonly pr: Option<boolean>;
  readonly reconfig: Option<boolean>;
  readonly interleaving: Option<boolean>;
  readonly auth: Option<boolean>;
  readonly asconf: Option<boolean>;
  readonly adaptation: Option<number | undefined>;
  readonly "encap-port": Option<number | undefined>;
  readonly "udp-port": Option<number | undefined>;
}

const addresses = { group: "Addresses" } as const,
  modes = { group: "Modes" } as const,
  shown = { group: "What is shown" } as const,
  socket = { group: "Socket" } as const,
  extensions = { group: "Extensions" } as const,
  transport = { group: "Transport" } as const;
const port = { min: 0, max: 65535, valueName: "port" } as const;
const ms = { ...socket, min: 0, max: 86_400_000, valueName: "ms", defaultValue: undefined } as const;
const count = { ...socket, min: 0, max: 65535, valueName: "n", defaultValue: undefined } as const;

/** A time-out of 0 would send all tries at once. */
const rto = { ...ms, min: 1 } as const;

/** A default that kernel SCTP takes from the system's settings. */
function systemWide(value: string, setting: string): string {
  return `${value}; on kernel SCTP net.sctp.${setting}`;
}

/** The table that parser, help and README read. */
export const darnOptionTable: DarnOptionTable = {
  local: text("Address of this host to use; :: is all of them, 0.0.0.0 all of IPv4", {
    ...addresses,
    aliases: ["H"],
    valueName: "host",
    defaultValue: undefined,
    defaultText: "::",
  }),
  "local-port": integer("SCTP port of this side; 0 is any", {
    ...addresses,
    ...port,
    aliases: ["P"],
    defaultValue: 0,
  }),
  "bindx-add": texts("One more address of this host", { ...addresses, aliases: ["B"], valueName: "host" }),
  "bindx-rem": texts("An address of this host to leave out", {
    ...addresses,
    aliases: ["b"],
    valueName: "host",
  }),
  remote: text("The peer; all addresses of its name are tried", {
    ...addresses,
    aliases: ["h"],
    valueName: "host",
    defaultValue: undefined,
  }),
  "remote-port": integer("SCTP port of the peer", { ...addresses, ...port, aliases: ["p"], defaultValue: 0 }),
  connectx: texts("An address of the peer, in the place of -h; may be given several times", {
    ...addresses,
    aliases: ["c"],
    valueName: "host",
  }),
  interface: text("Interface of link-local IPv6 addresses; without a name, eth0", {
    ...addresses,
    valueName: "name",
    bareValue: "eth0",
    defaultValue: undefined,
  }),

  listen: flag("Accept associations and show what comes", { ...modes, aliases: ["l"] }),
  send: flag("Send: lines of the input as messages, or with -I what commands say", {
    ...modes,
    aliases: ["s"],
  }),
  interactive: flag("Take commands: at a prompt, or from a file or pipe", { ...modes, aliases: ["I"] }),
  poll: integer("Listen on so many ports, from -P on; with -h and -p the first one sends as fast as it may", {
    ...modes,
    aliases: ["i"],
    min: 1,
    max: 256,
    defaultValue: undefined,
  }),
  "use-poll": flag("For -i: poll(2) instead of select(2); makes no difference here", modes),
  "message-size": integer("For -i: octets of a message", {
    ...modes,
    aliases: ["z"],
    min: 1,
    max: 16_777_216,
    valueName: "octets",
    defaultValue: 16_384,
  }),
  echo: flag("Send every received message back", { ...modes, aliases: ["e"] }),
  once: flag("End when the last association has ended", { ...modes, aliases: ["1"] }),
  command: texts("A command to carry out before those of the input; may be given several times", {
    ...modes,
    valueName: "line",
  }),
  "keep-going": flag("A script goes on when a command fails", modes),
  timeout: decimal("The longest to wait for a peer or an event", {
    ...modes,
    aliases: ["w"],
    min: 0.001,
    max: 86_400,
    valueName: "s",
    defaultValue: undefined,
    defaultText: "for ever",
  }),
  "line-end": choice(LINE_ENDS, "What stands behind a line that is sent", {
    ...modes,
    defaultValue: "lf",
    defaultText: "lf; called sctp_darn, as the original: lf-nul",
  }),

  json: flag("One JSON object a line for everything that is shown", shown),
  timestamps: flag("The time in front of every line", { ...shown, aliases: ["time"] }),
  quiet: flag("Show nothing but errors and answers to commands", { ...shown, aliases: ["q"] }),
  verbose: flag("The original's SNDRCV block for every message", { ...shown, aliases: ["v"] }),
  view: choice(VIEWS, "How the contents of messages are shown", { ...shown, defaultValue: "text" }),
  show: integer("Octets of a message that are shown", {
    ...shown,
    min: 0,
    max: 1_000_000_000,
    valueName: "octets",
    defaultValue: 256,
  }),
  history: text("File that keeps the lines of the prompt; off keeps none", {
    ...shown,
    valueName: "FILE",
    defaultValue: undefined,
    defaultText: "rsp/darn_history in the state folder",
  }),

  buffers: integer("Size of the send buffer and of the receive buffer", {
    ...socket,
    aliases: ["m"],
    min: 1,
    max: 1_073_741_824,
    valueName: "octets",
    defaultValue: undefined,
  }),
  "non-blocking": flag("Fail where sending or receiving would have to wait", { ...socket, aliases: ["n"] }),
  "one-to-one": flag("One association a socket (SOCK_STREAM)", { ...socket, aliases: ["t"] }),
  streams: integer("Streams to send on", { ...socket, min: 1, max: 65535, defaultValue: 10 }),
  "max-instreams": integer("Streams that a peer may have", {
    ...socket,
    min: 1,
    max: 65535,
    defaultValue: 65535,
  }),
  hbinterval: integer("How often idle paths are probed; 0 = never", {
    ...ms,
    defaultText: systemWide("30000", "hb_interval"),
  }),
  "rto-initial": integer("First retransmission time-out", {
    ...rto,
    defaultText: systemWide("1000", "rto_initial"),
  }),
  "rto-min": integer("Shortest retransmission time-out", {
    ...rto,
    defaultText: systemWide("1000", "rto_min"),
  }),
  "rto-max": integer("Longest retransmission time-out", {
    ...rto,
    defaultText: systemWide("60000", "rto_max"),
  }),
  "max-init": integer("Retransmissions of INIT and COOKIE ECHO", {
    ...count,
    defaultText: systemWide("8", "max_init_retransmits"),
  }),
  "assoc-max": integer("Errors in a row after which the association is given up", {
    ...count,
    defaultText: systemWide("10", "association_max_retrans"),
  }),
  "path-max": integer("Errors in a row after which a path is inactive", {
    ...count,
    defaultText: systemWide("5", "path_max_retrans"),
  }),
  "pf-max": integer("Errors in a row above which a path is potentially failed", {
    ...count,
    defaultText: systemWide("0", "pf_retrans"),
  }),
  "sack-delay": integer("How long a SACK may be held back", {
    ...ms,
    max: 500,
    defaultText: systemWide("200", "sack_timeout"),
  }),
  "sack-frequency": integer("A SACK at least every so many packets", {
    ...count,
    min: 1,
    defaultText: "2; on kernel SCTP 1",
  }),
  "cookie-life": integer("How long a state cookie is valid", {
    ...ms,
    defaultText: systemWide("60000", "valid_cookie_life"),
  }),
  "max-burst": integer("Packets sent at once at most; 0 = no limit", {
    ...count,
    defaultText: systemWide("4", "max_burst"),
  }),
  autoclose: integer("End associations that were idle for so long; 0 = never", {
    ...socket,
    min: 0,
    max: 2_000_000,
    valueName: "s",
    defaultValue: 0,
  }),
  plpmtud: integer("Probe the path MTU so often (RFC 8899); 0 = never", {
    ...socket,
    min: 0,
    max: 86_400_000,
    valueName: "ms",
    defaultValue: 0,
  }),
  "sender-dry": flag("Tell when all that was sent is acknowledged", socket),

  pr: flag("Offer partial reliability (RFC 3758)", { ...extensions, defaultValue: true }),
  reconfig: flag("Offer stream reconfiguration (RFC 6525)", { ...extensions, defaultValue: true }),
  interleaving: flag("Offer message interleaving (RFC 8260)", extensions),
  auth: flag("Offer authentication (RFC 4895)", { ...extensions, defaultValue: true }),
  asconf: flag("Offer dynamic addresses (RFC 5061), which need authentication", {
    ...extensions,
    defaultValue: true,
  }),
  adaptation: integer("Adaptation layer indication to announce", {
    ...extensions,
    min: 0,
    max: 0xffff_ffff,
    defaultValue: undefined,
  }),

  ...transportOptions,
  "encap-port": integer("UDP port of the peer's encapsulation (RFC 6951); 0 = plain SCTP", {
    ...transport,
    ...port,
    defaultValue: undefined,
    defaultText: "found out",
  }),
  "udp-port": integer("One more UDP port of the embedded stack, such as 9899", {
    ...transport,
    ...port,
    min: 1,
    defaultValue: undefined,
  }),
};
