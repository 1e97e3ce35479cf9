/**
 * What the peers of the interoperation tests agree on: a client sends messages of some sizes, a server sends each back
 * on its stream; both tell what happens in lines of JSON on standard output.
 *
 * @module
 */

/** What a peer is to do, given as JSON in its only argument. */
export interface PeerTask {
  readonly role: "client" | "server";
  /** Own SCTP port; the embedded client takes an ephemeral one. */
  readonly port: number;
  /** Own UDP port for encapsulation, as far as the peer can choose; 0 = plain IP only. */
  readonly udpPort: number;
  /** Client: addresses of the server. */
  readonly addresses: readonly string[];
  /** Client: SCTP port of the server. */
  readonly peerPort: number;
  /** Client: UDP port of the server; 0 = plain IP; absent = find out. */
  readonly encapsulationPort?: number;
  /** Client: lengths of the messages to send, in octets. */
  readonly sizes: readonly number[];
  /** Embedded peer: plain IP or not. */
  readonly raw: "on" | "off";
  /** The addresses are IPv6. */
  readonly ipv6: boolean;
  /** Embedded client: shuts down only when so many paths are active. */
  readonly paths?: number;
}

/** One line of a peer's output. */
export type PeerReport =
  /** The server listens. */
  | { readonly type: "ready" }
  | { readonly type: "up"; readonly peerAddresses: readonly string[] }
  /** The client got a message back as it had sent it. */
  | { readonly type: "echoed"; readonly length: number }
  /** All paths that were asked for are active: own address, the peer's address, and the path MTU in octets. */
  | { readonly type: "paths"; readonly pairs: readonly string[]; readonly mtus: readonly number[] }
  /** The association ended: "shutdown" is as it should be. */
  | { readonly type: "down"; readonly reason: string }
  | { readonly type: "failed"; readonly why: string };

/** Of the agents' messages: nobody's, for tshark takes those that are assigned by their word. */
export const PPID = 0x7000_0000;

/** The message of a length, different in every octet's neighbourhood. */
export function messageOf(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 31 + (i >> 8) * 7 + length & 255);
}

/** Stream and PPID that a message of a length travels with. */
export function streamOf(length: number): { readonly stream: number; readonly ppid: number } {
  return { stream: length % 3, ppid: 0x10000 + length };
}

/** Whether two messages are the same octets. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** Writes a line of JSON to standard output. */
export function report(line: PeerReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

/** The task from the command line. */
export function readTask(): PeerTask {
  return JSON.parse(Deno.args[0] ?? "{}");
}
