/** Finds out about this host. The only part of `rsp doctor` that asks the system. */
import { networkInterfaces } from "node:os";
import { addressScope, parseIpAddress } from "../../protocol/net.ts";
import type { IpAddress } from "../../protocol/net.ts";
import { probeSockets, probeSource } from "../../ffi/socket_probe.ts";
import { ASAP_ANNOUNCE_GROUP, ENRP_PRESENCE_GROUP } from "../driver/groups.ts";
import { VERSION } from "../version.ts";
import type { GroupFacts, HostFacts, InterfaceFacts, KernelFacts, SystemFacts } from "./facts.ts";
import { gatherFirewall } from "./gather_firewall.ts";
import { gatherPorts } from "./gather_ports.ts";
import { probeDelivery, probeSharing } from "./multicast_probe.ts";
import {
  readCapabilities,
  readConfinement,
  readDistribution,
  readInterfaceNames,
  readMaxOpenFiles,
  readModulePath,
  readObstacles,
  readUserId,
} from "./proc_files.ts";
import { findProgram, searchPath } from "../driver/programs.ts";
import { readFolder, readText } from "./text_file.ts";

const TOOLS = [
  ...["wireshark", "tshark", "dumpcap", "sctp_darn", "ip", "modprobe", "sysctl", "setcap"],
  ...["bwrap", "gpgv", "gpg"],
] as const;

/** Where modprobe's configuration lies; the first folder wins over the others (modprobe.d(5)). */
const MODPROBE_FOLDERS = [
  "/etc/modprobe.d",
  "/run/modprobe.d",
  "/usr/lib/modprobe.d",
  "/lib/modprobe.d",
] as const;

/** Files that only containers have. */
const CONTAINER_FILES = ["/.dockerenv", "/run/.containerenv"] as const;

const GENERAL_SETTINGS = [
  "net.core.rmem_max",
  "net.core.wmem_max",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
] as const;

/** A group of IPv6 for experiments within a site (RFC 4727): the toolkit's groups are of IPv4 unless options say else. */
const IPV6_TRIAL_GROUP: IpAddress = "ff05::114";

/** Asks all questions; takes half a second where multicast does not work. */
export async function gatherFacts(): Promise<HostFacts> {
  const loadedBefore = exists("/proc/net/sctp"); // before a socket makes the kernel load its module
  const { sockets, noSockets } = askSockets();
  return {
    system: systemFacts(),
    sockets,
    noSockets,
    kernel: kernelFacts(loadedBefore), // behind the sockets, which may have changed it
    interfaces: interfaceFacts(),
    groups: await Promise.all([
      groupFacts(ASAP_ANNOUNCE_GROUP.address, ASAP_ANNOUNCE_GROUP.port, "announces of registrars"),
      groupFacts(ENRP_PRESENCE_GROUP.address, ENRP_PRESENCE_GROUP.port, "presences of registrars"),
      groupFacts(IPV6_TRIAL_GROUP, 0, "a trial"),
    ]),
    ports: gatherPorts(),
    settings: settingFacts(),
    firewall: await gatherFirewall(),
    tools: Object.fromEntries(TOOLS.map((name) => [name, findProgram(name, searchPath())])),
  };
}

function askSockets(): Pick<HostFacts, "sockets" | "noSockets"> {
  try {
    return { sockets: probeSockets(), noSockets: undefined };
  } catch (error) {
    return { sockets: undefined, noSockets: error instanceof Error ? error.message : String(error) };
  }
}

function systemFacts(): SystemFacts {
  const status = readText("/proc/self/status");
  return {
    rspVersion: VERSION,
    denoVersion: Deno.version.deno,
    operatingSystem: Deno.build.os,
    kernelRelease: Deno.osRelease(),
    architecture: Deno.build.arch,
    distribution: readDistribution(readText("/etc/os-release")),
    userId: readUserId(status),
    capabilities: readCapabilities(status),
    confinement: readConfinement({
      files: new Set(CONTAINER_FILES.filter(exists)),
      cgroup: readText("/proc/1/cgroup"),
      uidMap: readText("/proc/self/uid_map"),
      kernelVersion: readText("/proc/version"),
      cpuInformation: readText("/proc/cpuinfo"),
      systemdContainer: readText("/run/systemd/container"),
    }),
    maxOpenFiles: readMaxOpenFiles(readText("/proc/self/limits")),
  };
}

function kernelFacts(loadedBefore: boolean): KernelFacts {
  const modules = `/lib/modules/${Deno.osRelease()}`;
  const modulePath = readModulePath(readText(`${modules}/modules.dep`));
  const helper = readText("/proc/sys/kernel/modprobe").trim();
  return {
    loaded: exists("/proc/net/sctp"),
    loadedBefore,
    builtIn: readModulePath(readText(`${modules}/modules.builtin`)) !== undefined,
    moduleFile: modulePath === undefined
      ? undefined
      : modulePath.startsWith("/")
      ? modulePath
      : `${modules}/${modulePath}`,
    hasModules: exists(`${modules}/modules.dep`),
    obstacles: modprobeFiles().flatMap((file) => readObstacles(file, readText(file))),
    modprobe: helper !== "" && exists(helper) ? helper : undefined,
    modulesDisabled: readText("/proc/sys/kernel/modules_disabled").trim() === "1",
  };
}

/** Each file once: a name in an earlier folder hides the same name in a later one. */
function modprobeFiles(): string[] {
  const byName = new Map<string, string>();
  for (const folder of MODPROBE_FOLDERS) {
    for (const name of readFolder(folder)) {
      if (name.endsWith(".conf") && !byName.has(name)) byName.set(name, `${folder}/${name}`);
    }
  }
  return [...byName.values()];
}

function interfaceFacts(): InterfaceFacts[] {
  const byName = new Map<string, InterfaceFacts["addresses"]>();
  for (const name of readInterfaceNames(readText("/proc/net/dev"))) byName.set(name, []);
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    const addresses = (entries ?? []).map(({ address }) => parseIpAddress(address)).filter((one) =>
      one !== undefined
    );
    byName.set(name, addresses.map((address) => ({ address, scope: addressScope(address) })));
  }
  return [...byName].map(([name, addresses]) => ({
    name,
    addresses,
    loopback: addresses.length === 0 ? name === "lo" : addresses.every(({ scope }) => scope === "loopback"),
  }));
}

async function groupFacts(group: IpAddress, port: number, purpose: string): Promise<GroupFacts> {
  return {
    group,
    purpose,
    port,
    route: routeTo(group),
    deaf: port === 0 ? undefined : await probeSharing(group, port),
    delivery: await probeDelivery(group),
  };
}

/** The interface that the routing table sends multicast to, by the address it would leave from. */
function routeTo(group: IpAddress): string | undefined {
  try {
    const source = probeSource(group)?.replace(/%.*/, "");
    if (source === undefined) return undefined;
    const owner = Object.entries(networkInterfaces()).find(([, entries]) =>
      (entries ?? []).some(({ address }) => address === source)
    );
    return owner?.[0] ?? "an interface without a name";
  } catch { // no native calls: nobody to ask
    return undefined;
  }
}

function settingFacts(): Record<string, string> {
  const sctp = readFolder("/proc/sys/net/sctp").map((name) => `net.sctp.${name}`);
  const settings: Record<string, string> = {};
  for (const name of [...GENERAL_SETTINGS, ...sctp.sort()]) {
    const value = readText(`/proc/sys/${name.replaceAll(".", "/")}`).trim();
    if (value !== "") settings[name] = value;
  }
  return settings;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
