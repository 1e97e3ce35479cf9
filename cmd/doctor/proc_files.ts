/** Reads the tables of /proc and /etc that `rsp doctor` looks into. Texts in, facts out. */
import type { Capability, ModprobeLine } from "./facts.ts";

/** A socket that has a port. */
export interface BoundPort {
  readonly port: number;
  readonly userId: number;
  /** Names the socket among the descriptors of processes. */
  readonly inode: string;
}

/** /proc/net/udp and /proc/net/udp6. */
export function readUdpTable(text: string): BoundPort[] {
  return text.split("\n").slice(1).flatMap((line) => {
    // sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …
    const fields = line.trim().split(/\s+/);
    const port = Number.parseInt(fields[1]?.split(":")[1] ?? "", 16);
    return boundPort(port, fields[7], fields[9]);
  });
}

/** /proc/net/sctp/eps: ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS. */
export function readSctpEndpoints(text: string): BoundPort[] {
  return text.split("\n").slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    return boundPort(Number(fields[5]), fields[6], fields[7]);
  });
}

function boundPort(port: number, userId: string | undefined, inode: string | undefined): BoundPort[] {
  if (!(port > 0) || userId === undefined || inode === undefined) return [];
  return [{ port, userId: Number(userId), inode }];
}

/** Bits of CapEff (linux/capability.h). */
const CAPABILITY_BITS = { CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_SYS_MODULE: 16n } as const;

/** Effective capabilities in /proc/self/status. */
export function readCapabilities(status: string): Set<Capability> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const found = new Set<Capability>();
  for (const [name, bit] of Object.entries(CAPABILITY_BITS)) {
    if ((mask >> bit & 1n) === 1n) found.add(name as Capability);
  }
  return found;
}

/** The effective user of /proc/self/status. */
export function readUserId(status: string): number | undefined {
  const text = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1];
  return text === undefined ? undefined : Number(text);
}

/** The soft limit of open files in /proc/self/limits. */
export function readMaxOpenFiles(limits: string): number | undefined {
  const text = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
  return text === undefined ? undefined : text === "unlimited" ? Infinity : Number(text);
}

/** Lines of a file of modprobe's configuration that keep sctp from being loaded. */
export function readObstacles(file: string, text: string): ModprobeLine[] {
  return text.split("\n").map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => /^blacklist sctp$/.test(line) || /^install sctp \S*\/(false|true)\b/.test(line))
    .map((line) => ({ file, line }));
}

/** Whether modules.dep or modules.builtin names the module; its path below the folder of the kernel's modules. */
export function readModulePath(text: string): string | undefined {
  return /^(\S*\/sctp\.ko(?:\.\w+)?)(?::|\s*$)/m.exec(text)?.[1];
}

/** `ID` and `ID_LIKE` of /etc/os-release. */
export function readDistribution(text: string): string {
  const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1] ?? "";
  return `${value("ID")} ${value("ID_LIKE")}`.trim();
}

/** Names in /proc/net/dev. */
export function readInterfaceNames(text: string): string[] {
  return [...text.matchAll(/^\s*([^\s:]+):/gm)].map((match) => match[1] ?? "");
}

/** What tells that a process is not on a machine of its own. */
export interface ConfinementSigns {
  /** Which of these files exist: `/.dockerenv`, … */
  readonly files: ReadonlySet<string>;
  readonly cgroup: string;
  readonly uidMap: string;
  readonly kernelVersion: string;
  readonly cpuInformation: string;
  /** The text of /run/systemd/container. */
  readonly systemdContainer: string;
}

/** What kind of place this is, each with how that shows. */
export function readConfinement(signs: ConfinementSigns): string[] {
  const found: string[] = [];
  const manager = /\b(docker|kubepods|containerd|lxc|libpod)\b/.exec(signs.cgroup)?.[1];
  if (signs.systemdContainer.trim() !== "") {
    found.push(`a container (${signs.systemdContainer.trim()}, by /run/systemd/container)`);
  } else if (signs.files.has("/.dockerenv")) found.push("a container (Docker, by /.dockerenv)");
  else if (signs.files.has("/run/.containerenv")) found.push("a container (Podman, by /run/.containerenv)");
  else if (manager !== undefined) found.push(`a container (${manager}, by /proc/1/cgroup)`);
  if (/microsoft/i.test(signs.kernelVersion)) found.push("Windows' subsystem for Linux (by /proc/version)");
  if (/User Mode Linux/.test(signs.cpuInformation)) found.push("user-mode Linux (by /proc/cpuinfo)");
  const [inside, outside, count] = signs.uidMap.trim().split(/\s+/);
  const whole = inside === "0" && outside === "0" && count === "4294967295";
  if (signs.uidMap.trim() !== "" && !whole) found.push("a user namespace (by /proc/self/uid_map)");
  return found;
}
