import { EnrpType } from "../../enrp/mod.ts";
import type { Machine } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { RegistrarEffect, RegistrarInput } from "../../registrar/mod.ts";

/**
 * A registrar with the one gap of rspregistrar 3.4.4 that others have to live with: its ENRP_TAKEOVER_SERVER never leaves
 * it (reference/rsplib.md §3.10), so that the others learn of the new home by a checksum that differs.
 */
export class RsplibLike implements Machine<RegistrarInput, RegistrarEffect> {
  readonly #registrar: Machine<RegistrarInput, RegistrarEffect>;

  /** @param registrar the registrar without the gap */
  constructor(registrar: Machine<RegistrarInput, RegistrarEffect>) {
    this.#registrar = registrar;
  }

  handle(input: RegistrarInput, now: Instant): void {
    this.#registrar.handle(input, now);
  }

  tick(now: Instant): void {
    this.#registrar.tick(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#registrar.nextTimeout();
  }

  drain(): RegistrarEffect[] {
    return this.#registrar.drain().filter((effect) => !isTakeoverServer(effect));
  }
}

function isTakeoverServer(effect: RegistrarEffect): boolean {
  if (effect.type !== "transport" || effect.command.type !== "send") return false;
  const { ppid, data } = effect.command;
  return ppid === Ppid.enrp && data[0] === EnrpType.takeoverServer;
}
