/** Tables of associations and of their paths. */
import type { AssociationStatus, PathStatus } from "../../../protocol/net.ts";
import { formatTransportAddress } from "../../../protocol/net.ts";
import type { Association } from "../associations.ts";
import { showPeer } from "../associations.ts";
import { shown } from "./shown.ts";
import type { JsonValue, Shown } from "./shown.ts";

/** Pads the cells of a table; numbers stand at the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  const isNumeric = widths.map((_, i) => rows.slice(1).every((row) => /^[\d.,-]*$/.test(row[i] ?? "")));
  return rows.map((row) =>
    row.map((cell, i) => isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)).join("  ")
      .trimEnd()
  );
}

/** What {@linkcode renderAssociations} shows of each association. */
export interface AssociationRow {
  readonly association: Association;
  readonly status: AssociationStatus | undefined;
  readonly current: boolean;
}

/** All associations, the current one with an asterisk. */
export function renderAssociations(rows: readonly AssociationRow[]): Shown {
  if (rows.length === 0) {
    return shown("No association is present now!!", { event: "assocs", associations: [] });
  }
  const table = rows.map(({ association, status, current }) => [
    `${current ? "*" : " "}${association.number}`,
    showPeer(association),
    association.peerAddresses.length.toString(),
    status?.state ?? "gone",
    `${association.outboundStreams}/${association.inboundStreams}`,
    String(status?.queuedOctets ?? ""),
    String(association.sent.messages),
    String(association.received.messages),
    association.initiator === "local" ? "this side" : "the peer",
  ]);
  const head = ["No", "Peer", "Paths", "State", "Streams", "Queued", "Sent", "Received", "Set up by"];
  return shown(tableLines([head, ...table]), {
    event: "assocs",
    associations: rows.map(({ association, status, current }) => ({
      association: association.number,
      current,
      peer: showPeer(association),
      addresses: association.peerAddresses,
      initiator: association.initiator,
      state: status?.state,
      outboundStreams: association.outboundStreams,
      inboundStreams: association.inboundStreams,
      queuedOctets: status?.queuedOctets,
      sent: { ...association.sent },
      received: { ...association.received },
    })),
  });
}

/** The paths of an association. */
export function renderPaths(
  association: Association,
  paths: readonly PathStatus[],
  heartbeats: readonly string[],
): Shown {
  const table = paths.map((path, index) => [
    `${path.primary ? "*" : " "}${path.address}`,
    path.localAddress ?? "",
    path.state,
    String(path.cwnd),
    showThreshold(path.ssthresh),
    path.srttMs === 0 ? "" : path.srttMs.toFixed(1),
    path.rtoMs.toFixed(0),
    String(path.mtu),
    String(path.flightOctets ?? ""),
    String(path.errors ?? ""),
    heartbeats[index] ?? "",
    path.encapsulationPort === 0 ? "" : String(path.encapsulationPort),
  ]);
  const head = [
    "Path (* primary)",
    "From",
    "State",
    "cwnd",
    "ssthresh",
    "SRTT/ms",
    "RTO/ms",
    "MTU",
    "Flight",
    "Errors",
    "Heartbeat",
    "UDP",
  ];
  return shown(withoutEmptyColumns([head, ...table]), {
    event: "paths",
    association: association.number,
    peer: showPeer(association),
    paths: paths.map((path, index) => ({ ...path, heartbeat: heartbeats[index] }) as JsonValue),
  });
}

/** A threshold that was never set is as high as can be. */
function showThreshold(ssthresh: number | undefined): string {
  return ssthresh === undefined || ssthresh >= 0x7fff_ffff ? "" : String(ssthresh);
}

/** A table without the columns of which nothing is known. */
function withoutEmptyColumns(rows: readonly (readonly string[])[]): string[] {
  const kept = (rows[0] ?? []).map((_, i) => rows.slice(1).some((row) => row[i] !== ""));
  return tableLines(rows.map((row) => row.filter((_, i) => kept[i])));
}

/** All that is known of one association besides its paths. */
export function renderStatus(association: Association, status: AssociationStatus): Shown {
  const { extensions } = status;
  const agreed = extensions === undefined
    ? []
    : Object.entries(extensions).filter(([, both]) => both).map(([name]) => EXTENSION_NAMES[name] ?? name);
  const tag = (value: number | undefined) =>
    value === undefined ? undefined : `0x${value.toString(16).padStart(8, "0")}`;
  const facts: [string, string | number | undefined][] = [
    [
      "Association",
      `#${association.number}, set up by ${association.initiator === "local" ? "this side" : "the peer"}`,
    ],
    [
      "Peer",
      association.peerAddresses.map((address) =>
        formatTransportAddress({ address, port: association.peerPort })
      ).join(" "),
    ],
    ["State", status.state],
    ["Streams", `${status.outboundStreams} out, ${status.inboundStreams} in`],
    ["Peer's receive window", status.peerReceiveWindow],
    ["Queued octets", status.queuedOctets],
    ["Unacknowledged chunks", status.unacknowledgedChunks],
    ["Pending messages", status.pendingMessages],
    ["Fragmentation point", status.fragmentationPoint],
    ["Verification tag, local", tag(status.localTag)],
    ["Verification tag, peer's", tag(status.peerTag)],
    ["Extensions", extensions === undefined ? undefined : agreed.join(", ") || "none"],
  ];
  const known = facts.filter(([, value]) => value !== undefined);
  return shown(known.map(([name, value]) => `${name}: ${value}`), {
    event: "status",
    association: association.number,
    peer: showPeer(association),
    ...(status as unknown as { readonly [name: string]: JsonValue }),
  });
}

const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  partialReliability: "partial reliability (RFC 3758)",
  reconfiguration: "stream reconfiguration (RFC 6525)",
  interleaving: "message interleaving (RFC 8260)",
  authentication: "authentication (RFC 4895)",
  dynamicAddresses: "dynamic addresses (RFC 5061)",
};
