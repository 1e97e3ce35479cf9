/**
 * A process that means harm to a registrar: many associations, each of which says one kind of thing without end, as
 * fast as it is taken. Aborted ones come back. One line of JSON when all are up, and one at the end.
 *
 * @module
 */
import { openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { writeAsap } from "../../protocol/asap/mod.ts";
import type { AssociationId, Endpoint, Transport, TransportEvent } from "../../protocol/net.ts";
import { Ppid } from "../../protocol/net.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { connectTo } from "./flood.ts";
import { delay } from "./result.ts";

/** What hostile associations do; they take turns in this order. */
export const HOSTILITIES = ["unknown pools", "malformed", "registrations", "reports", "deaf"] as const;

/** One of {@linkcode HOSTILITIES}. */
export type Hostility = typeof HOSTILITIES[number];

/** What the process is to do, given as JSON in its only argument. It ends with its input. */
export interface HostileTask {
  readonly port: number;
  readonly associations: number;
  /** What they do, in turn; undefined = everything. */
  readonly hostilities: readonly Hostility[] | undefined;
  /** The pool of honest elements, with their identifiers: they are reported unreachable. */
  readonly victims: { readonly pool: string; readonly elementIds: readonly number[] };
}

/** A line of its output. */
export type HostileReport =
  | { readonly type: "up" }
  | {
    readonly type: "done";
    readonly messages: number;
    readonly answers: number;
    readonly reconnects: number;
  };

/** Messages handed over between two looks at what the transport says. */
const PER_TURN = 16;

/** An association that was aborted comes back after this time. */
const RECONNECT_MS = 200;

/** Elements that an association registers, again and again. */
const ELEMENTS = 200;

const counts = { messages: 0, answers: 0, reconnects: 0, up: 0 };

/** The messages of one association, to be said in turn. */
function repertoire(kind: Hostility, index: number, { victims, port }: HostileTask): Uint8Array[] {
  switch (kind) {
    case "unknown pools":
    case "deaf":
      return Array.from(
        { length: 100 },
        (_, n) => writeAsap({ type: "handleResolution", poolHandle: encodeText(`nowhere ${index} ${n}`) }),
      );
    case "malformed":
      return Array.from(
        { length: 50 },
        (_, n) => Uint8Array.of(n % 16, 0, 0, 24, 0x40, n, 0, 20, ...new Uint8Array(16).fill(n)),
      );
    case "reports":
      return victims.elementIds.map((elementId) =>
        writeAsap({ type: "endpointUnreachable", poolHandle: encodeText(victims.pool), elementId })
      );
    case "registrations":
      return Array.from({ length: ELEMENTS }, (_, n) =>
        writeAsap({
          type: "registration",
          poolHandle: encodeText(`junk ${n % 10} of ${index % 100}`),
          element: {
            elementId: index * ELEMENTS + n + 1,
            homeRegistrarId: 0,
            registrationLifeMs: 300_000,
            userTransport: { protocol: "sctp", port, use: "data+control", addresses: ["127.0.0.1"] },
            policy: { name: "RoundRobin", type: 1 },
          },
        }));
  }
}

/** One association, and the next ones in its place. */
class HostileUser {
  readonly #messages: readonly Uint8Array[];
  readonly #endpoint: Endpoint;
  readonly #port: number;
  #next = 0;
  #association: AssociationId | undefined;
  #blocked = false;
  #wasUp = false;
  over = false;

  constructor(transport: Transport, kind: Hostility, index: number, task: HostileTask) {
    this.#messages = repertoire(kind, index, task);
    this.#port = task.port;
    const deaf = kind === "deaf" ? { manualReceive: true, receiveBuffer: 4096 } : {};
    this.#endpoint = transport.open({ sendBuffer: 16_384, heartbeatIntervalMs: 0, ...deaf }, (events) => {
      for (const event of events) this.#event(event);
    });
    connectTo(this.#endpoint, this.#port);
  }

  /** Says some things. */
  turn(): void {
    for (let n = 0; n < PER_TURN && this.#association !== undefined && !this.#blocked; n++) {
      const data = this.#messages[this.#next++ % this.#messages.length]!;
      this.#endpoint.execute({ type: "send", association: this.#association, data, ppid: Ppid.asap });
      counts.messages++;
    }
  }

  #event(event: TransportEvent): void {
    switch (event.type) {
      case "up":
        this.#association = event.association;
        this.#blocked = false;
        if (!this.#wasUp) counts.up++;
        this.#wasUp = true;
        return;
      case "message":
        counts.answers++;
        return;
      case "blocked":
      case "writable":
        this.#blocked = event.type === "blocked";
        return;
      case "down":
        this.#association = undefined;
        if (this.over) return;
        if (this.#wasUp) counts.reconnects++;
        setTimeout(() => this.over || connectTo(this.#endpoint, this.#port), RECONNECT_MS);
        return;
      default:
        return;
    }
  }
}

function say(line: HostileReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

async function main(task: HostileTask): Promise<void> {
  const transport = openEmbeddedTransport({ raw: "off", maxMtu: 1500 });
  const { hostilities = HOSTILITIES } = task;
  const users: HostileUser[] = [];
  let over = false;
  void (async () => {
    for await (const _line of Deno.stdin.readable);
    over = true;
  })();
  for (let index = 0; index < task.associations && !over; index++) {
    users.push(new HostileUser(transport, hostilities[index % hostilities.length]!, index, task));
    if (index % 16 === 15) await delay(5); // hundreds of INITs at once would be lost, and try again in seconds
  }
  while (!over && counts.up < task.associations) await delay(20);
  say({ type: "up" });
  while (!over) {
    for (const user of users) user.turn();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const user of users) user.over = true;
  const { messages, answers, reconnects } = counts;
  say({ type: "done", messages, answers, reconnects });
  // It is not polite enough to end its associations: whoever started it kills it.
}

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));
