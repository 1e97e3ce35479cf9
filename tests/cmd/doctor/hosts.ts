/** Hosts that are made up, for the judgement of `rsp doctor`. */
import type { HostFacts, InterfaceFacts } from "../../../cmd/doctor/facts.ts";

const LOOPBACK: InterfaceFacts = {
  name: "lo",
  loopback: true,
  addresses: [{ address: "127.0.0.1", scope: "loopback" }],
};

/** A lab PC with two networks, root, no kernel SCTP and nothing wrong besides. */
export const BARE: HostFacts = {
  system: {
    rspVersion: "0.1.0",
    denoVersion: "2.9.6",
    operatingSystem: "linux",
    kernelRelease: "6.1.0",
    architecture: "x86_64",
    distribution: "debian",
    userId: 0,
    capabilities: new Set(["CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SYS_MODULE"]),
    confinement: [],
    maxOpenFiles: 1_048_576,
  },
  kernel: {
    loaded: false,
    loadedBefore: false,
    builtIn: false,
    moduleFile: undefined,
    hasModules: true,
    obstacles: [],
    modprobe: "/sbin/modprobe",
    modulesDisabled: false,
  },
  sockets: {
    sctp: "ESOCKTNOSUPPORT",
    sctpListen: undefined,
    rawIpv4: "ok",
    rawIpv6: "ok",
    udpIpv4: "ok",
    udpIpv6: "ok",
  },
  noSockets: undefined,
  interfaces: [
    LOOPBACK,
    { name: "eth0", loopback: false, addresses: [{ address: "10.2.0.1", scope: "site-local" }] },
    { name: "eth1", loopback: false, addresses: [{ address: "10.1.0.1", scope: "site-local" }] },
  ],
  groups: [
    {
      group: "239.0.0.50",
      purpose: "announces of registrars",
      port: 3863,
      route: "eth1",
      deaf: undefined,
      delivery: [{ interface: "lo", outcome: "ok" }, { interface: "eth1", outcome: "ok" }],
    },
  ],
  ports: [
    { protocol: "sctp", port: 3863, holders: [] },
    { protocol: "udp", port: 13863, holders: [] },
    { protocol: "udp", port: 3863, holders: [] },
    { protocol: "sctp", port: 9901, holders: [] },
    { protocol: "udp", port: 19901, holders: [] },
    { protocol: "udp", port: 9901, holders: [] },
  ],
  settings: { "net.core.rmem_max": "4194304", "net.core.wmem_max": "4194304" },
  firewall: undefined,
  tools: { tshark: "/usr/bin/tshark", sctp_darn: "/usr/bin/sctp_darn", ip: "/sbin/ip" },
};

/** Defaults of net.sctp in Linux 6.1, as far as they are judged. */
export const SCTP_DEFAULTS: Readonly<Record<string, string>> = {
  "net.sctp.hb_interval": "30000",
  "net.sctp.rto_min": "1000",
  "net.sctp.sack_timeout": "200",
  "net.sctp.prsctp_enable": "1",
  "net.sctp.reconf_enable": "0",
  "net.sctp.intl_enable": "0",
  "net.sctp.auth_enable": "0",
  "net.sctp.addip_enable": "0",
  "net.sctp.cookie_hmac_alg": "md5",
  "net.sctp.udp_port": "0",
  "net.sctp.encap_port": "0",
};

/** A host with kernel SCTP. */
export const KERNEL: HostFacts = {
  ...BARE,
  kernel: { ...BARE.kernel, loaded: true, moduleFile: "/lib/modules/6.1.0/sctp.ko" },
  sockets: { ...BARE.sockets!, sctp: "ok", sctpListen: "ok" },
  settings: { ...BARE.settings, ...SCTP_DEFAULTS },
};

/** The same host with other kernel facts. */
export function withKernel(changes: Partial<HostFacts["kernel"]>, host: HostFacts = BARE): HostFacts {
  return { ...host, kernel: { ...host.kernel, ...changes } };
}

/** The same host with other answers to questions for sockets. */
export function withSockets(
  changes: Partial<NonNullable<HostFacts["sockets"]>>,
  host: HostFacts = BARE,
): HostFacts {
  return { ...host, sockets: { ...host.sockets!, ...changes } };
}

/** The same host with another system. */
export function withSystem(changes: Partial<HostFacts["system"]>, host: HostFacts = BARE): HostFacts {
  return { ...host, system: { ...host.system, ...changes } };
}

/** The same host with its first multicast group changed. */
export function withGroup(changes: Partial<HostFacts["groups"][number]>, host: HostFacts = BARE): HostFacts {
  return { ...host, groups: [{ ...host.groups[0]!, ...changes }] };
}
