/** Addresses, multicast, ports and packet filters. */
import { isIpv4 } from "../../protocol/net.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import type { GroupFacts, HostFacts, PortFacts, PortHolder } from "./facts.ts";
import { type Finding, FindingList } from "./finding.ts";

/** SCTP ports of registrars (RFC 5352 §7.3, RFC 5353 §6.3). */
const REGISTRAR_PORTS = { ASAP: 3863, ENRP: 9901 } as const;

/** Programs of which one is expected to have the toolkit's ports. */
const KIN = /^(rsp|deno|registrar|server|fractalpooluser)/;

/** Addresses of this host, and the ways out of it. */
export function judgeNetwork(facts: HostFacts): Finding[] {
  const list = new FindingList("network");
  judgeInterfaces(list, facts);
  for (const group of facts.groups) {
    if (isIpv4(group.group)) judgeGroup(list, group, facts);
    else judgeTrial(list, group);
  }
  judgeRoutes(list, facts);
  judgeFirewall(list, facts);
  return list.all;
}

function judgeInterfaces(list: FindingList, { interfaces }: HostFacts): void {
  const alive = interfaces.filter(({ addresses }) => addresses.length > 0);
  if (alive.length === 0) {
    list.add(
      "problem",
      "no-interface",
      "No interface has an address, so nothing reaches anybody.",
      "ip link set lo up",
    );
    return;
  }
  for (const { name, addresses } of alive) {
    const words = addresses.map(({ address, scope }) => `${address} (${scope})`);
    list.add("ok", "interface", `${name} has ${words.join(", ")}.`);
  }
  const idle = interfaces.filter(({ addresses }) => addresses.length === 0).map(({ name }) => name);
  if (idle.length > 0) list.add("ok", "idle-interface", `Without an address: ${idle.join(", ")}.`);
  const outside = alive.filter(({ loopback }) => !loopback).length;
  if (outside === 0) {
    list.add(
      "note",
      "no-network",
      "There is only the loopback interface: programs of this machine find each other alone.",
    );
  } else if (outside === 1) {
    list.add("note", "one-network", "There is one network only: multi-homing has nothing to fail over to.");
  }
}

function judgeGroup(list: FindingList, facts: GroupFacts, host: HostFacts): void {
  const { group, purpose, port, route, deaf, delivery } = facts;
  const delivered = delivery.filter(({ outcome }) => outcome === "ok").map((one) => one.interface);
  if (delivery.length === 0) {
    list.add(
      "warning",
      "multicast",
      `Multicast group ${group} (${purpose}) is out of reach: no interface has an IPv4 address. Name registrars with ` +
        "-registrar=ADDRESS:PORT, or give an interface an address.",
    );
  } else if (delivered.length === 0) {
    list.add(
      "warning",
      "multicast",
      `Multicast to ${group} (${purpose}) does not come back to this host (${
        troubles(delivery)
      }): name registrars with ` +
        "-registrar=ADDRESS:PORT, or mend the multicast of an interface.",
      `ip link set ${multicastDevice(host) ?? "eth0"} multicast on`,
    );
  } else {
    const way = route === undefined ? "" : `; the route to it is over ${route}`;
    list.add(
      "ok",
      "multicast",
      `Multicast to ${group} (${purpose}) is delivered over ${delivered.join(", ")}${way}.`,
    );
  }
  if (deaf === undefined) return;
  list.add(
    "warning",
    "multicast-port",
    `${
      capitalised(purpose)
    } are not heard: UDP port ${port} cannot be shared with the program that has it (${deaf}).`,
    `ss -lunp 'sport = :${port}'`,
  );
}

/** Nothing needs multicast of IPv6 unless an option names a group of it. */
function judgeTrial(list: FindingList, { delivery }: GroupFacts): void {
  const delivered = delivery.filter(({ outcome }) => outcome === "ok").map((one) => one.interface);
  if (delivered.length > 0) {
    list.add("ok", "multicast-ipv6", `Multicast of IPv6 is delivered over ${delivered.join(", ")}.`);
  } else {
    const why = delivery.length === 0 ? "no interface has an IPv6 address" : troubles(delivery);
    list.add(
      "note",
      "multicast-ipv6",
      `Multicast of IPv6 does not come back to this host (${why}). Nothing needs it, unless an option names such a group.`,
    );
  }
}

function judgeRoutes(list: FindingList, facts: HostFacts): void {
  const lost = facts.groups.filter(({ group, route, delivery }) =>
    isIpv4(group) && route === undefined && delivery.length > 0
  ).map(({ group }) => group);
  if (lost.length === 0 || facts.sockets === undefined) return;
  list.add(
    "warning",
    "multicast-route",
    `There is no route to the multicast ${lost.length === 1 ? "group" : "groups"} ${
      lost.join(" and ")
    }. rsp does ` +
      "without, since it names the interface of each datagram; other programs, RSPLIB's among them, do not.",
    routeCommand(facts),
  );
}

