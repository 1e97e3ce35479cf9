import type { ElementEntry } from "../handlespace/mod.ts";
import { describeId } from "../param/describe.ts";
import { fractionFromWire } from "../param/policy.ts";
import type { PolicyParameter } from "../param/policy.ts";
import type { TransportParameter } from "../param/transport.ts";
import { showText } from "../wire/text.ts";
import { checksumOf, elementsInOrder, peersInOrder, poolsInOrder } from "./state.ts";
import type { PeerView, RegistrarState } from "./state.ts";

/**
 * What a registrar knows, in the layout of RSPLIB's `hsdump` (reference/rsplib.md §6.2): first its peers, then its
 * pools by handle with their elements by ID, the same pools with their elements in the order of selection, and who owns
 * what. Unlike RSPLIB's, checksums are shown as they are on the wire, and the home is the registrar's that is shown.
 *
 * What one registrar does not tell another, selections and unreachable reports, is that of a new handlespace.
 *
 * @param state what to show
 * @returns lines without newlines; they hold printable ASCII only, whatever somebody has registered
 *
 * @example An empty handlespace
 * ```ts
 * import { Handlespace, Prng, renderState } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const handlespace = new Handlespace(new Prng(1));
 * const [first] = renderState({ registrarId: 0xe7bbf4ba, peers: [], handlespace });
 * assert.equal(first, "PeerList of $e7bbf4ba (0 peers)");
 * ```
 */
export function renderState(state: RegistrarState): string[] {
  const { registrarId, handlespace } = state;
  const elements = elementsInOrder(state);
  const pools = poolsInOrder(elements);
  const counts = `${pools.length} Pools, ${elements.length} PoolElements`;
  return [
    ...peerLines(state),
    `Handlespace[home=${describeId(registrarId)}]: (${counts}, ${handlespace.ownedCount(registrarId)} Owned)`,
    `-- Checksums: Handlespace=${checksumText(checksumOf(elements))}, ` +
    `Ownership=${checksumText(handlespace.checksum(registrarId))}`,
    "*-- Index:",
    ...pools.flatMap((pool) => poolLines(pool, "Index", "idx", state)),
    "*-- Selection:",
    ...pools.flatMap((pool) => poolLines(inSelection(pool), "Selection", "sel", state)),
    "*-- Ownership:",
    ...ownershipLines(elements, registrarId),
  ];
}

function peerLines(state: RegistrarState): string[] {
  const byIndex = peersInOrder(state);
  const bySilence = byIndex.filter(({ silentMs }) => silentMs !== undefined)
    .sort((a, b) => (b.silentMs ?? 0) - (a.silentMs ?? 0));
  const lines = (peers: readonly PeerView[]) => peers.flatMap((peer, index) => peerEntry(peer, index, state));
  return [
    `PeerList of ${describeId(state.registrarId)} (${state.peers.length} peers)`,
    " +-- Peers by Index:",
    ...lines(byIndex),
    " +-- Peers by Timer:",
    ...lines(bySilence),
  ];
}

function peerEntry(peer: PeerView, index: number, { handlespace }: RegistrarState): string[] {
  const { registrarId, isStatic, silentMs, addresses, port } = peer;
  const silence = silentMs === undefined ? "" : ` silent=${Math.round(silentMs)}ms`;
  const checksum = `chsum=${checksumText(handlespace.checksum(registrarId))}`;
  const flags = isStatic === true ? "(static)" : "[dynamic]";
  const lines = [
    `   - idx:${ordinal(index)}: ${describeId(registrarId)}${silence} ${checksum} flags=${flags}`,
  ];
  if (addresses.length > 0) lines.push(`        addrs: {${addresses.join(", ")}} ${port}/SCTP`);
  return lines;
}

/** The pool's elements, the one that is selected next first. */
function inSelection(pool: readonly ElementEntry[]): ElementEntry[] {
  return pool[0] === undefined ? [] : [...pool[0].pool.selection];
}

