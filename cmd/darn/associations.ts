/** The associations of a session, by small numbers that people can type. */
import { formatTransportAddress } from "../../protocol/net.ts";
import type {
  AssociationId,
  AssociationUp,
  Endpoint,
  IpAddress,
  TransportAddress,
  TransportEvent,
} from "../../protocol/net.ts";

/** What the session knows of an association. */
export interface Association {
  /** Counted from 1 in the order of their coming up; never used again. */
  readonly number: number;
  readonly id: AssociationId;
  /** Another one once it is peeled off. */
  readonly endpoint: Endpoint;
  /** Which of the two sides set it up. */
  readonly initiator: "local" | "peer";
  readonly peerAddresses: readonly IpAddress[];
  readonly peerPort: number;
  readonly outboundStreams: number;
  readonly inboundStreams: number;
  /** The peer takes no more messages, or this side has asked for the end. */
  readonly ending: boolean;
  /** More is queued than the send buffer should hold. */
  readonly blocked: boolean;
  readonly sent: MessageCount;
  readonly received: MessageCount;
}

/** Messages and their octets. */
export interface MessageCount {
  readonly messages: number;
  readonly octets: number;
}

/** Where an association's peer is, by the address that came first. */
export function peerOf({ peerAddresses, peerPort }: Association): TransportAddress {
  return { address: peerAddresses[0] ?? "?", port: peerPort };
}

/** As {@linkcode peerOf}, as text. */
export function showPeer(association: Association): string {
  return formatTransportAddress(peerOf(association));
}

/** The living associations, and which one commands are about. */
export class Associations {
  readonly #byNumber = new Map<number, Association>();
  readonly #numbers = new Map<AssociationId, number>();
  #lastNumber = 0;
  #chosen: number | undefined;

  /** In the order of their coming up. */
  get all(): readonly Association[] {
    return [...this.#byNumber.values()];
  }

  get count(): number {
    return this.#byNumber.size;
  }

  /** Whether there was none yet. */
  get isUntouched(): boolean {
    return this.#lastNumber === 0;
  }

  /** The chosen one while it lives; otherwise the newest that is not about to end. */
  get current(): Association | undefined {
    const chosen = this.#chosen === undefined ? undefined : this.#byNumber.get(this.#chosen);
    return chosen ?? this.all.findLast(({ ending }) => !ending) ?? this.all.at(-1);
  }

  /** By the number of {@linkcode Association.number}. */
  get(number: number): Association | undefined {
    return this.#byNumber.get(number);
  }

  /** By the transport's name for it. */
  find(id: AssociationId): Association | undefined {
    const number = this.#numbers.get(id);
    return number === undefined ? undefined : this.#byNumber.get(number);
  }

  /** Makes it the one that commands are about. @returns false when there is none of this number */
  choose(number: number): boolean {
    if (!this.#byNumber.has(number)) return false;
    this.#chosen = number;
    return true;
  }

  /**
   * Takes an event.
   *
   * @returns the association that it is about, as it is behind the event; for `down` as it was. Undefined = the answer to a
   * connect that failed
   */
  take(event: TransportEvent, endpoint: Endpoint): Association | undefined {
    if (event.type === "up") return this.#add(event, endpoint);
    const association = this.find(event.association);
    if (association === undefined) return undefined;
    switch (event.type) {
      case "down":
        this.#byNumber.delete(association.number);
        this.#numbers.delete(association.id);
        return association;
      case "blocked":
      case "writable":
        return this.change(association, { blocked: event.type === "blocked" });
      case "peerShutdown":
        return this.change(association, { ending: true });
      case "restarted":
        return this.change(association, { ending: false, blocked: false });
      case "streamsAdded": {
        if (event.outcome !== "performed") return association;
        const { inboundStreams, outboundStreams } = event;
        return this.change(association, { inboundStreams, outboundStreams });
      }
      case "path":
        return this.#changePath(association, event.address, event.change);
      case "message": {
        const { messages, octets } = association.received;
        return this.change(association, {
          received: { messages: messages + 1, octets: octets + event.data.length },
        });
      }
      default:
        return association;
    }
  }

  /** Notes something that no event tells. */
  change(association: Association, changes: Partial<Association>): Association {
    const changed = { ...association, ...changes };
    if (this.#byNumber.has(association.number)) this.#byNumber.set(association.number, changed);
    return changed;
  }

  #add(event: AssociationUp, endpoint: Endpoint): Association {
    const association: Association = {
      number: ++this.#lastNumber,
      id: event.association,
      endpoint,
      initiator: event.request === undefined ? "peer" : "local",
      peerAddresses: event.peerAddresses,
      peerPort: event.peerPort,
      outboundStreams: event.outboundStreams,
      inboundStreams: event.inboundStreams,
      ending: false,
      blocked: false,
      sent: { messages: 0, octets: 0 },
      received: { messages: 0, octets: 0 },
    };
    this.#byNumber.set(association.number, association);
    this.#numbers.set(association.id, association.number);
    return association;
  }

  #changePath(association: Association, address: IpAddress, change: string): Association {
    const { peerAddresses } = association;
    if (change === "added" && !peerAddresses.includes(address)) {
      return this.change(association, { peerAddresses: [...peerAddresses, address] });
    }
    if (change === "removed") {
      return this.change(association, { peerAddresses: peerAddresses.filter((one) => one !== address) });
    }
    return association;
  }
}
