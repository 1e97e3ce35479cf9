import { HandlespaceReader } from "../../../protocol/dump/mod.ts";
import type { ReaderOptions, ReaderReport } from "../../../protocol/dump/mod.ts";
import type { ReaderInput } from "../../../protocol/dump/handlespace_reader.ts";
import { readEnrp, writeEnrp } from "../../../protocol/enrp/mod.ts";
import type { EnrpMessage, PoolEntry } from "../../../protocol/enrp/mod.ts";
import { Ppid } from "../../../protocol/net.ts";
import type { TransportCommand, TransportEvent } from "../../../protocol/net.ts";
import type { PoolElement } from "../../../protocol/param/pool_element.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

export const REGISTRAR_ID = 0xe7bbf4ba;
export const READER_ID = 0x00000077;
/** Where the registrar of the tests is reached. */
export const REGISTRAR_ADDRESS = { addresses: ["10.1.1.1"], port: 9901 } as const;

/** An element with all that ENRP tells of it. */
export function element(elementId: number, fields: Partial<PoolElement> = {}): PoolElement {
  return {
    elementId,
    homeRegistrarId: REGISTRAR_ID,
    registrationLifeMs: 90_000,
    userTransport: { protocol: "sctp", port: 42976, use: "data+control", addresses: ["10.1.1.1"] },
    policy: { name: "RoundRobin", type: 1 },
    asapTransport: { protocol: "sctp", port: 44257, use: "data", addresses: ["10.1.1.1"] },
    ...fields,
  };
}

/** Elements of one pool. */
export function pool(name: string, ...elements: PoolElement[]): PoolEntry {
  return { poolHandle: encodeText(name), elements };
}

/** A reader without a network: the test plays the registrar. */
export class ReaderHarness {
  readonly reader: HandlespaceReader;
  readonly reports: ReaderReport[] = [];
  readonly commands: TransportCommand[] = [];
  /** Messages that were sent, with the association they went by. */
  readonly sent: { readonly association: number; readonly message: EnrpMessage }[] = [];
  stopped = false;
  now = 0;
  /** The association to the registrar that is read. */
  #association = 1;

  constructor(options: Partial<ReaderOptions> = {}) {
    this.reader = new HandlespaceReader({ readerId: READER_ID, seed: 1, ...REGISTRAR_ADDRESS, ...options });
    this.input({ type: "endpointOpened", endpoint: "enrp", port: 20_001, addresses: ["10.1.1.2"] });
    this.input({ type: "start" });
  }

  input(input: ReaderInput): void {
    this.reader.handle(input, this.now);
    this.#drain();
  }

  event(event: TransportEvent): void {
    this.input({ type: "transport", endpoint: "enrp", event });
  }

  /** The last connect succeeds. */
  up(association: number = 1): void {
    this.#association = association;
    const connects = this.commands.filter((command) => command.type === "connect");
    this.event({
      type: "up",
      association,
      request: connects.at(-1)!.request,
      peerAddresses: ["10.1.1.1"],
      peerPort: 9901,
      outboundStreams: 10,
      inboundStreams: 10,
    });
  }

  down(association: number = this.#association, request: number | undefined = undefined): void {
    const reason = { reason: "aborted", origin: "peer", cause: undefined } as const;
    this.event({ type: "down", association, request, ...reason });
  }

  /** The registrar sends octets. */
  octets(data: Uint8Array, association: number = this.#association): void {
    const place = { stream: 0, ssn: 0, tsn: 0, unordered: false } as const;
    this.event({ type: "message", association, ...place, ppid: Ppid.enrp, data });
  }

  /** A registrar sends a message. */
  message(message: EnrpMessage, association: number = this.#association): void {
    this.octets(writeEnrp(message), association);
  }

  /** The registrar has no list yet: it is starting. */
  rejectList(): void {
    this.message({ type: "listResponse", ...IDS, rejected: true, servers: [] });
  }

  /** The registrar lists these peers. */
  list(...registrarIds: number[]): void {
    const servers = registrarIds.map((registrarId) => ({
      registrarId,
      transport: {
        protocol: "sctp",
        port: 9901,
        use: "data",
        addresses: [`10.1.1.${registrarId % 256}`],
      } as const,
    }));
    this.message({ type: "listResponse", ...IDS, rejected: false, servers });
  }

  /** The registrar sends a part of its table. */
  part(pools: readonly PoolEntry[], more: "more" | "last" = "last"): void {
    this.message({ type: "handleTableResponse", ...IDS, rejected: false, more: more === "more", pools });
  }

  /** The registrar gives a stranger nothing. */
  refuse(): void {
    this.reject();
    this.reject();
  }

  /** The registrar rejects a handle table request. */
  reject(): void {
    this.message({ type: "handleTableResponse", ...IDS, rejected: true, more: false, pools: [] });
  }

  /** Lets time pass. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (
      let due = this.reader.nextTimeout();
      due !== undefined && due <= end;
      due = this.reader.nextTimeout()
    ) {
      this.now = Math.max(this.now, due);
      this.reader.tick(this.now);
      this.#drain();
    }
    this.now = end;
  }

  /** Types of what was sent so far. */
  get sentTypes(): string[] {
    return this.sent.map(({ message }) => message.type);
  }

  /** The last report of a type. */
  report<Type extends ReaderReport["type"]>(type: Type): Extract<ReaderReport, { type: Type }> | undefined {
    return this.reports.findLast((report) => report.type === type) as
      | Extract<ReaderReport, { type: Type }>
      | undefined;
  }

  #drain(): void {
    for (const effect of this.reader.drain()) {
      if (effect.type === "report") this.reports.push(effect.report);
      else if (effect.type === "stopped") this.stopped = true;
      else if (effect.type === "transport") {
        this.commands.push(effect.command);
        if (effect.command.type !== "send") continue;
        this.sent.push({
          association: effect.command.association,
          message: readEnrp(effect.command.data),
        });
      }
    }
  }
}

const IDS = { senderId: REGISTRAR_ID, receiverId: READER_ID } as const;
