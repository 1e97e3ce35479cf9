/**
 * Joins a machine to the world: transport events and datagrams go in, commands and datagrams come out, and one timer
 * follows the machine's next timeout. A batch of inputs shares one clock reading and one drain.
 */
import { hurryUp } from "../../ffi/poller.ts";
import type { Machine } from "../../protocol/machine.ts";
import type {
  Endpoint,
  EndpointOpened,
  EndpointOptions,
  Instant,
  NetworkEffect,
  NetworkInput,
  Transport,
  TransportAddress,
} from "../../protocol/net.ts";
import { openDatagramSender } from "./datagram_sender.ts";
import type { DatagramSink } from "./datagram_sender.ts";
import { joinGroup } from "./multicast.ts";

/** What every driven machine gets from its driver. */
export type DriverInput = NetworkInput | EndpointOpened;

/** A multicast group under the name that the machine knows it by. */
export interface ChannelOptions {
  readonly group: TransportAddress;
  /** The endpoint whose port datagrams are sent from; absent = the channel only hears. */
  readonly sendFrom?: string;
  /** Whether the machine wants to hear the group. Default false. */
  readonly hear?: boolean;
  /** Hops that datagrams may travel; absent = as many as RSPLIB lets them. */
  readonly hops?: number;
}

/** A place that datagrams go to, under the name that the machine knows it by. */
export interface DestinationOptions {
  readonly to: TransportAddress;
}

/** An endpoint to open. */
export interface DrivenEndpoint extends EndpointOptions {
  /** Takes an ephemeral port when the one that is wanted is in use. Default false: that is an error. */
  readonly elseEphemeral?: boolean;
}

/** Effects that are not carried out by the driver itself. */
export type OwnEffect<Effect> = Exclude<Effect, NetworkEffect>;

/** What a machine is joined to. */
export interface DriveOptions<Effect> {
  readonly transport: Transport;
  /** Opened in this order. */
  readonly endpoints: Readonly<Record<string, DrivenEndpoint>>;
  readonly channels?: Readonly<Record<string, ChannelOptions | DestinationOptions>>;
  /** Takes every effect but the network's, in order. May call `input`. */
  readonly onEffect: (effect: OwnEffect<Effect>) => void;
  /** Takes a sentence for people about a channel that does not work. */
  readonly onProblem?: (sentence: string, channel: string) => void;
  /** Monotonic clock in milliseconds. */
  readonly clock?: () => Instant;
}

/** A machine at work. */
export interface Driver<Input> {
  /** Feeds one input. From within `onEffect` it takes effect after the present batch. */
  input(input: Input): void;
  /** Feeds several with one clock reading. */
  inputs(inputs: readonly Input[]): void;
  /**
   * Opens another endpoint, and tells the machine.
   *
   * @throws what {@linkcode Transport.open} throws
   */
  open(name: string, options: DrivenEndpoint): void;
  /** An open endpoint, for its port and for status. */
  endpoint(name: string): Endpoint;
  /** Resolves when the machine says that it has stopped. */
  readonly stopped: Promise<void>;
  /** Closes channels and endpoints; the transport stays open. Idempotent. */
  close(lingerMs?: number): Promise<void>;
}

/**
 * A timer that comes so late says that this process stood still: stopped, swapped out, or its machine has too much to do.
 * What others sent meanwhile waits to be read, but timers go before it; a machine that ran them now would judge others as
 * silent that were not.
 */
const STOOD_STILL_MS = 500;

/** For so long it is read first then: enough for all that waits, and nothing compared with the time that was lost. */
const READ_FIRST_MS = 50;

/** Longest delay that a timer takes without wrapping. */
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * Opens a machine's endpoints and channels, tells it their addresses, and keeps it going.
 *
 * @throws what {@linkcode Transport.open} throws, after closing the endpoints that were already open
 */
export function drive<Input, Effect extends { readonly type: string }>(
  machine: Machine<Input | DriverInput, Effect>,
  options: DriveOptions<Effect>,
): Driver<Input> {
  return new MachineDriver<Input, Effect>(machine, options);
}

