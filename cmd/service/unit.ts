/**
 * Units of systemd for commands that serve; see systemd.service(5) and systemd.exec(5).
 *
 * A service runs as a user of its own that exists only meanwhile, sees no homes, writes nowhere but into a folder of its own,
 * and may open sockets, raw ones included: the embedded SCTP stack sends packets of IP.
 */

/** The first line of every unit, by which `rsp service` knows its own. */
export const UNIT_MARK = "# Written by rsp service.";

/** What a unit starts. */
export interface UnitPlan {
  /** Name of the unit without its ending, and of the service's folder. */
  readonly name: string;
  readonly description: string;
  /** Name of the manual page. */
  readonly page: string;
  /** The whole command line; the program by its absolute path. */
  readonly line: readonly string[];
  /** Whether it runs programs of others in a sandbox of its own, for which namespaces are wanted. */
  readonly runsJobs: boolean;
}

/** What keeps every service away from the rest of the system. */
const CONFINEMENT: readonly string[] = [
  "NoNewPrivileges=yes",
  "ProtectSystem=strict",
  "ProtectHome=yes",
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "ProtectClock=yes",
  "ProtectControlGroups=yes",
  "ProtectHostname=yes",
  "ProtectKernelModules=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_PACKET AF_UNIX",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "LockPersonality=yes",
  "SystemCallArchitectures=native",
  "UMask=0077",
];

/** What a sandbox for jobs would not get over: bubblewrap refuses to run with capabilities that it has not asked for. */
const MORE_CONFINEMENT: readonly string[] = [
  "AmbientCapabilities=CAP_NET_RAW",
  "CapabilityBoundingSet=CAP_NET_RAW",
  "ProtectKernelLogs=yes",
  "ProtectKernelTunables=yes",
  "ProtectProc=invisible",
  "RestrictNamespaces=yes",
  "SystemCallFilter=@system-service @pkey",
  "SystemCallErrorNumber=EPERM",
];

/** And what takes its place. Without the kernel's SCTP the embedded stack then sends packets in UDP. */
const JOB_CONFINEMENT: readonly string[] = [
  "# Jobs have a sandbox of their own, which wants namespaces and no capabilities.",
  "CapabilityBoundingSet=",
];

/** Files and sockets that a service may have open: ten thousand associations, and as much again. */
const OPEN_FILES = 65_536;
/** Time to shut associations down before it is killed. */
const STOP_LIMIT_S = 20;

/** The unit file. */
export function unitFile({ name, description, page, line, runsJobs }: UnitPlan): string {
  return [
    UNIT_MARK,
    "[Unit]",
    `Description=${escaped(description)}`,
    `Documentation=man:${page}(1)`,
    "# The kernel's SCTP, where there is one, and the addresses to serve at.",
    "Wants=network-online.target modprobe@sctp.service",
    "After=network-online.target modprobe@sctp.service",
    "",
    "[Service]",
    "# It says itself when it serves.",
    "Type=notify",
    `ExecStart=${line.map(unitWord).join(" ")}`,
    "Restart=on-failure",
    "RestartSec=2",
    `TimeoutStopSec=${STOP_LIMIT_S}`,
    `LimitNOFILE=${OPEN_FILES}`,
    "",
    "# A user and a folder of its own: files without a path go into /var/lib/" + name + ".",
    "DynamicUser=yes",
    `StateDirectory=${name}`,
    `WorkingDirectory=%S/${name}`,
    `CacheDirectory=${name}`,
    `Environment=HOME=%S/${name} XDG_CACHE_HOME=%C/${name} NO_COLOR=1`,
    "",
    "# No MemoryDenyWriteExecute: the program is compiled while it runs.",
    ...CONFINEMENT,
    ...(runsJobs ? JOB_CONFINEMENT : MORE_CONFINEMENT),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}

/** A text in which systemd sees no specifiers. */
function escaped(text: string): string {
  return text.replaceAll("%", "%%");
}

/** A word of a command line as systemd.service(5) reads it: no variables, no specifiers, in quotes where it needs them. */
export function unitWord(text: string): string {
  const word = escaped(text).replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(word)) return word;
  const quoted = word.replaceAll(/[\\"]/g, (character) => `\\${character}`)
    .replaceAll("\n", "\\n").replaceAll("\t", "\\t");
  return `"${quoted}"`;
}
