import assert from "node:assert/strict";
import type { HostFacts, PortHolder } from "../../../cmd/doctor/facts.ts";
import type { FindingLevel } from "../../../cmd/doctor/finding.ts";
import { judge } from "../../../cmd/doctor/judge.ts";
import type { TransportWish } from "../../../cmd/doctor/transport_findings.ts";
import { BARE, KERNEL, SCTP_DEFAULTS, withGroup, withKernel, withSockets, withSystem } from "./hosts.ts";

const AUTO: TransportWish = { transport: "auto", encapsulation: "auto" };

interface Case {
  /** Goes behind "judge() of". */
  readonly host: string;
  readonly facts: HostFacts;
  readonly wish?: Partial<TransportWish>;
  /** What carries SCTP; undefined = it cannot work. */
  readonly carrier: string | undefined;
  /** The finding that the case is about. */
  readonly name: string;
  readonly level: FindingLevel;
  readonly sentence: RegExp;
  readonly mend?: string | undefined;
}

const EMBEDDED = "the embedded stack over IP and UDP", IN_UDP = "the embedded stack over UDP";

function heldBy(protocol: "sctp" | "udp", port: number, holder: PortHolder): HostFacts {
  const ports = BARE.ports.map((one) =>
    one.protocol === protocol && one.port === port ? { ...one, holders: [holder] } : one
  );
  return { ...BARE, ports };
}