/**
 * Tells a machine to stop and waits until it has.
 *
 * @param driver of a machine that knows the input "stop"
 * @param limitMs after so many milliseconds it is not waited for; closing its endpoints has to do then
 */
export async function stopMachine(driver: Driver<{ readonly type: "stop" }>, limitMs: number): Promise<void> {
  driver.input({ type: "stop" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs));
  await Promise.race([driver.stopped, limit]);
  clearTimeout(timer);
}

class MachineDriver<Input, Effect extends { readonly type: string }> implements Driver<Input> {
  readonly #machine: Machine<Input | DriverInput, Effect>;
  readonly #options: DriveOptions<Effect>;
  readonly #clock: () => Instant;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #channels = new Map<string, DatagramSink>();
  readonly #stopped = Promise.withResolvers<void>();
  #queue: (Input | DriverInput)[] = [];
  #running = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #immediate: ReturnType<typeof setImmediate> | undefined;
  #timerDue: Instant | undefined;
  /** Until then nothing is due: what came while this process stood still is read first. */
  #readFirstUntil: Instant | undefined;
  #closed: Promise<void> | undefined;

  constructor(machine: Machine<Input | DriverInput, Effect>, options: DriveOptions<Effect>) {
    this.#machine = machine;
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
    try {
      for (const [name, endpointOptions] of Object.entries(options.endpoints)) {
        this.#open(name, endpointOptions);
      }
    } catch (error) {
      void this.close(0);
      throw error;
    }
    for (const [name, channel] of Object.entries(options.channels ?? {})) {
      if ("to" in channel) this.#direct(name, channel);
      else this.#join(name, channel);
    }
    this.#feed([...this.#endpoints].map(([endpoint, { port, addresses }]): EndpointOpened => {
      return { type: "endpointOpened", endpoint, port, addresses };
    }));
  }

  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  input(input: Input): void {
    this.#feed([input]);
  }

  inputs(inputs: readonly Input[]): void {
    this.#feed(inputs);
  }

  open(name: string, options: DrivenEndpoint): void {
    if (this.#closed !== undefined) return;
    this.#open(name, options);
    const { port, addresses } = this.endpoint(name);
    this.#feed([{ type: "endpointOpened", endpoint: name, port, addresses }]);
  }

  endpoint(name: string): Endpoint {
    const endpoint = this.#endpoints.get(name);
    if (endpoint === undefined) {
      throw new RangeError(`Cannot find endpoint "${name}": the machine has none of that name`);
    }
    return endpoint;
  }

  close(lingerMs?: number): Promise<void> {
    this.#closed ??= this.#close(lingerMs);
    return this.#closed;
  }

  async #close(lingerMs: number | undefined): Promise<void> {
    this.#disarm();
    await Promise.all([
      ...[...this.#channels.values()].map((channel) => channel.close()),
      ...[...this.#endpoints.values()].map((endpoint) => endpoint.close(lingerMs)),
    ]);
  }

  #open(name: string, { elseEphemeral = false, ...wanted }: DrivenEndpoint): void {
    const open = (options: EndpointOptions) =>
      this.#options.transport.open(options, (events) => {
        this.#feed(events.map((event): DriverInput => ({ type: "transport", endpoint: name, event })));
      });
    try {
      this.#endpoints.set(name, open(wanted));
    } catch (error) {
      if (!elseEphemeral || !isPortInUse(error)) throw error;
      this.#endpoints.set(name, open({ ...wanted, port: 0 }));
    }
  }

  #join(channel: string, { group, sendFrom, hear, hops }: ChannelOptions): void {
    const joined = joinGroup({
      group,
      hops,
      sourcePort: sendFrom === undefined ? undefined : this.endpoint(sendFrom).port,
      onDatagram: hear === true
        ? (source, data) => this.#feed([{ type: "datagram", channel, source, data }])
        : undefined,
      onProblem: (sentence) => this.#options.onProblem?.(sentence, channel),
    });
    this.#channels.set(channel, joined);
  }

  #direct(channel: string, { to }: DestinationOptions): void {
    const onProblem = (sentence: string) => this.#options.onProblem?.(sentence, channel);
    this.#channels.set(channel, openDatagramSender({ to, onProblem }));
  }

  /**
   * Feeds a batch. What is due by now waits for its turn in the event loop, behind what can be read until then: a machine
   * that has work for later would do a part of it with every batch else, while what came last, which may be more urgent,
   * stands in a socket's queue.
   */
  #feed(inputs: readonly (Input | DriverInput)[]): void {
    if (this.#closed !== undefined) return;
    for (const input of inputs) this.#queue.push(input); // a flood is more than a call takes as arguments
    if (!this.#running) this.#run("inputs");
  }

  /** Runs a batch to its end; what comes in meanwhile joins it. */
  #run(cause: "inputs" | "timeout"): void {
    this.#running = true;
    try {
      if (cause === "timeout") this.#tick();
      while (this.#queue.length > 0) {
        const now = this.#clock();
        const batch = this.#queue;
        this.#queue = [];
        for (const input of batch) this.#machine.handle(input, now);
        this.#carryOutAll();
      }
    } finally {
      this.#running = false;
    }
    this.#armTimer();
  }

  #tick(): void {
    const now = this.#clock();
    if (!this.#isDue(now)) return;
    this.#machine.tick(now);
    this.#carryOutAll();
  }

  #isDue(now: Instant): boolean {
    const timeout = this.#machine.nextTimeout();
    const lateMs = timeout === undefined ? 0 : now - timeout;
    if (lateMs <= STOOD_STILL_MS) this.#readFirstUntil = undefined;
    // Once, and not again before what is late has been made up for: a machine with too much to do would get no further.
    else this.#readFirstUntil ??= now + READ_FIRST_MS;
    return timeout !== undefined && lateMs >= 0 && now >= (this.#readFirstUntil ?? now);
  }

  #carryOutAll(): void {
    for (const effect of this.#machine.drain()) this.#carryOut(effect);
  }

  #carryOut(effect: Effect): void {
    // A type guard cannot narrow a type parameter, so the two casts say what `type` has just told.
    if (effect.type === "transport" || effect.type === "datagram") {
      this.#sendOut(effect as unknown as NetworkEffect);
      return;
    }
    if (effect.type === "stopped") this.#stopped.resolve();
    this.#options.onEffect(effect as OwnEffect<Effect>);
  }

  #sendOut(effect: NetworkEffect): void {
    if (effect.type === "transport") this.#endpoints.get(effect.endpoint)?.execute(effect.command);
    else this.#channels.get(effect.channel)?.send(effect.data);
  }

  #armTimer(): void {
    const due = this.#closed === undefined ? this.#nextDue() : undefined;
    if (due === this.#timerDue) return;
    // What is put off with every message, as keep-alives are, is not worth a new timer each time: the old one comes too
    // early once, and is armed anew then.
    if (due !== undefined && this.#timerDue !== undefined && due > this.#timerDue) return;
    this.#disarm();
    this.#timerDue = due;
    if (due === undefined) return;
    const delay = Math.min(Math.max(0, Math.ceil(due - this.#clock())), MAX_TIMER_MS);
    const goOff = () => {
      this.#timerDue = undefined;
      if (this.#closed === undefined && !this.#running) this.#run("timeout");
    };
    // A machine may want to go on at once, after what has come in meanwhile: a timer of 0 ms takes two.
    if (delay === 0) {
      this.#immediate = setImmediate(goOff);
      hurryUp();
    } else this.#timer = setTimeout(goOff, delay);
  }

  #nextDue(): Instant | undefined {
    const timeout = this.#machine.nextTimeout();
    if (timeout === undefined || this.#readFirstUntil === undefined) return timeout;
    return Math.max(timeout, this.#readFirstUntil);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    if (this.#immediate !== undefined) clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
  }
}

function isPortInUse(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
