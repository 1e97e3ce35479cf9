import { readAsap, writeAsap } from "../../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../../protocol/asap/mod.ts";
import { readEnrp } from "../../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../../protocol/enrp/mod.ts";
import type { AssociationId, IpAddress, TransportCommand } from "../../../protocol/net.ts";
import type { PolicyParameter } from "../../../protocol/param/policy.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type {
  RegistrarEffect,
  RegistrarInput,
  RegistrarOptions,
  RegistrarReport,
} from "../../../protocol/registrar/mod.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

export const POOL: Uint8Array = encodeText("EchoPool");
export const ROUND_ROBIN: PolicyParameter = { name: "RoundRobin", type: 1 };
export const REGISTRAR_ID = 0xc2818128;

/** A pool element as it registers itself. */
export function element(elementId: number, fields: Partial<PoolElement> = {}): PoolElement {
  return {
    elementId,
    homeRegistrarId: 0,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 42976, use: "data+control", addresses: ["10.1.1.1"] },
    policy: ROUND_ROBIN,
    ...fields,
  };
}

/** A registrar without a network: associations are events, answers are collected. */
export class RegistrarHarness {
  readonly registrar: Registrar;
  readonly reports: RegistrarReport[] = [];
  readonly commands: TransportCommand[] = [];
  readonly announces: Uint8Array[] = [];
  readonly answers: {
    readonly association: AssociationId;
    readonly message: AsapMessage;
    readonly octets: Uint8Array;
  }[] = [];
  /** Associations whose round-trip time was asked for. */
  readonly measured: AssociationId[] = [];
  /** What was sent to the group of presences. */
  readonly presences: EnrpMessage[] = [];
  /** What was sent to other registrars. */
  readonly enrp: {
    readonly association: AssociationId;
    readonly message: EnrpMessage;
    readonly octets: Uint8Array;
  }[] = [];
  stopped = false;
  now = 0;
  #lastAssociation = 0;

  constructor(options: Partial<RegistrarOptions> = {}) {
    // Alone, and in service at once, unless a test is about the start; without jitter, so that a test can say when a
    // keep-alive comes.
    const usual = { mentorDiscoveryTimeoutMs: 0, keepAliveJitter: 0 };
    this.registrar = new Registrar({ registrarId: REGISTRAR_ID, seed: 1, ...usual, ...options });
    for (const endpoint of ["asap", "enrp"]) {
      this.registrar.handle({ type: "endpointOpened", endpoint, port: 3863, addresses: ["10.1.1.254"] }, 0);
    }
    this.registrar.handle({ type: "start" }, 0);
    this.#drain();
  }

  /** Gives the registrar an input. */
  input(input: RegistrarInput): void {
    this.registrar.handle(input, this.now);
    this.#drain();
  }

  /** A peer sets up an association. */
  up(
    peerAddresses: readonly IpAddress[] = ["10.1.1.1"],
    endpoint = "asap",
    { peerPort, request }: { peerPort?: number; request?: number } = {},
  ): AssociationId {
    const association = ++this.#lastAssociation;
    this.input({
      type: "transport",
      endpoint,
      event: {
        type: "up",
        association,
        request,
        peerAddresses,
        peerPort: peerPort ?? 40000 + association,
        outboundStreams: 10,
        inboundStreams: 10,
      },
    });
    return association;
  }

  /** A peer's association ends. */
  down(association: AssociationId, endpoint = "asap"): void {
    this.input({
      type: "transport",
      endpoint,
      event: {
        type: "down",
        association,
        request: undefined,
        reason: "shutdown",
        origin: "peer",
        cause: undefined,
      },
    });
  }

  /** The transport tells something of an association. */
  event(association: AssociationId, type: "blocked" | "writable", endpoint = "asap"): void {
    this.input({ type: "transport", endpoint, event: { type, association } });
  }

  /** A peer sends octets; gives the answers to them. */
  octets(association: AssociationId, data: Uint8Array, ppid = 11, endpoint = "asap"): AsapMessage[] {
    const before = this.answers.length;
    this.input({
      type: "transport",
      endpoint,
      event: { type: "message", association, stream: 0, ssn: 0, tsn: 0, ppid, unordered: false, data },
    });
    return this.answers.slice(before).map(({ message }) => message);
  }

  /** A peer sends a message; gives the answers to it. */
  say(association: AssociationId, message: AsapMessage): AsapMessage[] {
    return this.octets(association, writeAsap(message));
  }

  /** Registers an element; gives the answer. */
  register(association: AssociationId, poolElement: PoolElement, poolHandle: Uint8Array = POOL): AsapMessage {
    return this.say(association, { type: "registration", poolHandle, element: poolElement })[0]!;
  }

  /** Resolves the pool; gives the IDs of the elements. */
  resolve(association: AssociationId, items?: number, poolHandle: Uint8Array = POOL): number[] {
    const [answer] = this.say(association, { type: "handleResolution", poolHandle, items });
    return answer?.type === "handleResolutionResponse"
      ? answer.elements.map(({ elementId }) => elementId)
      : [];
  }

  /** Lets time pass, timer by timer. Aborts take place at once. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    for (
      let at = this.registrar.nextTimeout();
      at !== undefined && at <= end;
      at = this.registrar.nextTimeout()
    ) {
      this.now = Math.max(this.now, at);
      this.registrar.tick(this.now);
      this.#drain();
    }
    this.now = end;
  }

  reportsOf<Type extends RegistrarReport["type"]>(type: Type): Extract<RegistrarReport, { type: Type }>[] {
    return this.reports.filter((report) => report.type === type) as Extract<
      RegistrarReport,
      { type: Type }
    >[];
  }

  aborted(association: AssociationId): boolean {
    return this.commands.some((command) => command.type === "abort" && command.association === association);
  }

  #drain(): void {
    for (const effect of this.registrar.drain()) this.#effect(effect);
  }

  #effect(effect: RegistrarEffect): void {
    switch (effect.type) {
      case "report":
        this.reports.push(effect.report);
        return;
      case "datagram":
        if (effect.channel === "asap-announce") this.announces.push(effect.data);
        else this.presences.push(readEnrp(effect.data));
        return;
      case "measureRoundTrip":
        this.measured.push(effect.association);
        return;
      case "stopped":
        this.stopped = true;
        return;
      case "transport": {
        const { command } = effect;
        if (command.type === "send") {
          // Whatever a registrar says can be read.
          if (effect.endpoint === "enrp") {
            const { association, data } = command;
            this.enrp.push({ association, message: readEnrp(data), octets: data });
            return;
          }
          const message = readAsap(command.data);
          this.answers.push({ association: command.association, message, octets: command.data });
          return;
        }
        this.commands.push(command);
        if (command.type === "abort" || command.type === "shutdown") {
          this.down(command.association, effect.endpoint);
        }
      }
    }
  }
}
