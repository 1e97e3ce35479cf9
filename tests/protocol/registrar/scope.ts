import type { ElementEntry } from "../../../protocol/handlespace/mod.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type { RegistrarEffect, RegistrarInput, RegistrarOptions } from "../../../protocol/registrar/mod.ts";
import type { Host } from "../message_network.ts";
import { reportsOf, World } from "../session/world.ts";
import type { RegistrarProcess, ServerProcess } from "../session/world.ts";

/** A world of several registrars that hear each other: an operation scope. */
export class Scope extends World {
  readonly registrars: RegistrarProcess[] = [];

  /** A registrar with an ID of its own. */
  join(
    registrarId: number,
    options: Partial<RegistrarOptions> = {},
    host: Host = this.host(),
  ): RegistrarProcess {
    const machine = new Registrar({ registrarId, seed: registrarId, ...options });
    const name = `registrar${registrarId}`;
    const registrar = this.network.spawn<RegistrarInput, RegistrarEffect>(host, name, machine, {
      endpoints: { asap: { port: 3863, listen: true }, enrp: { port: 9901, listen: true } },
      channels: {
        "asap-announce": { group: "asap", from: "asap" },
        "enrp-presence": { group: "enrp", from: "enrp" },
      },
    });
    this.registrars.push(registrar);
    return registrar;
  }

  /** Those that run. */
  living(): RegistrarProcess[] {
    return this.registrars.filter(({ alive }) => alive);
  }

  /** Whether all that run have the same elements, with the same homes. */
  agrees(): boolean {
    const views = this.living().map((registrar) => JSON.stringify(homes(registrar)));
    return new Set(views).size === 1;
  }

  /** Checks the structures of all that run after every event from now on. */
  watch(): void {
    this.network.afterEvent = () => {
      for (const registrar of this.living()) core(registrar).checkInvariants();
    };
  }
}

/** The registrar in a process. */
export function core(registrar: RegistrarProcess): Registrar {
  return registrar.machine as Registrar;
}

/** All elements that a registrar knows. */
export function entries(registrar: RegistrarProcess): ElementEntry[] {
  return core(registrar).handlespace.page(undefined, Infinity);
}

/** Element IDs with the IDs of their homes, as a registrar knows them. */
export function homes(registrar: RegistrarProcess): Record<number, number> {
  return Object.fromEntries(
    entries(registrar).map(({ elementId, homeRegistrarId }) => [elementId, homeRegistrarId]),
  );
}

/** Stages of takeovers that a registrar told of, in order. */
export function stages(registrar: RegistrarProcess): string[] {
  return reportsOf(registrar, "takeover").map(({ stage, targetId, registrarId }) =>
    `${stage} ${targetId} by ${registrarId}`
  );
}

/** How often a server found a registrar: by itself, and by being adopted. */
export function found(server: ServerProcess): boolean[] {
  return reportsOf(server, "registrarFound").map(({ adopted }) => adopted);
}
