import { Outbox } from "../machine.ts";
import type { IpAddress, TransportCommand } from "../net.ts";
import type { AssociationRecord } from "./associations.ts";
import type { RegistrarEffect } from "./effects.ts";
import type { RegistrarReport } from "./report.ts";

/** The way out of a registrar: what its parts ask for becomes effects here, in order. */
export class Outlet {
  readonly #outbox = new Outbox<RegistrarEffect>();

  /** Gives a command to an endpoint. */
  execute(endpoint: "asap" | "enrp", command: TransportCommand): void {
    this.#outbox.push({ type: "transport", endpoint, command });
  }

  /** Connects from the endpoint of ASAP. */
  connect(request: number, addresses: readonly IpAddress[], port: number): void {
    this.execute("asap", { type: "connect", request, addresses, port });
  }

  /** So many octets of an association were taken. */
  consumed({ endpoint, association }: AssociationRecord, octets: number): void {
    this.execute(endpoint, { type: "consumed", association, octets });
  }

  /** Ends an association in order. */
  shutdown({ endpoint, association }: AssociationRecord): void {
    this.execute(endpoint, { type: "shutdown", association });
  }

  /** Ends an association at once: what it says from now on is of no interest. */
  abort(record: AssociationRecord, reason: string): void {
    record.aborted = true;
    this.execute(record.endpoint, { type: "abort", association: record.association, reason });
  }

  /** Sends a datagram to a group. */
  multicast(channel: "asap-announce" | "enrp-presence", data: Uint8Array): void {
    this.#outbox.push({ type: "datagram", channel, data });
  }

  /** Asks for the round-trip time of an association. */
  measure({ endpoint, association }: AssociationRecord): void {
    this.#outbox.push({ type: "measureRoundTrip", endpoint, association });
  }

  /** Tells what happened. */
  report(report: RegistrarReport): void {
    this.#outbox.push({ type: "report", report });
  }

  /** The end of all effects. */
  stopped(): void {
    this.#outbox.push({ type: "stopped" });
  }

  /** Takes all effects out. */
  drain(): RegistrarEffect[] {
    return this.#outbox.drain();
  }
}