const CASES: readonly Case[] = [
  {
    host: "a bare host with root",
    facts: BARE,
    carrier: EMBEDDED,
    name: "embedded",
    level: "ok",
    sentence: /over IP and in UDP/,
  },
  {
    host: "Debian whose kernel package is not complete",
    facts: BARE,
    carrier: EMBEDDED,
    name: "kernel-module-missing",
    level: "note",
    sentence: /module sctp for Linux 6\.1\.0 is not installed/,
    mend: "apt install linux-image-$(uname -r)",
  },
  {
    host: "Ubuntu's cloud kernel",
    facts: withSystem({ distribution: "ubuntu debian" }),
    carrier: EMBEDDED,
    name: "kernel-module-missing",
    level: "note",
    sentence: /not installed/,
    mend: "apt install linux-modules-extra-$(uname -r)",
  },
  {
    host: "RHEL without kernel-modules-extra, where the kernel is demanded",
    facts: withSystem({ distribution: "rhel fedora" }),
    wish: { transport: "kernel" },
    carrier: undefined,
    name: "kernel-module-missing",
    level: "problem",
    sentence: /not installed/,
    mend: "dnf install kernel-modules-extra-$(uname -r)",
  },
  {
    host: "RHEL with the module blacklisted",
    facts: withKernel({
      moduleFile: "/lib/modules/6.1.0/sctp.ko.xz",
      obstacles: [{ file: "/etc/modprobe.d/sctp-blacklist.conf", line: "blacklist sctp" }],
    }),
    carrier: EMBEDDED,
    name: "kernel-blacklisted",
    level: "note",
    sentence: /\/etc\/modprobe\.d\/sctp-blacklist\.conf keeps its module away by `blacklist sctp`/,
    mend: "modprobe sctp",
  },
  {
    host: "a hardened host that replaces modprobe's command",
    facts: withKernel({
      moduleFile: "/lib/modules/6.1.0/sctp.ko.xz",
      obstacles: [{ file: "/etc/modprobe.d/cis.conf", line: "install sctp /bin/false" }],
    }),
    carrier: EMBEDDED,
    name: "kernel-blacklisted",
    level: "note",
    sentence: /install sctp/,
    mend: "modprobe --ignore-install sctp",
  },
  {
    host: "a host whose module is installed and not loaded",
    facts: withKernel({ moduleFile: "/lib/modules/6.1.0/sctp.ko" }),
    carrier: EMBEDDED,
    name: "kernel-not-loaded",
    level: "note",
    sentence: /not loaded|no SCTP loaded/,
    mend: "modprobe sctp",
  },
  {
    host: "a host without modprobe",
    facts: withKernel({ moduleFile: "/lib/modules/6.1.0/sctp.ko", modprobe: undefined }),
    carrier: EMBEDDED,
    name: "kernel-not-loaded",
    level: "note",
    sentence: /no modprobe/,
    mend: "insmod /lib/modules/6.1.0/sctp.ko",
  },
  {
    host: "a host that loads no modules any more",
    facts: withKernel({ moduleFile: "/lib/modules/6.1.0/sctp.ko", modulesDisabled: true }),
    carrier: EMBEDDED,
    name: "kernel-modules-disabled",
    level: "note",
    sentence: /modules_disabled/,
    mend: undefined,
  },
  {
    host: "a kernel without modules",
    facts: withKernel({ hasModules: false }),
    carrier: EMBEDDED,
    name: "kernel-without-modules",
    level: "note",
    sentence: /built without it/,
    mend: undefined,
  },
  {
    host: "a container whose seccomp filter forbids SCTP",
    facts: withSockets(
      { sctp: "EPERM" },
      withSystem({ confinement: ["a container (Docker, by /.dockerenv)"] }),
    ),
    wish: { transport: "kernel" },
    carrier: undefined,
    name: "kernel-forbidden",
    level: "problem",
    sentence: /seccomp.*the container can allow/,
  },
  {
    host: "a container without modules",
    facts: withKernel({ hasModules: false }, withSystem({ confinement: ["a container"] })),
    carrier: EMBEDDED,
    name: "kernel-of-host",
    level: "note",
    sentence: /its host/,
    mend: "modprobe sctp",
  },
  {
    host: "a container without CAP_NET_RAW",
    facts: withSockets(
      { rawIpv4: "EPERM", rawIpv6: "EPERM" },
      withSystem({ confinement: ["a container"], capabilities: new Set() }),
    ),
    carrier: IN_UDP,
    name: "embedded-raw",
    level: "note",
    sentence: /in UDP only.*CAP_NET_RAW/,
    mend: "docker run --cap-add=NET_RAW …",
  },
  {
    host: "a user without CAP_NET_RAW",
    facts: withSockets(
      { rawIpv4: "EPERM", rawIpv6: "EPERM" },
      withSystem({ userId: 1000, capabilities: new Set() }),
    ),
    carrier: IN_UDP,
    name: "embedded-raw",
    level: "note",
    sentence: /in UDP only/,
    mend: 'setcap cap_net_raw+ep "$(command -v rsp)"',
  },
  {
    host: "a user without CAP_NET_RAW who demands raw packets",
    facts: withSockets(
      { rawIpv4: "EPERM", rawIpv6: "EPERM" },
      withSystem({ userId: 1000, capabilities: new Set() }),
    ),
    wish: { encapsulation: "raw" },
    carrier: undefined,
    name: "embedded-raw",
    level: "problem",
    sentence: /CAP_NET_RAW/,
  },
  {
    host: "a system without native calls",
    facts: { ...BARE, sockets: undefined, noSockets: "the native calls are laid out for Linux, not windows" },
    carrier: IN_UDP,
    name: "embedded-portable",
    level: "warning",
    sentence: /portable driver: the native calls are laid out for Linux/,
  },
  {
    host: "a sandbox without any socket",
    facts: withSockets({
      sctp: "EPERM",
      rawIpv4: "EPERM",
      rawIpv6: "EPERM",
      udpIpv4: "EPERM",
      udpIpv6: "EPERM",
    }),
    carrier: undefined,
    name: "embedded",
    level: "problem",
    sentence: /no UDP socket \(EPERM\)/,
  },
  {
    host: "a host with kernel SCTP",
    facts: KERNEL,
    carrier: "the kernel",
    name: "kernel",
    level: "ok",
    sentence: /asking for a socket loaded its module/,
  },
  {
    host: "a host with kernel SCTP, for the embedded stack",
    facts: KERNEL,
    wish: { transport: "embedded" },
    carrier: IN_UDP,
    name: "embedded",
    level: "note",
    sentence: /belongs to the kernel's own SCTP/,
  },
  {
    host: "a kernel whose cookies have no MAC to use",
    facts: withSockets({ sctpListen: "ENOSYS" }, KERNEL),
    carrier: undefined,
    name: "kernel-cookie",
    level: "problem",
    sentence: /cannot listen: the MAC of its cookies \(md5\)/,
    mend: "modprobe -a md5 hmac",
  },
  {
    host: "kernel SCTP with forgeable cookies",
    facts: { ...KERNEL, settings: { ...SCTP_DEFAULTS, "net.sctp.cookie_hmac_alg": "none" } },
    carrier: "the kernel",
    name: "sctp-cookie",
    level: "warning",
    sentence: /forge/,
    mend: "sysctl -w net.sctp.cookie_hmac_alg=md5",
  },
  {
    host: "kernel SCTP with the default heartbeat interval",
    facts: KERNEL,
    carrier: "the kernel",
    name: "sctp-setting",
    level: "note",
    sentence: /every 30000 ms; the course wants 3000/,
    mend: "sysctl -w net.sctp.hb_interval=3000",
  },
  {
    host: "kernel SCTP without partial reliability",
    facts: { ...KERNEL, settings: { ...SCTP_DEFAULTS, "net.sctp.prsctp_enable": "0" } },
    carrier: "the kernel",
    name: "sctp-setting",
    level: "warning",
    sentence: /RFC 3758/,
    mend: "sysctl -w net.sctp.prsctp_enable=1",
  },
  {
    host: "kernel SCTP that takes packets in UDP",
    facts: {
      ...KERNEL,
      settings: { ...SCTP_DEFAULTS, "net.sctp.udp_port": "9899", "net.sctp.encap_port": "9899" },
    },
    carrier: "the kernel",
    name: "sctp-encapsulation",
    level: "ok",
    sentence: /on port 9899.*to UDP port 9899/,
  },
  {
    host: "a host without a multicast route",
    facts: withGroup({ route: undefined }),
    carrier: EMBEDDED,
    name: "multicast-route",
    level: "warning",
    sentence: /no route to the multicast group 239\.0\.0\.50/,
    mend: "ip route add 224.0.0.0/4 dev eth0",
  },
  {
    host: "a host whose multicast does not come back",
    facts: withGroup({ delivery: [{ interface: "eth1", outcome: "nothing came back" }] }),
    carrier: EMBEDDED,
    name: "multicast",
    level: "warning",
    sentence: /does not come back to this host \(eth1: nothing came back\)/,
    mend: "ip link set eth0 multicast on",
  },
  {
    host: "a host whose announce port another program keeps for itself",
    facts: withGroup({ deaf: "bind EADDRINUSE 239.0.0.50:3863" }),
    carrier: EMBEDDED,
    name: "multicast-port",
    level: "warning",
    sentence: /^Announces of registrars are not heard: UDP port 3863 .*EADDRINUSE/,
    mend: "ss -lunp 'sport = :3863'",
  },
  {
    host: "a host with nothing up",
    facts: { ...BARE, interfaces: [{ name: "lo", loopback: true, addresses: [] }] },
    carrier: EMBEDDED,
    name: "no-interface",
    level: "problem",
    sentence: /No interface has an address/,
    mend: "ip link set lo up",
  },
  {
    host: "a host with loopback alone",
    facts: { ...BARE, interfaces: BARE.interfaces.slice(0, 1) },
    carrier: EMBEDDED,
    name: "no-network",
    level: "note",
    sentence: /only the loopback/,
  },
  {
    host: "a host with a registrar",
    facts: heldBy("udp", 13863, { userId: 0, processId: 42, program: "rsp" }),
    carrier: EMBEDDED,
    name: "port-in-use",
    level: "note",
    sentence: /^UDP port 13863.* in use by rsp \(process 42\): another registrar/,
    mend: "ss -lunp 'sport = :13863'",
  },
  {
    host: "a host where a stranger has a port",
    facts: heldBy("sctp", 9901, { userId: 0, processId: 7, program: "diameter" }),
    carrier: EMBEDDED,
    name: "port-in-use",
    level: "warning",
    sentence: /^SCTP port 9901 \(ENRP\) is in use by diameter \(process 7\): a registrar/,
    mend: "ss -S -lnp 'sport = :9901'",
  },
  {
    host: "a port of somebody else's program, which /proc does not name",
    facts: heldBy("udp", 19901, { userId: 1001, processId: undefined, program: undefined }),
    carrier: EMBEDDED,
    name: "port-in-use",
    level: "note",
    sentence: /in use by a program of user 1001/,
  },
  {
    host: "small buffers without the right to exceed them",
    facts: {
      ...withSystem({ userId: 1000, capabilities: new Set() }),
      settings: { "net.core.rmem_max": "212992", "net.core.wmem_max": "4194304" },
    },
    carrier: EMBEDDED,
    name: "buffer",
    level: "warning",
    sentence: /rmem_max is 212992/,
    mend: "sysctl -w net.core.rmem_max=4194304",
  },
  {
    host: "an ephemeral port range that covers the toolkit's",
    facts: {
      ...BARE,
      settings: {
        "net.ipv4.ip_local_port_range": "10000\t65535",
        "net.ipv4.ip_local_reserved_ports": "13000-14000",
      },
    },
    carrier: EMBEDDED,
    name: "port-range",
    level: "warning",
    sentence: /19901 and 30000-32767 among them/,
    mend: "sysctl -w net.ipv4.ip_local_reserved_ports=13000-14000,19901,30000-32767",
  },
  {
    host: "an ephemeral port range within the toolkit's",
    facts: {
      ...BARE,
      settings: {
        "net.ipv4.ip_local_port_range": "31000\t32000",
        "net.ipv4.ip_local_reserved_ports": "",
      },
    },
    carrier: EMBEDDED,
    name: "port-range",
    level: "warning",
    sentence: /30000-32767 among them/,
    mend: "sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767",
  },
  {
    host: "few open files",
    facts: withSystem({ maxOpenFiles: 1024 }),
    carrier: EMBEDDED,
    name: "open-files",
    level: "note",
    sentence: /1024 files/,
    mend: "ulimit -n 4096",
  },
  {
    host: "a closed firewall",
    facts: { ...BARE, firewall: { name: "firewalld", dropsByDefault: true, speaksOfSctp: false } },
    carrier: EMBEDDED,
    name: "firewall",
    level: "warning",
    sentence: /no rule is about SCTP/,
    mend:
      "firewall-cmd --add-protocol=sctp --add-port=3863/udp --add-port=9901/udp --add-port=13863/udp --add-port=19901/udp",
  },
  {
    host: "a firewall that only root may look into",
    facts: { ...BARE, firewall: { name: "iptables", dropsByDefault: undefined, speaksOfSctp: undefined } },
    carrier: EMBEDDED,
    name: "firewall",
    level: "note",
    sentence: /only root sees/,
  },
  {
    host: "a host without a dissector",
    facts: { ...BARE, tools: {} },
    carrier: EMBEDDED,
    name: "tool",
    level: "note",
    sentence: /Neither wireshark nor tshark/,
    mend: "apt install wireshark tshark",
  },
  {
    host: "a host without bubblewrap",
    facts: { ...BARE, tools: {} },
    carrier: EMBEDDED,
    name: "tool",
    level: "note",
    sentence: /runs jobs without a sandbox/,
    mend: "apt install bubblewrap",
  },
  {
    host: "a host without gpgv",
    facts: { ...BARE, tools: { gpg: "/usr/bin/gpg" } },
    carrier: EMBEDDED,
    name: "tool",
    level: "note",
    sentence: /gpgv is not here/,
    mend: "apt install gpgv",
  },
  {
    host: "a host with gpg",
    facts: { ...BARE, tools: { gpg: "/usr/bin/gpg" } },
    carrier: EMBEDDED,
    name: "tool",
    level: "ok",
    sentence: /\/usr\/bin\/gpg is here/,
  },
];

