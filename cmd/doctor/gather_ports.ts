/** Who has the ports that the toolkit wants. */
import { encapsulationPort } from "../../protocol/sctp/mod.ts";
import type { PortFacts, PortHolder } from "./facts.ts";
import { type BoundPort, readSctpEndpoints, readUdpTable } from "./proc_files.ts";
import { readFolder, readText } from "./text_file.ts";

const REGISTRAR_PORTS = [3863, 9901] as const;

/** Looks into the socket tables of this network namespace, and for the programs behind them. */
export function gatherPorts(): PortFacts[] {
  const sctp = readSctpEndpoints(readText("/proc/net/sctp/eps"));
  const udp = [...readUdpTable(readText("/proc/net/udp")), ...readUdpTable(readText("/proc/net/udp6"))];
  const wanted = REGISTRAR_PORTS.flatMap((port) =>
    [
      { protocol: "sctp", port, table: sctp },
      { protocol: "udp", port: encapsulationPort(port), table: udp },
      { protocol: "udp", port, table: udp },
    ] as const
  ).map(({ protocol, port, table }) => ({
    protocol,
    port,
    sockets: table.filter((one) => one.port === port),
  }));
  const owners = socketOwners(new Set(wanted.flatMap(({ sockets }) => sockets.map(({ inode }) => inode))));
  return wanted.map(({ protocol, port, sockets }) => ({
    protocol,
    port,
    holders: holdersOf(sockets, owners),
  }));
}

function holdersOf(sockets: readonly BoundPort[], owners: ReadonlyMap<string, number>): PortHolder[] {
  const holders = new Map<string, PortHolder>();
  for (const { userId, inode } of sockets) {
    const processId = owners.get(inode);
    const program = processId === undefined
      ? undefined
      : readText(`/proc/${processId}/comm`).trim() || undefined;
    holders.set(`${userId} ${processId}`, { userId, processId, program });
  }
  return [...holders.values()];
}

/** The process behind each socket; those of other users only root finds. */
function socketOwners(inodes: ReadonlySet<string>): Map<string, number> {
  const owners = new Map<string, number>();
  if (inodes.size === 0) return owners;
  for (const name of readFolder("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    for (const descriptor of readFolder(`/proc/${name}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/${name}/fd/${descriptor}`))?.[1];
      if (inode !== undefined && inodes.has(inode) && !owners.has(inode)) owners.set(inode, Number(name));
    }
    if (owners.size === inodes.size) break;
  }
  return owners;
}

function linkTarget(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