function poolLines(
  elements: readonly ElementEntry[],
  title: "Index" | "Selection",
  key: "idx" | "sel",
  state: RegistrarState,
): string[] {
  const pool = elements[0]?.pool;
  if (pool === undefined) return [];
  const { poolHandle, policy, protocol, use } = pool;
  const control = use === "data+control" ? "yes" : "no";
  return [
    ` +-- Pool "${showText(poolHandle)}", Policy "${policy.name}", Protocol ${protocol.toUpperCase()}, ` +
    `CtrlCh=${control}: (${elements.length} nodes)`,
    ` +-- ${title}:`,
    ...elements.flatMap((entry, index) => [
      `   - ${key}:${ordinal(index)}: ${elementName(entry, state.registrarId)}`,
      ...elementDetails(entry, state),
    ]),
  ];
}

function elementName({ elementId, homeRegistrarId }: ElementEntry, registrarId: number): string {
  return `${describeId(elementId)} flags=${homeRegistrarId === registrarId ? "[own]" : "[foreign]"}`;
}

function elementDetails(entry: ElementEntry, { unreachableReports }: RegistrarState): string[] {
  const { homeRegistrarId, registrationLifeMs, policy, userTransport, asapTransport } = entry.element;
  const lines = [
    `     chsum=${checksumText(checksumOf([entry]))} home=${describeId(homeRegistrarId)} ` +
    `life=${registrationLifeMs}ms ur=${unreachableReports?.(entry) ?? 0}`,
    `     ${policyText(policy)}`,
    `     ${stateText(entry)}`,
    `     userT: ${transportText(userTransport)}`,
  ];
  if (asapTransport !== undefined) lines.push(`     regT:  ${transportText(asapTransport)}`);
  return lines;
}

/** The values of all policies in one line, 0 where this one has none. */
function policyText(policy: PolicyParameter): string {
  const fields: Readonly<Record<string, unknown>> = { ...policy };
  const value = (name: string): number => Number(fields[name] ?? 0);
  const percent = (name: string) =>
    `${(100 * fractionFromWire(value(name))).toFixed(3)}%(${hex(value(name))})`;
  const factor = (name: string) => `${fractionFromWire(value(name)).toFixed(6)}(${hex(value(name))})`;
  const type = policy.type.toString(16).padStart(2, "0");
  const weight = weightOf(policy);
  return `t=$${type} [w=${weight} l=${percent("load")} ldeg=${percent("loadDegradation")} ` +
    `ldpf=${factor("loadDpf")} wdpf=${factor("weightDpf")} dist=${value("distanceMs")}]`;
}

/** RSPLIB keeps a priority where it keeps a weight. */
function weightOf(policy: PolicyParameter): number {
  if ("weight" in policy) return policy.weight;
  return "priority" in policy ? policy.priority : 0;
}

function stateText(entry: ElementEntry): string {
  const { sequence, value, round, turns, degradation, selections } = entry.pool.selection.state(entry);
  const weight = weightOf(entry.policy);
  const share = weight === 0 ? "-" : (selections / weight).toFixed(1);
  return `seq=${sequence} val=${value} rd=${round} vrt=${turns} deg=$${degradation.toString(16)} ` +
    `{sel=${selections} s/w=${share}}`;
}

function transportText(transport: TransportParameter): string {
  const { addresses, port, protocol, use } = transport;
  const control = use === "data+control" ? "+CtrlCh" : "";
  return `{${addresses.join(", ")}} ${port}/${protocol.toUpperCase()}${control}`;
}

function ownershipLines(elements: readonly ElementEntry[], registrarId: number): string[] {
  const byOwner = [...elements].sort((a, b) => a.homeRegistrarId - b.homeRegistrarId); // stable: the rest stays
  return byOwner.map((entry) => {
    const { homeRegistrarId, pool } = entry;
    const mine = homeRegistrarId === registrarId ? " (property of local handlespace)" : "";
    const name = elementName(entry, registrarId);
    return `   - ${describeId(homeRegistrarId)} -> "${showText(pool.poolHandle)}" / ${name}${mine}`;
  });
}

/** `#0001` */
function ordinal(index: number): string {
  return `#${String(index + 1).padStart(4, "0")}`;
}

/** `$0000ffff` */
function checksumText(checksum: number): string {
  return describeId(checksum);
}

function hex(value: number): string {
  return describeId(value);
}
