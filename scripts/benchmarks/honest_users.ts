/** Honest pool elements and pool users of a registrar, each with an association of its own, and how long they wait. */
import { readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import type { AssociationId, Endpoint, Transport, TransportEvent } from "../../protocol/net.ts";
import { Ppid } from "../../protocol/net.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { connectTo } from "./flood.ts";
import { delay } from "./result.ts";

const POLICY = { name: "RoundRobin", type: 1 } as const;

/** What somebody does when the association is up, and with what comes by it. */
interface Behaviour {
  readonly connected: () => void;
  readonly heard: (message: AsapMessage) => void;
}

/** Somebody with one association. It comes back when it is lost. */
class Somebody {
  readonly endpoint: Endpoint;
  readonly #port: number;
  readonly #behaviour: Behaviour;
  #association: AssociationId | undefined;
  #over = false;
  /** Associations that were lost. */
  losses = 0;

  constructor(transport: Transport, port: number, behaviour: Behaviour) {
    this.#port = port;
    this.#behaviour = behaviour;
    this.endpoint = transport.open({ heartbeatIntervalMs: 0 }, (events) => {
      for (const event of events) this.#event(event);
    });
    connectTo(this.endpoint, port);
  }

  /** Leaves. */
  end(): void {
    this.#over = true;
    if (this.#association === undefined) return;
    this.endpoint.execute({ type: "shutdown", association: this.#association });
  }

  /** Says something, if there is an association. */
  say(message: AsapMessage): void {
    if (this.#association === undefined) return;
    const data = writeAsap(message);
    this.endpoint.execute({ type: "send", association: this.#association, data, ppid: Ppid.asap });
  }

  #event(event: TransportEvent): void {
    if (event.type === "up") {
      this.#association = event.association;
      this.#behaviour.connected();
    } else if (event.type === "message") this.#behaviour.heard(readAsap(event.data));
    else if (event.type === "down" && !this.#over) {
      if (this.#association !== undefined) this.losses++; // else the registrar is not there yet
      this.#association = undefined;
      setTimeout(() => this.#over || connectTo(this.endpoint, this.#port), 100);
    }
  }
}

/** An element that stays registered as long as it is let. */
export class HonestElement {
  readonly #self: Somebody;
  readonly #pool: Uint8Array;
  readonly #elementId: number;
  readonly #registered = Promise.withResolvers<void>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(transport: Transport, port: number, pool: string, elementId: number) {
    this.#pool = encodeText(pool);
    this.#elementId = elementId;
    const connected = () => this.#register();
    this.#self = new Somebody(transport, port, { connected, heard: (message) => this.#heard(message) });
  }

  /** Resolves when it was registered for the first time. */
  get registered(): Promise<void> {
    return this.#registered.promise;
  }

  /** Associations that were lost. */
  get losses(): number {
    return this.#self.losses;
  }

  /** Leaves. */
  end(): void {
    clearTimeout(this.#timer);
    this.#self.end();
  }

  #register(): void {
    clearTimeout(this.#timer);
    const { port } = this.#self.endpoint;
    const userTransport = { protocol: "sctp", port, use: "data+control", addresses: ["127.0.0.1"] } as const;
    const elementId = this.#elementId, registrationLifeMs = 90_000;
    const element = { elementId, homeRegistrarId: 0, registrationLifeMs, userTransport, policy: POLICY };
    this.#self.say({ type: "registration", poolHandle: this.#pool, element });
    this.#timer = setTimeout(() => this.#register(), 5000);
  }

  #heard(message: AsapMessage): void {
    if (message.type === "registrationResponse" && !message.rejected) this.#registered.resolve();
    if (message.type !== "endpointKeepAlive") return;
    this.#self.say({ type: "endpointKeepAliveAck", poolHandle: this.#pool, elementId: this.#elementId });
  }
}

/** A user that resolves a pool, waits for the answer, thinks a while, and resolves again. */
export class HonestUser {
  readonly #self: Somebody;
  readonly #pool: Uint8Array;
  readonly #thinkMs: number;
  #sentAt: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Round trips since the last `reset`, in milliseconds. */
  times: number[] = [];
  /** Answers without an element. */
  disappointments = 0;

  constructor(transport: Transport, port: number, pool: string, thinkMs: number) {
    this.#pool = encodeText(pool);
    this.#thinkMs = thinkMs;
    const connected = () => this.#ask();
    this.#self = new Somebody(transport, port, { connected, heard: (message) => this.#heard(message) });
  }

  /** Associations that were lost. */
  get losses(): number {
    return this.#self.losses;
  }

  /** Forgets what was measured. */
  reset(): void {
    this.times = [];
    this.disappointments = 0;
  }

  /** How long the answer has been waited for; 0 = none is. */
  waitingMs(now: number): number {
    return this.#sentAt === undefined ? 0 : now - this.#sentAt;
  }

  /** Leaves. */
  end(): void {
    clearTimeout(this.#timer);
    this.#self.end();
  }

  #heard(message: AsapMessage): void {
    if (message.type !== "handleResolutionResponse" || this.#sentAt === undefined) return;
    this.times.push(performance.now() - this.#sentAt);
    this.#sentAt = undefined;
    if (message.elements.length === 0) this.disappointments++;
    this.#timer = setTimeout(() => this.#ask(), this.#thinkMs * (0.5 + Math.random()));
  }

  #ask(): void {
    clearTimeout(this.#timer);
    this.#sentAt ??= performance.now(); // an answer that was lost with its association is waited for all the time
    this.#self.say({ type: "handleResolution", poolHandle: this.#pool, items: 1 });
  }
}

/** Elements and users of one pool, until they are ended. */
export class HonestPeople {
  readonly elements: readonly HonestElement[];
  readonly users: readonly HonestUser[];

  constructor(
    transport: Transport,
    port: number,
    pool: string,
    elementIds: readonly number[],
    users: number,
  ) {
    this.elements = elementIds.map((elementId) => new HonestElement(transport, port, pool, elementId));
    this.users = Array.from({ length: users }, () => new HonestUser(transport, port, pool, 50));
  }

  /** Measures for a time. */
  async measure(durationMs: number): Promise<Waits> {
    for (const user of this.users) user.reset();
    await delay(durationMs);
    const now = performance.now();
    const waiting = this.users.map((user) => user.waitingMs(now)).filter((ms) => ms > 50); // they count, too
    return {
      times: [...this.users.flatMap(({ times }) => times), ...waiting].sort((a, b) => a - b),
      disappointments: this.users.reduce((sum, user) => sum + user.disappointments, 0),
      losses: [...this.users, ...this.elements].reduce((sum, one) => sum + one.losses, 0),
    };
  }

  /** They all leave. */
  end(): void {
    for (const one of [...this.users, ...this.elements]) one.end();
  }
}

/** What {@linkcode HonestPeople.measure} found. */
export interface Waits {
  /** Round trips of all users in milliseconds, sorted. */
  readonly times: readonly number[];
  readonly disappointments: number;
  readonly losses: number;
}
