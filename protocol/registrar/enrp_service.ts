import { readEnrp } from "../enrp/mod.ts";
import type { EnrpMessage } from "../enrp/message.ts";
import { formatTransportAddress } from "../net.ts";
import type { TransportAddress } from "../net.ts";
import { OncePerOffender } from "../user/once_per_offender.ts";
import { DecodeError } from "../wire/mod.ts";
import type { AssociationRecord } from "./associations.ts";
import type { RegistrarReport } from "./report.ts";

/**
 * The registrar's side toward other registrars (RFC 5353). For now a registrar is alone in its operation scope: it
 * hears others, tells of them, and answers nothing, so that none of them takes it for a peer. Peers, synchronisation
 * and takeover take their place here.
 */
export class EnrpService {
  readonly #registrarId: number;
  readonly #report: (report: RegistrarReport) => void;
  readonly #offenders = new OncePerOffender();

  /**
   * @param registrarId our own: presences that come back to us are no peer's
   * @param report where reports go
   */
  constructor(registrarId: number, report: (report: RegistrarReport) => void) {
    this.#registrarId = registrarId;
    this.#report = report;
  }

  /** Takes a datagram of the presence group. */
  presence(source: TransportAddress, data: Uint8Array): void {
    const message = this.#read(data, formatTransportAddress(source));
    if (message?.type !== "presence" || message.senderId === this.#registrarId) return;
    if (!this.#offenders.isFirst(`registrar ${message.senderId}`)) return;
    this.#report({ type: "peerHeard", registrarId: message.senderId, source });
  }

  /** Takes a message of an association. */
  message(record: AssociationRecord, data: Uint8Array): void {
    this.#read(data, `association ${record.association}`);
  }

  #read(data: Uint8Array, source: string): EnrpMessage | undefined {
    try {
      return readEnrp(data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      if (this.#offenders.isFirst(source)) this.#report({ type: "offence", source, reason: error.message });
      return undefined;
    }
  }
}
