import assert from "node:assert/strict";
import { readRules } from "../../../cmd/doctor/gather_firewall.ts";
import {
  type ConfinementSigns,
  readCapabilities,
  readConfinement,
  readDistribution,
  readInterfaceNames,
  readMaxOpenFiles,
  readModulePath,
  readObstacles,
  readSctpEndpoints,
  readUdpTable,
  readUserId,
} from "../../../cmd/doctor/proc_files.ts";

Deno.test("readUdpTable() reads ports, users and inodes of both families", () => {
  const ipv4 =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n" +
    "  12: 00000000:3627 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4711 2 00000000 0\n";
  const ipv6 = "  sl  local_address                         remote_address   st\n" +
    "  13: 00000000000000000000000000000000:0F17 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 99 2 0 0\n";

  assert.deepEqual(readUdpTable(ipv4), [{ port: 13863, userId: 1000, inode: "4711" }]);
  assert.deepEqual(readUdpTable(ipv6), [{ port: 3863, userId: 0, inode: "99" }]);
  assert.deepEqual(readUdpTable(""), []);
});

Deno.test("readSctpEndpoints() reads /proc/net/sctp/eps", () => {
  const text = " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n" +
    "       0        0 0   10  23   3863     0 1234 10.1.0.1 10.2.0.1\n";

  assert.deepEqual(readSctpEndpoints(text), [{ port: 3863, userId: 0, inode: "1234" }]);
});

Deno.test("readCapabilities() and readUserId() read /proc/self/status", () => {
  const status =
    "Name:\tdeno\nUid:\t1000\t65534\t0\t0\nCapPrm:\t0000000000000000\nCapEff:\t0000000000002000\n";

  assert.deepEqual([...readCapabilities(status)], ["CAP_NET_RAW"]);
  assert.equal(readUserId(status), 65534);
  assert.equal(readCapabilities("CapEff:\t000001ffffffffff").size, 3);
  assert.equal(readCapabilities("").size, 0);
  assert.equal(readUserId(""), undefined);
});

Deno.test("readMaxOpenFiles() reads the soft limit", () => {
  assert.equal(
    readMaxOpenFiles("Max open files            1024                 524288               files\n"),
    1024,
  );
  assert.equal(
    readMaxOpenFiles("Max open files            unlimited            unlimited            files\n"),
    Infinity,
  );
  assert.equal(readMaxOpenFiles(""), undefined);
});

Deno.test("readObstacles() finds what keeps sctp away, and nothing else", () => {
  const text =
    "# blacklist sctp\nblacklist  sctp\n install sctp /bin/false\nblacklist dccp\ninstall sctp /usr/bin/true \n" +
    "options sctp no_checksums=1\nblacklist sctp_diag\n";

  assert.deepEqual(readObstacles("/etc/modprobe.d/x.conf", text).map(({ line }) => line), [
    "blacklist sctp",
    "install sctp /bin/false",
    "install sctp /usr/bin/true",
  ]);
});

Deno.test("readModulePath() finds the module in modules.dep and modules.builtin", () => {
  const dependencies = "kernel/net/sctp/sctp_diag.ko: kernel/net/sctp/sctp.ko\n" +
    "kernel/net/sctp/sctp.ko.xz: kernel/net/ipv4/udp_tunnel.ko\n";

  assert.equal(readModulePath(dependencies), "kernel/net/sctp/sctp.ko.xz");
  assert.equal(readModulePath("kernel/net/sctp/sctp.ko\n"), "kernel/net/sctp/sctp.ko");
  assert.equal(readModulePath("kernel/net/ipv4/tcp_diag.ko:\n"), undefined);
});

Deno.test("readDistribution() reads /etc/os-release", () => {
  assert.equal(
    readDistribution('NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n'),
    "rocky rhel centos fedora",
  );
  assert.equal(readDistribution("ID=debian\n"), "debian");
  assert.equal(readDistribution(""), "");
});

Deno.test("readInterfaceNames() reads /proc/net/dev", () => {
  const text = "Inter-|   Receive\n face |bytes    packets\n    lo: 1 2 3\n  eth0:4 5 6\n";

  assert.deepEqual(readInterfaceNames(text), ["lo", "eth0"]);
});

const NO_SIGNS: ConfinementSigns = {
  files: new Set(),
  cgroup: "0::/init.scope\n",
  uidMap: "         0          0 4294967295\n",
  kernelVersion: "Linux version 6.1.0 (Debian)",
  cpuInformation: "vendor_id : GenuineIntel",
  systemdContainer: "",
};

const PLACES: readonly { readonly signs: Partial<ConfinementSigns>; readonly places: readonly RegExp[] }[] = [
  { signs: {}, places: [] },
  { signs: { files: new Set(["/.dockerenv"]) }, places: [/Docker/] },
  {
    signs: { files: new Set(["/run/.containerenv"]), uidMap: "0 1000 1\n1 100000 65536\n" },
    places: [/Podman/, /user namespace/],
  },
  { signs: { cgroup: "0::/kubepods/besteffort/pod1\n" }, places: [/kubepods/] },
  { signs: { systemdContainer: "lxc\n" }, places: [/lxc/] },
  { signs: { kernelVersion: "Linux version 5.15.1-microsoft-standard-WSL2" }, places: [/Windows/] },
  { signs: { cpuInformation: "vendor_id : User Mode Linux" }, places: [/user-mode/] },
];

Deno.test("readConfinement() says what kind of place it is", () => {
  for (const { signs, places } of PLACES) {
    const found = readConfinement({ ...NO_SIGNS, ...signs });
    assert.equal(found.length, places.length, found.join("; "));
    places.forEach((place, i) => assert.match(found[i]!, place));
  }
});

Deno.test("readRules() understands nft and iptables-save", () => {
  const closed =
    "table inet filter {\n chain input {\n  type filter hook input priority filter; policy drop;\n }\n}";

  assert.deepEqual(readRules(closed), { dropsByDefault: true, speaksOfSctp: false });
  assert.deepEqual(readRules(closed.replace("drop", "accept")), {
    dropsByDefault: false,
    speaksOfSctp: false,
  });
  assert.deepEqual(readRules(":INPUT DROP [0:0]\n-A INPUT -p sctp -j ACCEPT\n"), {
    dropsByDefault: true,
    speaksOfSctp: true,
  });
  assert.deepEqual(readRules(":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n"), {
    dropsByDefault: false,
    speaksOfSctp: false,
  });
});
