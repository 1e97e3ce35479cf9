/** What the tests of associations between PCs of the laboratory share. */
import { fileURLToPath } from "node:url";
import { type NetworkName, NETWORKS, type Pc, type Program } from "./lab.ts";
import type { SctpPeerTask } from "./sctp_peer.ts";

const PEER = fileURLToPath(new URL("sctp_peer.ts", import.meta.url));

/** Timers that let a dead path be found out in a second or two instead of a minute. */
export const QUICK = {
  rto: { initialMs: 300, minMs: 250, maxMs: 1000 },
  heartbeatIntervalMs: 300,
  pathMaxRetransmissions: 2,
} as const;

/** The command line of a peer; `before` are words before it, such as a command that takes privileges away. */
export function peerLine(task: SctpPeerTask, before: readonly string[] = []): string[] {
  const deno = [Deno.execPath(), "run", "--allow-all", "--quiet", "--v8-flags=--expose-gc"];
  return [...before, ...deno, PEER, JSON.stringify(task)];
}

/** Starts a receiver; resolves when it listens. */
export async function startReceiver(pc: Pc, task: Omit<SctpPeerTask, "role">): Promise<Program> {
  const receiver = pc.start(...peerLine({ role: "receive", ...task }));
  await receiver.says(/ready on port/);
  return receiver;
}

/** Starts a sender. */
export function startSender(pc: Pc, task: Omit<SctpPeerTask, "role">): Program {
  return pc.start(...peerLine({ role: "send", ...task }));
}

/** The addresses of a PC, those of the blue network first, IPv4 before IPv6. */
export function addressesOf(pc: Pc): string[] {
  return Object.values(NETWORKS).flatMap((
    { ipv4, ipv6 },
  ) => [`${ipv4}.${pc.number}`, `${ipv6}:${pc.number}`]);
}

/** The network of an address. */
export function networkOf(address: string): NetworkName {
  return /^(10\.1\.|fd01:)/.test(address) ? "blue" : "yellow";
}

/** The counters that a peer has said last. */
export function countersOf(program: Program): Record<string, number> {
  const lines = [...program.output.matchAll(/^counters (.*)$/gm)];
  const last = lines.at(-1)?.[1];
  if (last === undefined) throw new Error(`Cannot find counters in:\n${program.output}`);
  return JSON.parse(last);
}