function troubles(delivery: GroupFacts["delivery"]): string {
  return delivery.map(({ interface: name, outcome }) => `${name}: ${outcome}`).join("; ");
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** The interface that multicast should leave by: the first that leads out of the host, else the loopback one. */
export function multicastDevice({ interfaces }: HostFacts): string | undefined {
  const able = interfaces.filter(({ addresses }) => addresses.some(({ address }) => isIpv4(address)));
  return (able.find(({ loopback }) => !loopback) ?? able[0])?.name;
}

/** The command that adds a route for all multicast of IPv4. */
export function routeCommand(facts: HostFacts, device: string | undefined = multicastDevice(facts)): string {
  return `ip route add 224.0.0.0/4 dev ${device ?? "eth0"}`;
}

function judgeFirewall(list: FindingList, { firewall }: HostFacts): void {
  if (firewall === undefined) return;
  const { name, dropsByDefault, speaksOfSctp } = firewall;
  if (dropsByDefault === false) {
    list.add("ok", "firewall", `The packet filter (${name}) lets in what no rule is about.`);
    return;
  }
  const known = dropsByDefault === true;
  const ports = Object.values(REGISTRAR_PORTS).flatMap((port) => [port, encapsulationPort(port)]).join(",");
  list.add(
    known && speaksOfSctp !== true ? "warning" : "note",
    "firewall",
    known
      ? `The packet filter (${name}) throws away what no rule allows, and ` +
        (speaksOfSctp === true ? "has rules about SCTP: see that they allow it." : "no rule is about SCTP.")
      : `A packet filter (${name}) is there; only root sees whether it lets SCTP in.`,
    FIREWALL_COMMANDS[name] ??
      `iptables -I INPUT -p sctp -j ACCEPT; iptables -I INPUT -p udp -m multiport --dports ${ports} -j ACCEPT`,
  );
}

const FIREWALL_COMMANDS: Readonly<Record<string, string>> = {
  firewalld:
    "firewall-cmd --add-protocol=sctp --add-port=3863/udp --add-port=9901/udp --add-port=13863/udp --add-port=19901/udp",
  ufw:
    "ufw allow proto udp to any port 3863,9901,13863,19901 # and `-A ufw-before-input -p sctp -j ACCEPT` in before.rules",
};

/** Ports that registrars want, and who has them. */
export function judgePorts({ ports }: HostFacts): Finding[] {
  const list = new FindingList("ports");
  const holdersOf = (protocol: PortFacts["protocol"], port: number) =>
    ports.find((one) => one.protocol === protocol && one.port === port)?.holders ?? [];
  for (const [name, port] of Object.entries(REGISTRAR_PORTS)) {
    const udpPort = encapsulationPort(port);
    const kernel = holdersOf("sctp", port), embedded = holdersOf("udp", udpPort);
    const [holder] = [...kernel, ...embedded];
    if (holder === undefined) {
      list.add(
        "ok",
        "port",
        `SCTP port ${port} (${name}) is free, and so is UDP port ${udpPort}, which stands for it.`,
      );
      continue;
    }
    const which = kernel.length > 0
      ? `SCTP port ${port} (${name})`
      : `UDP port ${udpPort}, which stands for SCTP port ${port} (${name}) of the embedded stack,`;
    const stranger = holder.program !== undefined && !KIN.test(holder.program);
    list.add(
      stranger ? "warning" : "note",
      "port-in-use",
      `${which} is in use by ${who(holder)}: ${
        stranger ? "a" : "another"
      } registrar here takes another port by itself.`,
      kernel.length > 0 ? `ss -S -lnp 'sport = :${port}'` : `ss -lunp 'sport = :${udpPort}'`,
    );
  }
  for (const port of Object.values(REGISTRAR_PORTS)) {
    const holders = holdersOf("udp", port);
    if (holders.length === 0) {
      list.add("ok", "port", `UDP port ${port}, for announces by multicast, is free.`);
    } else {
      const names = [...new Set(holders.map(who))].join(", ");
      list.add(
        "ok",
        "port",
        `UDP port ${port}, for announces by multicast, is used by ${names}; programs share it.`,
      );
    }
  }
  return list.all;
}

function who({ program, processId, userId }: PortHolder): string {
  if (processId === undefined) return `a program of user ${userId}`;
  return `${program ?? "a program"} (process ${processId})`;
}
