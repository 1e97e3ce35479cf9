import { readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import type { Machine } from "../../protocol/machine.ts";
import type {
  AssociationId,
  IpAddress,
  NetworkInput,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import type { PolicyParameter } from "../../protocol/param/mod.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../protocol/session/mod.ts";
import type {
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostOptions,
  SessionClientEffect,
  SessionClientInput,
  SessionClientOptions,
} from "../../protocol/session/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";

/**
 * A pool element or a pool user alone on a bench: the test plays the transport and everybody else, message by message,
 * in virtual time. (A registrar has its own, tests/protocol/registrar/harness.ts.)
 */

export const POOL: Uint8Array = encodeText("EchoPool");
export const ELEMENT_ID = 0x11223344;
export const ROUND_ROBIN: PolicyParameter = { name: "RoundRobin", type: 1 };
/** Static registrars of the benches: the first has this address, the next ones count up. */
export const REGISTRAR: IpAddress = "10.1.0.1";
export const ASAP_PORT = 3863;

/** A message that a machine sent. */
export interface Sent {
  readonly endpoint: string;
  readonly association: AssociationId;
  readonly ppid: number;
  readonly stream: number;
  readonly octets: Uint8Array;
  /** What it says, if it is ASAP. */
  readonly message: AsapMessage | undefined;
}

type BenchInput = NetworkInput | { readonly type: "start" };

/** See the head of this file. */
export class Bench<Input, Effect extends { readonly type: string }> {
  readonly machine: Machine<Input, Effect>;
  readonly sent: Sent[] = [];
  readonly commands: { readonly endpoint: string; readonly command: TransportCommand }[] = [];
  /** Everything that is not for the network. */
  readonly effects: Effect[] = [];
  now = 0;

  constructor(machine: Machine<Input, Effect>, endpoints: readonly string[], address: IpAddress) {
    this.machine = machine;
    for (const [index, endpoint] of endpoints.entries()) {
      const opened = { type: "endpointOpened", endpoint, port: 40_001 + index, addresses: [address] };
      this.give(opened as Input);
    }
    this.give({ type: "start" } as Input);
  }

  /** Gives the machine an input; gives what it sends then. */
  give(input: Input): Sent[] {
    const before = this.sent.length;
    this.machine.handle(input, this.now);
    this.#drain();
    return this.sent.slice(before);
  }

  /** Gives the machine an event of its transport. */
  event(endpoint: string, event: TransportEvent): Sent[] {
    const input: BenchInput = { type: "transport", endpoint, event };
    return this.give(input as Input);
  }

  /** An association comes up. `request` undefined = the peer set it up. */
  up(endpoint: string, association: AssociationId, request: number | undefined, address: IpAddress): Sent[] {
    return this.event(endpoint, {
      type: "up",
      association,
      request,
      peerAddresses: [address],
      peerPort: ASAP_PORT,
      outboundStreams: 10,
      inboundStreams: 10,
    });
  }

  /** An association ends, or (with `request`) does not come up. */
  down(endpoint: string, association: AssociationId, request?: number): Sent[] {
    const reason = request === undefined ? "aborted" : "refused";
    return this.event(endpoint, {
      type: "down",
      association,
      request,
      reason,
      origin: "peer",
      cause: undefined,
    });
  }

  /** The peer says something; gives the answers. */
  say(
    endpoint: string,
    association: AssociationId,
    message: AsapMessage | Uint8Array,
    ppid: number = 11,
  ): AsapMessage[] {
    const data = message instanceof Uint8Array ? message : writeAsap(message);
    const event = {
      type: "message",
      association,
      stream: 0,
      ssn: 0,
      tsn: 0,
      ppid,
      unordered: false,
      data,
    } as const;
    return messages(this.event(endpoint, event));
  }

  /** A registrar announces itself. */
  announce(message: AsapMessage, address: IpAddress, port: number): void {
    const input: BenchInput = {
      type: "datagram",
      channel: "asap-announce",
      source: { address, port },
      data: writeAsap(message),
    };
    this.give(input as Input);
  }

  /** Lets time pass, timer by timer; gives what was sent. */
  run(durationMs: number): AsapMessage[] {
    const before = this.sent.length;
    const end = this.now + durationMs;
    for (
      let at = this.machine.nextTimeout();
      at !== undefined && at <= end;
      at = this.machine.nextTimeout()
    ) {
      this.now = Math.max(this.now, at);
      this.machine.tick(this.now);
      this.#drain();
    }
    this.now = end;
    return messages(this.sent.slice(before));
  }

  /** The connects that were asked for, in order, at the endpoints whose names begin so. */
  connects(
    endpoint: string = "hunt",
  ): { readonly request: number; readonly addresses: readonly IpAddress[] }[] {
    return this.commands.flatMap(({ endpoint: where, command }) =>
      where.startsWith(endpoint) && command.type === "connect" ? [command] : []
    );
  }

  /** Whether the machine aborted this association. */
  aborted(association: AssociationId): boolean {
    return this.commands.some(({ command }) =>
      command.type === "abort" && command.association === association
    );
  }

  /** The effects of this type, as plain objects. */
  effectsOf(type: string): Readonly<Record<string, unknown>>[] {
    return this.effects.filter((effect) => effect.type === type) as unknown as Record<string, unknown>[];
  }

  /** The reports of this type. */
  reportsOf(type: string): Readonly<Record<string, unknown>>[] {
    return this.effectsOf("report").map(({ report }) => report as Record<string, unknown>)
      .filter((report) => report["type"] === type);
  }

  #drain(): void {
    for (const effect of this.machine.drain()) {
      if (effect.type !== "transport") {
        this.effects.push(effect);
        continue;
      }
      const { endpoint, command } = effect as unknown as { endpoint: string; command: TransportCommand };
      if (command.type === "send") {
        const { association, ppid, data: octets, stream = 0 } = command;
        const message = ppid === 11 ? readAsap(octets) : undefined;
        this.sent.push({ endpoint, association, ppid, stream, octets, message });
      } else this.commands.push({ endpoint, command });
    }
  }
}

/** The ASAP messages among what was sent. */
export function messages(sent: readonly Sent[]): AsapMessage[] {
  return sent.flatMap(({ message }) => message === undefined ? [] : [message]);
}

/** Addresses of so many registrars, as options of the hunt want them. */
export function registrars(count: number): { address: IpAddress; port: number }[][] {
  return Array.from({ length: count }, (_, n) => [{ address: `10.1.0.${1 + n}`, port: ASAP_PORT }]);
}

export type ElementBench = Bench<ServiceHostInput, ServiceHostEffect>;
export type UserBench = Bench<SessionClientInput, SessionClientEffect>;

/** A pool element that hunts for its registrar: its first connect is request 1. */
export function newElement(options: Partial<ServiceHostOptions> = {}): ElementBench {
  const host = new ServiceHost({
    elementId: ELEMENT_ID,
    poolHandle: POOL,
    policy: ROUND_ROBIN,
    seed: 1,
    hunt: { registrars: registrars(1) },
    ...options,
  });
  return new Bench(host, ["hunt", "data"], "10.1.0.77");
}

/** A pool element that is registered over association 7. */
export function member(options: Partial<ServiceHostOptions> = {}): ElementBench {
  const bench = newElement(options);
  bench.up("hunt", 7, 1, REGISTRAR);
  bench.say("hunt", 7, accepted());
  return bench;
}

/** The response that accepts the bench's element. */
export function accepted(): AsapMessage {
  return { type: "registrationResponse", rejected: false, poolHandle: POOL, elementId: ELEMENT_ID };
}

/** A pool user that hunts for its registrar. */
export function newUser(options: Partial<SessionClientOptions> = {}): UserBench {
  const client = new SessionClient({ seed: 1, hunt: { registrars: registrars(1) }, ...options });
  return new Bench(client, Object.keys(sessionClientEndpoints(2)), "10.1.0.88");
}

/** A pool user that has its registrar at association 7. */
export function user(options: Partial<SessionClientOptions> = {}): UserBench {
  const bench = newUser(options);
  bench.up("hunt", 7, 1, REGISTRAR);
  return bench;
}

/** The response of a registrar whose pool has these elements, at 10.1.1.1, 10.1.1.2, … */
export function resolution(...elementIds: number[]): AsapMessage {
  return {
    type: "handleResolutionResponse",
    poolHandle: POOL,
    policy: ROUND_ROBIN,
    elements: elementIds.map((elementId, n) => ({
      elementId,
      homeRegistrarId: 0xc2818128,
      registrationLifeMs: 90_000,
      userTransport: {
        protocol: "sctp",
        port: 42_976,
        use: "data+control",
        addresses: [`10.1.1.${1 + n}`],
      },
      policy: ROUND_ROBIN,
    })),
  };
}

/** A pool user with session 1 over association 9 to element 0x11. */
export function connectedUser(): UserBench {
  const bench = user();
  bench.give({ type: "openSession", session: 1, poolHandle: POOL });
  bench.say("hunt", 7, resolution(0x11));
  bench.up("data", 9, bench.connects("data").at(-1)!.request, "10.1.1.1");
  return bench;
}

/** 16 bits, high octet first. */
export function u16(value: number): number[] {
  return [value >> 8 & 0xff, value & 0xff];
}

/** 32 bits, high octet first. */
export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

/** A parameter or an error cause: type, length, value, padding of this octet. */
export function tlv(type: number, value: Iterable<number>, padding: number = 0): number[] {
  const octets = [...u16(type), 0, 0, ...value];
  octets.splice(2, 2, ...u16(octets.length));
  while (octets.length % 4 !== 0) octets.push(padding);
  return octets;
}

/** A message, with the length of everything in it unless another one is given. */
export function message(
  type: number,
  flags: number,
  parts: readonly number[][],
  length?: number,
): Uint8Array {
  const body = parts.flat();
  return Uint8Array.of(type, flags, ...u16(length ?? 4 + body.length), ...body);
}
