import { writeEnrp } from "../enrp/mod.ts";
import type { EnrpMessage } from "../enrp/mod.ts";
import { Ppid } from "../net.ts";
import type { TransportCommand } from "../net.ts";
import { OncePerOffender } from "../user/once_per_offender.ts";
import type { AssociationRecord } from "./associations.ts";
import type { PeerLinks } from "./peer_links.ts";
import type { Peer } from "./peer_list.ts";
import type { RegistrarReport } from "./report.ts";

/** The IDs that every message of ENRP has. */
export interface EnrpIds {
  readonly senderId: number;
  readonly receiverId: number;
}

/** Sends messages of ENRP, and tells of those that should not have been received. */
export class EnrpPost {
  readonly #registrarId: number;
  readonly #links: PeerLinks;
  readonly #execute: (command: TransportCommand) => void;
  readonly #report: (report: RegistrarReport) => void;
  readonly #offenders = new OncePerOffender();

  /**
   * @param registrarId our ID
   * @param links the ways to the peers
   * @param execute gives a command to the endpoint of ENRP
   * @param report takes reports
   */
  constructor(
    registrarId: number,
    links: PeerLinks,
    execute: (command: TransportCommand) => void,
    report: (report: RegistrarReport) => void,
  ) {
    this.#registrarId = registrarId;
    this.#links = links;
    this.#execute = execute;
    this.#report = report;
  }

  /** The IDs of a message to a peer. */
  ids(peer: Peer): EnrpIds {
    return { senderId: this.#registrarId, receiverId: peer.registrarId };
  }

  /** Sends to a peer, as soon as there is an association. */
  send(peer: Peer, message: EnrpMessage): void {
    this.#links.send(peer, writeEnrp(message));
  }

  /** Answers by the association that the question came by. */
  answer({ association }: AssociationRecord, message: EnrpMessage): void {
    if (this.#links.isBlocked(association)) return; // it does not take what it asked for
    this.#execute({ type: "send", association, data: writeEnrp(message), ppid: Ppid.enrp });
  }

  /**
   * Somebody broke the rules. Told once for each way to do so.
   *
   * @param kind the way, when the reason has details that a flood would vary
   */
  offence(source: string, reason: string, kind: string = reason): void {
    if (this.#offenders.isFirst(`${source}: ${kind}`)) this.#report({ type: "offence", source, reason });
  }

  /** Somebody met a limit. Told once. */
  limit(source: string, reason: string): void {
    if (this.#offenders.isFirst(`limit ${source}`)) this.#report({ type: "limit", source, reason });
  }
}

/** An association as reports name it. */
export function sourceName({ association }: AssociationRecord): string {
  return `association ${association}`;
}
