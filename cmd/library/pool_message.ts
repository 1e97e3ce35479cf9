/** What sessions carry. */
import type { Ppid } from "../../protocol/net.ts";

/** A message that came by a session. */
export class PoolMessage {
  /** The octets; the receiver's own. */
  readonly data: Uint8Array;
  /** The payload protocol that the sender gave it. */
  readonly ppid: Ppid;
  /** The SCTP stream it came by. */
  readonly stream: number;

  /** Makes a message. */
  constructor(data: Uint8Array, ppid: Ppid, stream: number) {
    this.data = data;
    this.ppid = ppid;
    this.stream = stream;
  }

  /** The octets as UTF-8 text. */
  get text(): string {
    return new TextDecoder().decode(this.data);
  }
}

/** How a message is sent. */
export interface SendOptions {
  /** The payload protocol, for the other side. 11 is ASAP's own. Default 0, none. */
  readonly ppid?: Ppid | undefined;
  /** The SCTP stream to send on. Messages of one stream come in order. Default 0. */
  readonly stream?: number | undefined;
}

/** Octets of a message that a caller gave. A copy, since the transport keeps them until they have arrived. */
export function octetsOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
}
