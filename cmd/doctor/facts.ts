/**
 * What `rsp doctor` knows of a host: plain data, so that the judgement can be tested with hosts that are made up.
 */
import type { AddressScope, IpAddress } from "../../protocol/net.ts";
import type { SocketAnswers } from "../../ffi/socket_probe.ts";

/** All that was found out. */
export interface HostFacts {
  readonly system: SystemFacts;
  readonly kernel: KernelFacts;
  /** Undefined = there is no native way to ask; `noSockets` says why. */
  readonly sockets: SocketAnswers | undefined;
  readonly noSockets: string | undefined;
  readonly interfaces: readonly InterfaceFacts[];
  readonly groups: readonly GroupFacts[];
  readonly ports: readonly PortFacts[];
  /** By name with dots; those that this kernel does not have are left out. */
  readonly settings: Readonly<Record<string, string>>;
  readonly firewall: FirewallFacts | undefined;
  /** Path of each program that was looked for; undefined = it is not installed. */
  readonly tools: Readonly<Record<string, string | undefined>>;
}

/** The machine and what this process may do on it. */
export interface SystemFacts {
  readonly rspVersion: string;
  readonly denoVersion: string;
  /** As `Deno.build.os` says it. */
  readonly operatingSystem: string;
  /** As `uname -r` says it. */
  readonly kernelRelease: string;
  readonly architecture: string;
  /** `ID` and `ID_LIKE` of /etc/os-release: `ubuntu debian`; empty = unknown. */
  readonly distribution: string;
  readonly userId: number | undefined;
  /** Effective capabilities, of those that matter here. */
  readonly capabilities: ReadonlySet<Capability>;
  /** What it is and how that shows: `a container (Docker: there is /.dockerenv)`. */
  readonly confinement: readonly string[];
  /** Descriptors that the process may have open. */
  readonly maxOpenFiles: number | undefined;
}

/** Capabilities of Linux that matter here. */
export type Capability = "CAP_NET_ADMIN" | "CAP_NET_RAW" | "CAP_SYS_MODULE";

/** What the kernel has for SCTP, besides what its sockets say. */
export interface KernelFacts {
  /** /proc/net/sctp is there. */
  readonly loaded: boolean;
  /** Whether it was there before a socket was asked for. */
  readonly loadedBefore: boolean;
  readonly builtIn: boolean;
  /** The module's file, if it is installed. */
  readonly moduleFile: string | undefined;
  /** /lib/modules has a folder for the kernel that runs. */
  readonly hasModules: boolean;
  /** Lines of /etc/modprobe.d and its sisters that keep sctp away. */
  readonly obstacles: readonly ModprobeLine[];
  /** The program that the kernel calls to load a module; undefined = there is none. */
  readonly modprobe: string | undefined;
  /** kernel.modules_disabled is set: nothing can be loaded until the next boot. */
  readonly modulesDisabled: boolean;
}

/** A line of modprobe's configuration. */
export interface ModprobeLine {
  readonly file: string;
  readonly line: string;
}

/** A network interface. */
export interface InterfaceFacts {
  readonly name: string;
  readonly loopback: boolean;
  /** Empty = it is down, or nobody gave it one. */
  readonly addresses: readonly { readonly address: IpAddress; readonly scope: AddressScope }[];
}

/** A multicast group, and what became of a datagram that was sent to it. */
export interface GroupFacts {
  readonly group: IpAddress;
  /** What the toolkit does in it. */
  readonly purpose: string;
  /** The UDP port that the toolkit hears it on. */
  readonly port: number;
  /** The interface that the routing table chooses; undefined = there is no route. */
  readonly route: string | undefined;
  /** Why the toolkit's port in this group cannot be heard; undefined = it can. */
  readonly deaf: string | undefined;
  /** By interface: "ok", or what went wrong. */
  readonly delivery: readonly { readonly interface: string; readonly outcome: string }[];
}

/** A port that the toolkit wants, and who has it. */
export interface PortFacts {
  readonly protocol: "sctp" | "udp";
  readonly port: number;
  /** Empty = it is free. */
  readonly holders: readonly PortHolder[];
}

/** Who has a port, as far as /proc tells this user. */
export interface PortHolder {
  readonly userId: number;
  readonly processId: number | undefined;
  readonly program: string | undefined;
}

/** A packet filter. */
export interface FirewallFacts {
  /** `nftables`, `iptables`, `firewalld` or `ufw`. */
  readonly name: string;
  /** Whether what no rule allows is thrown away on its way in; undefined = not known to this user. */
  readonly dropsByDefault: boolean | undefined;
  /** Whether a rule speaks of SCTP. */
  readonly speaksOfSctp: boolean | undefined;
}
