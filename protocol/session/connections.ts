import { transportAddresses } from "../net.ts";
import type {
  AssociationDown,
  AssociationId,
  AssociationUp,
  IpAddress,
  NetworkEffect,
  SendCommand,
  TransportAddress,
  TransportCommand,
} from "../net.ts";
import type { SessionSend } from "./types.ts";

/** An association, or the attempt at one, from the connect to its end. */
export interface Connection<Owner> {
  readonly endpoint: string;
  readonly request: number;
  /** Where was connected to. */
  readonly peer: readonly TransportAddress[];
  /** Undefined = it is not up yet. */
  readonly association: AssociationId | undefined;
  /** Streams that messages can be sent on; 1 before the association is up. */
  readonly outboundStreams: number;
  /** Undefined = its owner has left it; what remains is to see its end. */
  readonly owner: Owner | undefined;
}

interface OpenConnection<Owner> extends Connection<Owner> {
  association: AssociationId | undefined;
  outboundStreams: number;
  owner: Owner | undefined;
}

/** What a session sends. */
type OutgoingMessage = Pick<SessionSend, "ppid" | "data" | "lent" | "head" | "stream">;

/** The command that sends a message on the stream it asks for, or on stream 0 where the association has no such one. */
export function sendCommand(
  { ppid, data, lent, head, stream = 0 }: OutgoingMessage,
  outboundStreams: number,
): Omit<SendCommand, "association"> {
  const message = { type: "send", ppid, data, stream: stream < outboundStreams ? stream : 0 } as const;
  return lent === true ? { ...message, lent, ...(head === undefined ? {} : { head }) } : message;
}

/**
 * The associations that sessions of a pool user run over, and the endpoints they leave from.
 *
 * Two endpoints have one association at most, and a connect cannot be recalled. So an endpoint that has anything to do
 * with a peer, be it an attempt that its session has given up, is not used for that peer again until it is over, but by who
 * goes on with that attempt.
 */
export class Connections<Owner> {
  readonly #outbox: { push(effect: NetworkEffect): void };
  readonly #endpoints: string[] = [];
  readonly #byRequest = new Map<number, OpenConnection<Owner>>();
  readonly #byAssociation = new Map<AssociationId, OpenConnection<Owner>>();
  #lastRequest = 0;

  /** @param outbox where commands go */
  constructor(outbox: { push(effect: NetworkEffect): void }) {
    this.#outbox = outbox;
  }

  /** An endpoint for sessions was opened. */
  addEndpoint(name: string): void {
    this.#endpoints.push(name);
  }

  /**
   * Connects to all addresses of a peer. An attempt that another session has given up is gone on with: it is under way
   * already, and its end would have to be waited for.
   *
   * @returns undefined = every endpoint has something to do with this peer already
   */
  connect(addresses: readonly IpAddress[], port: number, owner: Owner): Connection<Owner> | undefined {
    const peer = transportAddresses(addresses, port);
    const abandoned = this.#abandonedAttempt(peer);
    if (abandoned !== undefined) {
      abandoned.owner = owner;
      return abandoned;
    }
    const endpoint = this.#freeEndpoint(peer);
    if (endpoint === undefined) return undefined;
    const request = ++this.#lastRequest;
    const connection = { endpoint, request, peer, association: undefined, outboundStreams: 1, owner };
    this.#byRequest.set(request, connection);
    this.#execute(endpoint, { type: "connect", request, addresses, port });
    return connection;
  }

  /**
   * An association came up.
   *
   * @returns the owner that waits for it; without one it is aborted
   */
  up(endpoint: string, { association, request, outboundStreams }: AssociationUp): Owner | undefined {
    const connection = request === undefined ? undefined : this.#byRequest.get(request);
    if (connection !== undefined) {
      connection.association = association;
      connection.outboundStreams = outboundStreams;
      this.#byAssociation.set(association, connection);
      if (connection.owner !== undefined) return connection.owner;
    }
    // Given up meanwhile, or a stranger: nobody has to connect to a pool user.
    this.#execute(endpoint, { type: "abort", association, reason: "no longer wanted" });
    return undefined;
  }

  /** An association ended or did not come up. Gives the connection, which is forgotten from now on. */
  down({ association, request }: AssociationDown): Connection<Owner> | undefined {
    const connection = this.#byAssociation.get(association) ??
      (request === undefined ? undefined : this.#byRequest.get(request));
    if (connection === undefined) return undefined;
    this.#byRequest.delete(connection.request);
    this.#byAssociation.delete(association);
    return connection;
  }

  /** Whose association it is. */
  ownerOf(association: AssociationId): Owner | undefined {
    return this.#byAssociation.get(association)?.owner;
  }

  /** The owner wants nothing more of a connection: it is aborted, now or when it comes up. */
  leave(connection: Connection<Owner>, reason: string): void {
    const open = this.#byRequest.get(connection.request);
    if (open !== undefined) open.owner = undefined;
    this.end(connection, "abort", reason);
  }

  /** Ends an association that is up. Its end is told by `down`. */
  end({ endpoint, association }: Connection<Owner>, how: "shutdown" | "abort", reason: string): void {
    if (association === undefined) return;
    this.#execute(
      endpoint,
      how === "abort" ? { type: how, association, reason } : { type: how, association },
    );
  }

  /** Sends a message over an association that is up. */
  send({ endpoint, association, outboundStreams }: Connection<Owner>, message: OutgoingMessage): void {
    if (association === undefined) return;
    this.#execute(endpoint, { ...sendCommand(message, outboundStreams), association });
  }

  /** Gives the sender room for so many octets again; only with `manualReceive`. */
  consumed({ endpoint, association }: Connection<Owner>, octets: number): void {
    if (association !== undefined) this.#execute(endpoint, { type: "consumed", association, octets });
  }

  #abandonedAttempt(peer: readonly TransportAddress[]): OpenConnection<Owner> | undefined {
    for (const connection of this.#byRequest.values()) {
      if (connection.owner !== undefined || connection.association !== undefined) continue;
      if (isSame(connection.peer, peer)) return connection;
    }
    return undefined;
  }

  #freeEndpoint(peer: readonly TransportAddress[]): string | undefined {
    const busy = new Set<string>();
    for (const connection of this.#byRequest.values()) {
      if (overlap(connection.peer, peer)) busy.add(connection.endpoint);
    }
    return this.#endpoints.find((endpoint) => !busy.has(endpoint));
  }

  #execute(endpoint: string, command: TransportCommand): void {
    this.#outbox.push({ type: "transport", endpoint, command });
  }
}

/** Whether two lists have the same transport addresses, in whatever order. */
function isSame(a: readonly TransportAddress[], b: readonly TransportAddress[]): boolean {
  return a.length === b.length &&
    a.every(({ address, port }) => b.some((other) => other.address === address && other.port === port));
}

/** Whether two lists of transport addresses name the same SCTP endpoint. */
function overlap(a: readonly TransportAddress[], b: readonly TransportAddress[]): boolean {
  return a.some(({ address, port }) => b.some((other) => other.address === address && other.port === port));
}
