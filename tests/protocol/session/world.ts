import type { PolicyParameter } from "../../../protocol/param/policy.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type { RegistrarOptions } from "../../../protocol/registrar/mod.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../../protocol/session/mod.ts";
import type {
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostOptions,
  SessionClientEffect,
  SessionClientInput,
  SessionClientOptions,
} from "../../../protocol/session/mod.ts";
import type { RegistrarEffect, RegistrarInput } from "../../../protocol/registrar/mod.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { MessageNetwork } from "../message_network.ts";
import type { Host, Process } from "../message_network.ts";

export type RegistrarProcess = Process<RegistrarInput, RegistrarEffect>;
export type ServerProcess = Process<ServiceHostInput, ServiceHostEffect>;
export type ClientProcess = Process<SessionClientInput, SessionClientEffect>;

export const POOL: Uint8Array = encodeText("EchoPool");
export const ROUND_ROBIN: PolicyParameter = { name: "RoundRobin", type: 1 };
export const LEAST_USED: PolicyParameter = { name: "LeastUsed", type: 0x40000001, load: 0 };

/** Hosts 10.1.0.n, each process on one of its own unless a host is given. */
export class World {
  readonly network: MessageNetwork;
  #hosts = 0;

  constructor(seed = 1) {
    this.network = new MessageNetwork(seed);
  }

  host(): Host {
    const n = ++this.#hosts;
    return this.network.host(`host${n}`, `10.1.0.${n}`, `10.2.0.${n}`, "127.0.0.1");
  }

  registrar(options: Partial<RegistrarOptions> = {}, host: Host = this.host()): RegistrarProcess {
    const alone = { mentorDiscoveryTimeoutMs: 0 };
    const machine = new Registrar({ registrarId: 0xcafe0001, seed: 5, ...alone, ...options });
    return this.network.spawn<RegistrarInput, RegistrarEffect>(host, "registrar", machine, {
      endpoints: { asap: { port: 3863, listen: true }, enrp: { port: 9901, listen: true } },
      channels: { "asap-announce": { group: "asap", from: "asap" } },
    });
  }

  server(
    name: string,
    elementId: number,
    options: Partial<ServiceHostOptions> = {},
    host: Host = this.host(),
  ): ServerProcess {
    const machine = new ServiceHost({
      elementId,
      poolHandle: POOL,
      policy: ROUND_ROBIN,
      seed: elementId,
      reregistrationIntervalMs: 30_000,
      ...options,
    });
    return this.network.spawn<ServiceHostInput, ServiceHostEffect>(host, name, machine, {
      endpoints: { hunt: { listen: true }, data: { listen: true } },
      channels: { "asap-announce": { group: "asap" } },
    });
  }

  client(
    name = "client",
    options: Partial<SessionClientOptions> & { endpoints?: number } = {},
    host: Host = this.host(),
  ): ClientProcess {
    const machine = new SessionClient({ seed: 77, ...options });
    return this.network.spawn<SessionClientInput, SessionClientEffect>(host, name, machine, {
      endpoints: sessionClientEndpoints(options.endpoints ?? 10),
      channels: { "asap-announce": { group: "asap" } },
    });
  }
}

/** The effects of a process that have this type. */
export function effectsOf<Effect extends { readonly type: string }, Type extends string>(
  process: { readonly effects: readonly { readonly effect: Effect }[] },
  type: Type,
): Extract<Effect, { readonly type: Type }>[] {
  return process.effects.map(({ effect }) => effect).filter((effect) => effect.type === type) as Extract<
    Effect,
    { readonly type: Type }
  >[];
}

interface Reporting {
  readonly effects: readonly {
    readonly effect: { readonly type: string; readonly report?: { readonly type: string } };
  }[];
}

/** The reports of a process that have this type. */
// deno-lint-ignore no-explicit-any -- the callers compare fields of whatever report they asked for
export function reportsOf(process: Reporting, type: string): any[] {
  return process.effects.map(({ effect }) => effect.report).filter((report) => report?.type === type);
}

/** Makes a server answer every message with its own name in front, and send a cookie after each. */
export function makeEcho(server: ServerProcess): void {
  let counter = 0;
  server.onEffect = (effect) => {
    if (effect.type === "sessionCookie") {
      counter = effect.cookie[0]! << 8 | effect.cookie[1]!;
    } else if (effect.type === "sessionMessage") {
      counter++;
      const { session, ppid, data } = effect;
      server.input({
        type: "send",
        session,
        ppid,
        data: Uint8Array.from([...encodeText(`${server.name} `), ...data]),
      });
      server.input({ type: "sendCookie", session, cookie: Uint8Array.of(counter >> 8, counter & 255, 0, 0) });
    }
  };
}
