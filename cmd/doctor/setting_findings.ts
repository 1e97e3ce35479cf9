/** Values of the kernel that hurt, or that the course wants otherwise (reference/sctp.md §3.2, §3.5). */
import type { HostFacts } from "./facts.ts";
import { type Finding, FindingList } from "./finding.ts";

/** The heartbeat interval of the course sheet. */
export const COURSE_HEARTBEAT_MS = 3000;

/** What the embedded stack asks for each of its sockets. */
const WANTED_BUFFER_BYTES = 4 * 1024 * 1024;

/** Below this a burst that comes while a program is busy is lost. */
const SMALL_BUFFER_BYTES = 1024 * 1024;

/** Open files of a process that is to have an association for each of many users, on kernel SCTP. */
const MANY_FILES = 4096;

/** UDP ports that stand for SCTP ports: those of registrars, and the range of ephemeral ones. */
const LOCK_PORTS = [13863, 19901] as const, FIRST_EPHEMERAL_LOCK = 30000, LAST_EPHEMERAL_LOCK = 32767;

/** A setting of kernel SCTP, and when it is worth a word. */
interface SettingRule {
  readonly name: string;
  readonly level: "note" | "warning";
  /** Whether a value is worth a word. */
  readonly hurts: (value: number) => boolean;
  /** For people, without a full stop; `$` stands for the value. */
  readonly text: string;
  /** The value that mends it. */
  readonly better: string;
}

const off = (value: number) => value === 0;

const SCTP_RULES: readonly SettingRule[] = [
  {
    name: "hb_interval",
    level: "note",
    hurts: (value) => value > COURSE_HEARTBEAT_MS,
    text: `Idle paths are probed every $ ms; the course wants ${COURSE_HEARTBEAT_MS}`,
    better: String(COURSE_HEARTBEAT_MS),
  },
  {
    name: "rto_min",
    level: "note",
    hurts: (value) => value > 200,
    text:
      "A lost packet waits $ ms at least for its retransmission: right for the Internet (RFC 9260 §16), slow within a room",
    better: "100",
  },
  {
    name: "sack_timeout",
    level: "note",
    hurts: (value) => value > 20,
    text:
      "SACKs wait up to $ ms, which stalls senders of small messages; rsp has each packet acknowledged at once, other " +
      "programs wait",
    better: "20",
  },
  {
    name: "prsctp_enable",
    level: "warning",
    hurts: off,
    text: "Partial reliability (RFC 3758) is off",
    better: "1",
  },
  {
    name: "reconf_enable",
    level: "note",
    hurts: off,
    text: "Stream reconfiguration (RFC 6525) is off",
    better: "1",
  },
  {
    name: "intl_enable",
    level: "note",
    hurts: off,
    text: "Message interleaving (RFC 8260) is off",
    better: "1",
  },
  { name: "auth_enable", level: "note", hurts: off, text: "Authentication (RFC 4895) is off", better: "1" },
  {
    name: "addip_enable",
    level: "note",
    hurts: off,
    text: "Dynamic addresses (RFC 5061) are off: living associations do not learn of new addresses",
    better: "1",
  },
];

/** Judges buffers and switches. */
export function judgeSettings(facts: HostFacts): Finding[] {
  const list = new FindingList("settings");
  judgeBuffers(list, facts);
  judgePortRange(list, facts);
  judgeFiles(list, facts);
  judgeSctp(list, facts);
  return list.all;
}

function judgeBuffers(list: FindingList, { settings, system }: HostFacts): void {
  for (const [name, what] of [["rmem_max", "receive"], ["wmem_max", "send"]] as const) {
    const setting = `net.core.${name}`;
    const value = number(settings[setting]);
    if (value === undefined) continue;
    if (value >= SMALL_BUFFER_BYTES) {
      list.add("ok", "buffer", `${setting} is ${value}: ${what} buffers may be large enough.`);
    } else if (system.capabilities.has("CAP_NET_ADMIN")) {
      list.add("ok", "buffer", `${setting} is ${value}, which does not bind this user (CAP_NET_ADMIN).`);
    } else {
      list.add(
        "warning",
        "buffer",
        `${setting} is ${value}: ${what} buffers of sockets are small, and bursts of packets are lost or stall.`,
        `sysctl -w ${setting}=${WANTED_BUFFER_BYTES}`,
      );
    }
  }
}

