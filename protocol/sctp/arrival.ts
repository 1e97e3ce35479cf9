import type { Instant, PacketMeta } from "../net.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Host } from "./party.ts";

/** A packet that no association has taken, or not yet: where it came in, and where from. */
export interface Arrival {
  readonly host: Host;
  readonly endpoint: Endpoint;
  readonly peerPort: number;
  readonly meta: PacketMeta;
  readonly now: Instant;
}

/** Answers it where it came from, with nothing kept. */
export function answer(
  { host, endpoint, peerPort, meta }: Arrival,
  tag: number,
  ...chunks: readonly Uint8Array[]
): void {
  host.reply(endpoint, endpoint.targetOf(meta), peerPort, tag, chunks);
}
