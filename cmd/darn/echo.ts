/** Sends every message back, as wide as the way is: what cannot be sent yet keeps the peer's window closed. */
import type { AssociationId, MessageReceived, TransportEvent } from "../../protocol/net.ts";
import type { Association } from "./associations.ts";

/** The echo of one session. Its endpoints are opened with `manualReceive`. */
export class EchoService {
  readonly #held = new Map<AssociationId, MessageReceived[]>();

  /** Takes an event, with its association as it is behind it. */
  take(event: TransportEvent, association: Association | undefined): void {
    if (association === undefined) return;
    switch (event.type) {
      case "message":
        if (association.blocked || this.#held.has(association.id)) this.#hold(event);
        else sendBack(event, association);
        break;
      case "writable": {
        const held = this.#held.get(association.id) ?? [];
        this.#held.delete(association.id);
        for (const message of held) sendBack(message, association);
        break;
      }
      case "down":
      case "restarted":
        this.#held.delete(association.id);
        break;
      default:
        break;
    }
  }

  #hold(message: MessageReceived): void {
    const held = this.#held.get(message.association);
    if (held === undefined) this.#held.set(message.association, [message]);
    else held.push(message);
  }
}

function sendBack(message: MessageReceived, { endpoint }: Association): void {
  const { association, data, stream, ppid, unordered } = message;
  endpoint.execute({ type: "send", association, data, stream, ppid, unordered });
  endpoint.execute({ type: "consumed", association, octets: data.length });
}
