/**
 * An endpoint as a test sees it: what happened, and waiting for what is to happen, with a deadline.
 */
import assert from "node:assert/strict";
import type {
  AssociationDown,
  AssociationId,
  AssociationUp,
  Endpoint,
  EndpointOptions,
  IpAddress,
  MessageReceived,
  Transport,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import { jitter } from "../jitter.ts";

type EventOf<Type extends TransportEvent["type"]> = Extract<TransportEvent, { type: Type }>;

interface Waiter {
  readonly matches: (event: TransportEvent) => boolean;
  readonly resolve: (event: TransportEvent) => void;
}

/** Milliseconds that a test waits for an event: a guest on an emulated kernel is slow, and machines are shared. */
const DEADLINE_MS = 60_000;
/** Of so many waits each may be followed by a stand-still: some tests wait for hundreds of messages. */
const JITTERED_WAITS = 10;
let lastRequest = 0;

// Deno's first timer loads its module, and microtasks run meanwhile: an event could come before its waiter is there.
clearTimeout(setTimeout(() => {}, 0));

/** An endpoint with a memory. */
export class Peer {
  readonly endpoint: Endpoint;
  /** Events that nobody has taken yet, in order. */
  readonly events: TransportEvent[] = [];
  /** Called for each event before it is kept. */
  onEvent: ((event: TransportEvent) => void) | undefined;
  #waiters: Waiter[] = [];
  #executing = false;
  #waits = 0;

  constructor(transport: Transport, options: EndpointOptions) {
    this.endpoint = transport.open(options, (events) => {
      assert.ok(!this.#executing, "events come from the event loop, never from within execute()");
      for (const event of events) this.#take(event);
    });
  }

  /** Asks for something, and checks that no event comes at once. */
  execute(command: TransportCommand): void {
    this.#executing = true;
    this.endpoint.execute(command);
    this.#executing = false;
  }

  /** Starts an association. @returns the request number */
  connect(addresses: readonly IpAddress[], port: number, encapsulationPort?: number): number {
    const request = ++lastRequest;
    this.execute({
      type: "connect",
      request,
      addresses,
      port,
      ...(encapsulationPort === undefined ? {} : { encapsulationPort }),
    });
    return request;
  }

  send(association: AssociationId, data: Uint8Array, ppid = 0x1234, stream = 0, unordered = false): void {
    this.execute({ type: "send", association, data, ppid, stream, unordered });
  }

  /** Takes the first event of a type that matches, now or when it comes. */
  async next<Type extends TransportEvent["type"]>(
    type: Type,
    matches: (event: EventOf<Type>) => boolean = () => true,
  ): Promise<EventOf<Type>> {
    const event = await this.#next(type, matches);
    if (++this.#waits <= JITTERED_WAITS) await jitter();
    return event;
  }

  async #next<Type extends TransportEvent["type"]>(
    type: Type,
    matches: (event: EventOf<Type>) => boolean,
  ): Promise<EventOf<Type>> {
    const wanted = (event: TransportEvent): event is EventOf<Type> =>
      event.type === type && matches(event as EventOf<Type>);
    const index = this.events.findIndex(wanted);
    if (index >= 0) return this.events.splice(index, 1)[0] as EventOf<Type>;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const seen = JSON.stringify(
          this.events,
          (_, value) => value instanceof Uint8Array ? value.length : value,
        );
        reject(new Error(`No "${type}" within ${DEADLINE_MS} ms; untaken events: ${seen.slice(0, 1000)}`));
      }, DEADLINE_MS);
      this.#waiters.push({
        matches: wanted,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event as EventOf<Type>);
        },
      });
    });
  }

  /** Waits for the answer to a connect: it came up. */
  async up(request: number): Promise<AssociationUp> {
    return await this.next("up", (event) => event.request === request);
  }

  /** The next message of an association. */
  async message(association: AssociationId): Promise<MessageReceived> {
    return await this.next("message", (event) => event.association === association);
  }

  /** The end of an association. */
  async down(association: AssociationId): Promise<AssociationDown> {
    return await this.next("down", (event) => event.association === association);
  }

  #take(event: TransportEvent): void {
    this.onEvent?.(event);
    const index = this.#waiters.findIndex((waiter) => waiter.matches(event));
    if (index < 0) this.events.push(event);
    else this.#waiters.splice(index, 1)[0]!.resolve(event);
  }
}

/** Octets that differ from place to place and from message to message. */
export function pattern(length: number, seed: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0, word = seed * 2654435761 >>> 0; i < length; i++) {
    word = (Math.imul(word, 1664525) + 1013904223) >>> 0;
    data[i] = word >>> 24;
  }
  return data;
}

/** Like deepEqual, but fast for long messages, and short in what it says. */
export function assertSameOctets(actual: Uint8Array, expected: Uint8Array): void {
  assert.equal(actual.length, expected.length, "length of the message");
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) assert.fail(`octet ${i} of ${expected.length} differs`);
  }
}