/** A port that Linux gives away for a DNS query is not free when a program wants it. */
function judgePortRange(list: FindingList, { settings }: HostFacts): void {
  const [first, last] = (settings["net.ipv4.ip_local_port_range"] ?? "").split(/\s+/).map(Number);
  if (first === undefined || last === undefined || !(first <= last)) return;
  const setting = "net.ipv4.ip_local_reserved_ports", before = settings[setting] ?? "";
  const reserved = readRanges(before);
  const exposed = (port: number) =>
    port >= first && port <= last && !reserved.some(([from, to]) => from <= port && port <= to);
  const touched: string[] = LOCK_PORTS.filter(exposed).map(String);
  const count = LAST_EPHEMERAL_LOCK - FIRST_EPHEMERAL_LOCK + 1;
  if (Array.from({ length: count }, (_, i) => FIRST_EPHEMERAL_LOCK + i).some(exposed)) {
    touched.push(`${FIRST_EPHEMERAL_LOCK}-${LAST_EPHEMERAL_LOCK}`);
  }
  if (touched.length === 0) return;
  list.add(
    "warning",
    "port-range",
    `Linux gives away UDP ports from ${first} to ${last} by itself, ${
      touched.join(" and ")
    } among them, which stand for ` +
      "SCTP ports of the embedded stack: now and then one is taken.",
    // What is set takes the place of what was reserved, for other programs too.
    `sysctl -w ${setting}=${[before, ...touched].filter((part) => part !== "").join(",")}`,
  );
}

/** `8080,9000-9010` */
function readRanges(text: string): readonly (readonly [number, number])[] {
  return text.split(",").filter((part) => part.trim() !== "").map((part) => {
    const [from = 0, to = from] = part.split("-").map(Number);
    return [from, to] as const;
  });
}

function judgeFiles(list: FindingList, { system }: HostFacts): void {
  const limit = system.maxOpenFiles;
  if (limit === undefined || limit >= MANY_FILES) return;
  list.add(
    "note",
    "open-files",
    `A process may have ${limit} files open; on kernel SCTP each association takes one.`,
    `ulimit -n ${MANY_FILES}`,
  );
}

function judgeSctp(list: FindingList, { settings }: HostFacts): void {
  for (const { name, level, hurts, text, better } of SCTP_RULES) {
    const setting = `net.sctp.${name}`;
    const value = number(settings[setting]);
    if (value === undefined) continue;
    if (hurts(value)) {
      list.add(
        level,
        "sctp-setting",
        `${text.replace("$", String(value))} (${setting}).`,
        `sysctl -w ${setting}=${better}`,
      );
    } else {
      list.add("ok", "sctp-setting", `${setting} is ${value}.`);
    }
  }
  if (settings["net.sctp.cookie_hmac_alg"] === "none") {
    list.add(
      "warning",
      "sctp-cookie",
      "Cookies of kernel SCTP bear no MAC (net.sctp.cookie_hmac_alg is none): anybody can forge them.",
      "sysctl -w net.sctp.cookie_hmac_alg=md5",
    );
  }
  judgeEncapsulation(list, settings);
}

function judgeEncapsulation(list: FindingList, settings: HostFacts["settings"]): void {
  const udpPort = number(settings["net.sctp.udp_port"]);
  if (udpPort === undefined) return;
  if (udpPort === 0) {
    list.add(
      "note",
      "sctp-encapsulation",
      "Kernel SCTP does not take packets in UDP (RFC 6951, net.sctp.udp_port is 0): peers whose embedded stack has UDP only " +
        "do not reach it.",
      "sysctl -w net.sctp.udp_port=9899 net.sctp.encap_port=9899",
    );
  } else {
    const encapPort = settings["net.sctp.encap_port"] ?? "0";
    list.add(
      "ok",
      "sctp-encapsulation",
      `Kernel SCTP takes packets in UDP on port ${udpPort} (RFC 6951); ` +
        (encapPort === "0" ? "by itself it sends plain ones." : `it sends to UDP port ${encapPort}.`),
    );
  }
}

function number(text: string | undefined): number | undefined {
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
}
