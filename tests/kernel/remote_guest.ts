/** The host's end of the remote control: the guest's kernel SCTP as a transport, and programs of the guest. */
import assert from "node:assert/strict";
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  Endpoint,
  EndpointOptions,
  EventHandler,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  Transport,
  TransportCommand,
} from "../../protocol/net.ts";
import { NETWORKS } from "./peer_network.ts";
import {
  type EndpointRequest,
  LineWriter,
  readLines,
  REMOTE_PORT,
  type RemoteReport,
  type RemoteRequest,
} from "./remote_control.ts";
import { jitter } from "../jitter.ts";

/** The guest answers within this, in milliseconds: far more than anything takes on a busy machine. */
const DEADLINE_MS = 60_000;
/** The guest's endpoints get ports from here on, unless they ask for one. */
const FIRST_PORT = 43_000;
const ADDRESSES = NETWORKS.flatMap(({ guest }) => guest);
let lastPort = FIRST_PORT;

/** A connection to the guest. Dispose of it, and all that it has opened and started in the guest is gone. */
export class RemoteGuest implements AsyncDisposable {
  readonly #connection = Deno.connect({ hostname: NETWORKS[1].guest[0], port: REMOTE_PORT });
  readonly #writer = this.#connection.then((connection) => {
    connection.setNoDelay();
    return new LineWriter(connection.writable);
  });
  readonly #reading = this.#connection.then((connection) => this.#read(connection));
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  readonly #endpoints = new Map<number, EventHandler>();
  readonly #programs = new Map<number, GuestProgram>();
  readonly #settings = new Map<string, string>();
  #failure: Error | undefined;
  #lastNumber = 0;

  /** Asks, and waits for the answer. */
  async ask(request: RemoteRequest): Promise<unknown> {
    const number = ++this.#lastNumber;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(number, { resolve, reject });
    const timer = setTimeout(
      () => reject(new Error(`The guest has not answered ${JSON.stringify(request).slice(0, 200)}`)),
      DEADLINE_MS,
    );
    try {
      (await this.#writer).write({ number, request });
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(number);
    }
  }

  /** Asks for something that goes well; when it does not, {@linkcode settled} says so. */
  tell(request: RemoteRequest): void {
    this.ask(request).catch((error) => this.#failure ??= error);
  }

  /** All that was told until now is done. */
  async settled(): Promise<void> {
    await this.#roundTrip();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Sets `net.sctp.NAME` of the guest's kernel for the time of this connection. */
  async set(name: string, value: string | number): Promise<void> {
    const before = await this.ask({ type: "setting", name, value: `${value}` });
    if (!this.#settings.has(name)) this.#settings.set(name, String(before));
  }

  /** Starts a program in the guest. */
  async start(...line: string[]): Promise<GuestProgram> {
    const number = this.#programs.size + 1;
    const program = new GuestProgram(this, number);
    this.#programs.set(number, program);
    await this.ask({ type: "start", program: number, line });
    return program;
  }

  /** The guest's kernel SCTP; closed for good, it closes this connection where that is wanted. */
  transport(end: "keeps the connection" | "closes the connection" = "keeps the connection"): RemoteTransport {
    return new RemoteTransport(this, end === "closes the connection");
  }

  /** Gives an endpoint its number. */
  register(onEvents: EventHandler): number {
    const number = this.#endpoints.size + 1;
    this.#endpoints.set(number, onEvents);
    return number;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // In the reverse order: some bound others, such as the shortest and the longest time-out.
    for (const [name, value] of [...this.#settings].reverse()) {
      await this.ask({ type: "setting", name, value });
    }
    await this.#roundTrip(); // what was told and not waited for has its reply now
    (await this.#connection).close();
    await this.#reading;
  }

  async #roundTrip(): Promise<void> {
    await this.ask({ type: "signal", program: 0, signal: "SIGINT" }); // there is no program 0
  }

  async #read(connection: Deno.TcpConn): Promise<void> {
    try {
      for await (const line of readLines(connection.readable)) this.#take(line as RemoteReport);
    } catch (error) { // this side has closed the connection
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
  }

  #take(report: RemoteReport): void {
    switch (report.type) {
      case "reply": {
        const { number, value, error } = report;
        if (error === undefined) this.#waiting.get(number)?.resolve(value);
        else this.#waiting.get(number)?.reject(new Error(`In the guest: ${error}`));
        break;
      }
      case "events":
        this.#endpoints.get(report.endpoint)?.(report.events);
        break;
      case "output":
        this.#programs.get(report.program)?.take(report.text);
        break;
      case "ended":
        this.#programs.get(report.program)?.end(report.code);
    }
  }
}

/**
 * The guest's kernel SCTP as a transport. What a transport answers at once an endpoint of this one answers to `ask`, with
 * a promise.
 */
export class RemoteTransport implements Transport {
  readonly kind = "kernel";
  readonly description = "kernel SCTP of the guest";
  readonly #guest: RemoteGuest;
  readonly #closesGuest: boolean;
  readonly #endpoints = new Set<RemoteEndpoint>();
  #closing: Promise<void> | undefined;

  constructor(guest: RemoteGuest, closesGuest: boolean) {
    this.#guest = guest;
    this.#closesGuest = closesGuest;
  }

  open(options: EndpointOptions, onEvents: EventHandler): RemoteEndpoint {
    const endpoint = new RemoteEndpoint(this.#guest, options, onEvents);
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  capture(): Disposable {
    throw new Error("The guest's packets are not captured by this transport");
  }

  async close(): Promise<void> {
    await (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#endpoints].map((endpoint) => endpoint.close()));
    if (this.#closesGuest) await this.#guest[Symbol.asyncDispose]();
  }
}

/** An endpoint of the guest's kernel. */
export class RemoteEndpoint implements Endpoint {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly #guest: RemoteGuest;
  readonly #number: number;
  readonly #ended = new Set<AssociationId>();
  #closing: Promise<unknown> | undefined;

  constructor(guest: RemoteGuest, options: EndpointOptions, onEvents: EventHandler) {
    this.#guest = guest;
    this.#number = guest.register((events) => {
      for (const event of events) if (event.type === "down") this.#ended.add(event.association);
      onEvents(events);
    });
    this.port = options.port ?? ++lastPort;
    this.addresses = options.addresses ?? ADDRESSES;
    this.#tell({ type: "open", options: { ...options, port: this.port } });
  }

  /** What an endpoint says at once, with a promise. */
  async ask(request: EndpointRequest): Promise<unknown> {
    return await this.#guest.ask({ type: "endpoint", endpoint: this.#number, request });
  }

  /** The status of an association, with a promise. */
  async statusOf(association: AssociationId): Promise<AssociationStatus | undefined> {
    return await this.ask({ type: "status", association }) as AssociationStatus | undefined;
  }

  /** The statistics of an association, with a promise. */
  async statisticsOf(association: AssociationId): Promise<AssociationStatistics | undefined> {
    return await this.ask({ type: "statistics", association }) as AssociationStatistics | undefined;
  }

  execute(command: TransportCommand): void {
    this.#tell({ type: "execute", command });
  }

  /** Only what can be said without asking the guest: that an association has ended. */
  status(association: AssociationId): undefined {
    assert.ok(this.#ended.has(association), "the guest's endpoint tells its status to statusOf()");
  }

  statistics(association: AssociationId): undefined {
    assert.ok(this.#ended.has(association), "the guest's endpoint tells its statistics to statisticsOf()");
  }

  getOption(): SocketOptionValue {
    throw new Error("The guest's endpoint tells its options to ask()");
  }

  setOption(name: SocketOptionName, value: SocketOptionValue, target: SocketOptionTarget = {}): void {
    this.#tell({ type: "setOption", name, value, target });
  }

  addAddress(address: string): void {
    this.#tell({ type: "addAddress", address });
  }

  removeAddress(address: string): void {
    this.#tell({ type: "removeAddress", address });
  }

  setPeerPrimary(association: AssociationId, address: string): void {
    this.#tell({ type: "setPeerPrimary", association, address });
  }

  peelOff(): Endpoint {
    throw new Error("The guest's endpoints peel nothing off");
  }

  async close(lingerMs?: number): Promise<void> {
    await (this.#closing ??= this.ask({ type: "close", lingerMs }));
  }

  #tell(request: EndpointRequest): void {
    this.#guest.tell({ type: "endpoint", endpoint: this.#number, request });
  }
}

/** A program of the guest, with its output. */
export class GuestProgram {
  output = "";
  /** How it ended. */
  readonly code: Promise<number>;
  readonly #guest: RemoteGuest;
  readonly #number: number;
  readonly #end: (code: number) => void;
  #notify: () => void = () => {};

  constructor(guest: RemoteGuest, number: number) {
    const { promise, resolve } = Promise.withResolvers<number>();
    this.code = promise;
    this.#end = resolve;
    this.#guest = guest;
    this.#number = number;
  }

  /** Gives it a line to read. */
  async types(line: string): Promise<void> {
    await this.#guest.ask({ type: "type", program: this.#number, line });
    await jitter();
  }

  /** Sends it a signal. */
  async signal(signal: "SIGINT" | "SIGKILL"): Promise<void> {
    await this.#guest.ask({ type: "signal", program: this.#number, signal });
    await jitter();
  }

  /** Waits until its output has this, so many times. */
  async says(pattern: RegExp, times = 1): Promise<void> {
    const global = new RegExp(pattern.source, `${pattern.flags}g`);
    const found = () => (this.output.match(global)?.length ?? 0) >= times;
    const deadline = performance.now() + DEADLINE_MS;
    const timer = setTimeout(() => this.#notify(), DEADLINE_MS);
    while (!found()) {
      assert.ok(performance.now() < deadline, `no ${pattern} in what the program has said:\n${this.output}`);
      await new Promise<void>((resolve) => this.#notify = resolve);
    }
    clearTimeout(timer);
    await jitter();
  }

  take(text: string): void {
    this.output += text;
    this.#notify();
  }

  end(code: number): void {
    this.#end(code);
    this.#notify();
  }
}