for (const { host, facts, wish, carrier, name, level, sentence, ...rest } of CASES) {
  Deno.test(`judge() of ${host}`, () => {
    const diagnosis = judge(facts, { ...AUTO, ...wish });

    const finding = diagnosis.findings.find((one) =>
      one.name === name && one.level === level && sentence.test(one.sentence)
    );
    assert.ok(
      finding,
      `no ${level} ${name} in\n${diagnosis.findings.map((one) => JSON.stringify(one)).join("\n")}`,
    );
    if ("mend" in rest) assert.equal(finding.mend, rest.mend);
    if (carrier !== undefined) assert.equal(diagnosis.carrier, carrier);
    assert.equal(diagnosis.works, !diagnosis.findings.some((one) => one.level === "problem"));
    if (carrier === undefined) assert.equal(diagnosis.works, false);
  });
}

Deno.test("judge() finds nothing to warn of on a lab PC, with either transport", () => {
  for (const facts of [BARE, KERNEL]) {
    const { works, findings } = judge(facts, AUTO);
    assert.equal(works, true);
    assert.deepEqual(findings.filter(({ level }) => level === "warning" || level === "problem"), []);
  }
});

Deno.test("judge() ends every sentence", () => {
  for (const { facts, wish } of CASES) {
    for (const { sentence } of judge(facts, { ...AUTO, ...wish }).findings) assert.match(sentence, /[^.]\.$/);
  }
});
