import { readAsap } from "../asap/mod.ts";
import type { AsapMessage } from "../asap/mod.ts";
import { readEnrp } from "../enrp/mod.ts";
import type { EnrpMessage } from "../enrp/mod.ts";
import { Outbox } from "../machine.ts";
import type { Machine } from "../machine.ts";
import { Ppid } from "../net.ts";
import type { Instant } from "../net.ts";
import type { OperationError } from "../param/operation_error.ts";
import { DecodeError } from "../wire/mod.ts";
import type { RegistrarEffect, RegistrarInput } from "./effects.ts";
import type { MessageReport } from "./report.ts";

/** How a message passed. */
export type Passage = Pick<MessageReport, "direction" | "multicast" | "association">;

/** What a tap stands before. */
export interface TappedMachine extends Machine<RegistrarInput, RegistrarEffect> {
  /** The effects so far, in the middle of a batch: `drain` is its end, and lets the next one be served (`Reception`). */
  drainInBatch(): RegistrarEffect[];
}

/**
 * Stands before a registrar and tells of every message that passes, by a `message` report before what the message causes
 * and before it leaves. The stuff of action logs; it reads each message a second time, so it is for those who want one.
 * Messages that cannot be read are not told: the registrar itself complains of them.
 */
export class MessageTap implements Machine<RegistrarInput, RegistrarEffect> {
  readonly #registrar: TappedMachine;
  readonly #registrarId: number;
  readonly #outbox = new Outbox<RegistrarEffect>();

  /**
   * @param registrar the machine behind
   * @param registrarId its ID: presences that come back to it from the group are not told
   */
  constructor(registrar: TappedMachine, registrarId: number) {
    this.#registrar = registrar;
    this.#registrarId = registrarId;
  }

  handle(input: RegistrarInput, now: Instant): void {
    this.#received(input);
    this.#registrar.handle(input, now);
    this.#forward(this.#registrar.drainInBatch());
  }

  tick(now: Instant): void {
    this.#registrar.tick(now);
    this.#forward(this.#registrar.drainInBatch());
  }

  nextTimeout(): Instant | undefined {
    return this.#registrar.nextTimeout();
  }

  drain(): RegistrarEffect[] {
    this.#forward(this.#registrar.drain());
    return this.#outbox.drain();
  }

  #forward(effects: RegistrarEffect[]): void {
    for (const effect of effects) {
      this.#sent(effect);
      this.#outbox.push(effect);
    }
  }

  #received(input: RegistrarInput): void {
    if (input.type === "transport" && input.event.type === "message") {
      const { association, ppid, data } = input.event;
      this.#tell(ppid, data, { direction: "receive", multicast: false, association });
    } else if (input.type === "datagram") {
      this.#tell(channelPpid(input.channel), input.data, GROUP_RECEIVE);
    }
  }

  #sent(effect: RegistrarEffect): void {
    if (effect.type === "transport" && effect.command.type === "send") {
      const { association, ppid, data } = effect.command;
      this.#tell(ppid, data, { direction: "send", multicast: false, association });
    } else if (effect.type === "datagram") {
      this.#tell(channelPpid(effect.channel), effect.data, GROUP_SEND);
    }
  }

  #tell(ppid: Ppid, data: Uint8Array, passage: Passage): void {
    const report = messageReport(ppid, data, passage);
    if (report === undefined) return;
    const isEcho = report.multicast && report.direction === "receive" &&
      report.senderId === this.#registrarId;
    if (!isEcho) this.#outbox.push({ type: "report", report });
  }
}

const GROUP_RECEIVE: Passage = { direction: "receive", multicast: true, association: undefined };
const GROUP_SEND: Passage = { direction: "send", multicast: true, association: undefined };

function channelPpid(channel: string): Ppid {
  return channel === "enrp-presence" ? Ppid.enrp : Ppid.asap;
}

/** What a message is about; undefined when it is no message of ASAP or ENRP that can be read. */
export function messageReport(ppid: Ppid, data: Uint8Array, passage: Passage): MessageReport | undefined {
  const flags = data[1] ?? 0;
  try {
    if (ppid === Ppid.asap) {
      return { ...NOTHING, ...passage, protocol: "asap", flags, ...asapFacts(readAsap(data)) };
    }
    if (ppid === Ppid.enrp) {
      return { ...NOTHING, ...passage, protocol: "enrp", flags, ...enrpFacts(readEnrp(data)) };
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  return undefined;
}

type Facts = Partial<Omit<MessageReport, "type" | "protocol" | "flags" | keyof Passage>> & {
  message: string;
};

const NOTHING = {
  type: "message",
  poolHandle: undefined,
  elementId: undefined,
  senderId: undefined,
  receiverId: undefined,
  targetId: undefined,
  update: undefined,
  count: 0,
  causeCode: 0,
} as const;

function asapFacts(message: AsapMessage): Facts {
  const { type } = message;
  switch (type) {
    case "registration":
      return { message: type, poolHandle: message.poolHandle, elementId: message.element.elementId };
    case "deregistration":
    case "endpointKeepAliveAck":
    case "endpointUnreachable":
      return { message: type, poolHandle: message.poolHandle, elementId: message.elementId };
    case "registrationResponse":
    case "deregistrationResponse": {
      const { poolHandle, elementId, error } = message;
      return { message: type, poolHandle, elementId, causeCode: causeOf(error) };
    }
    case "handleResolution":
      return { message: type, poolHandle: message.poolHandle, count: message.items ?? 0 };
    case "handleResolutionResponse": {
      const { poolHandle, elements, error } = message;
      const elementId = elements[0]?.elementId;
      return { message: type, poolHandle, elementId, count: elements.length, causeCode: causeOf(error) };
    }
    case "endpointKeepAlive": {
      const { poolHandle, elementId, registrarId } = message;
      return { message: type, poolHandle, elementId, senderId: registrarId };
    }
    case "serverAnnounce":
      return { message: type, senderId: message.registrarId };
    case "businessCard":
      return { message: type, poolHandle: message.poolHandle, count: message.elements.length };
    case "error":
      return { message: type, causeCode: causeOf(message.error) };
    case "cookie":
    case "cookieEcho":
      return { message: type };
  }
}

function enrpFacts(message: EnrpMessage): Facts {
  const { type, senderId, receiverId } = message;
  const facts = { message: type, senderId, receiverId };
  switch (type) {
    case "handleUpdate": {
      const { poolHandle, element, action } = message;
      return { ...facts, poolHandle, elementId: element.elementId, update: action };
    }
    case "handleTableResponse":
      return { ...facts, count: message.pools.reduce((sum, { elements }) => sum + elements.length, 0) };
    case "listResponse":
      return { ...facts, count: message.servers.length };
    case "initTakeover":
    case "initTakeoverAck":
    case "takeoverServer":
      return { ...facts, targetId: message.targetId };
    case "error":
      return { ...facts, causeCode: causeOf(message.error) };
    case "presence":
    case "handleTableRequest":
    case "listRequest":
      return facts;
  }
}

function causeOf(error: OperationError | undefined): number {
  return error?.[0]?.code ?? 0;
}
