import type { Machine } from "../../machine.ts";
import type { Instant, NetworkEffect } from "../../net.ts";
import type { EventQueue } from "../event_queue.ts";
import type { MessageSide } from "./association.ts";
import type { OpenPort, SimulatedComputer } from "./host.ts";

/** Inputs that wait for a program that is slow or stopped, beyond what its associations bound by themselves. */
const MAX_WAITING_DATAGRAMS = 1000;

/** An endpoint that a program opens. */
export interface PortSetup {
  /** Absent = the network chooses. */
  readonly port?: number;
  readonly listen?: boolean;
  /** Messages occupy the sender's queue until the machine says that it has `consumed` them. */
  readonly manualReceive?: boolean;
}

/** A multicast channel that a program joins. */
export interface ChannelSetup {
  readonly group: string;
  /** The endpoint whose port its datagrams come from. */
  readonly from?: string;
  /** Only sends. Default false. */
  readonly deaf?: boolean;
}

/** What a program opens for its machine. */
export interface ProgramSetup {
  readonly endpoints: Readonly<Record<string, PortSetup>>;
  readonly channels?: Readonly<Record<string, ChannelSetup>>;
  /** How fast its clock goes: 1.01 = it gains a second in a hundred. Default 1. */
  readonly clockRate?: number;
  /** What its clock shows at the start of the world. Default 0. */
  readonly clockOffsetMs?: number;
}

/** What a program needs of the network around it. */
export interface ProgramContext {
  readonly events: EventQueue;
  /** Does what a machine asks of the network. */
  execute(program: AnyProgram, effect: NetworkEffect): void;
}

/** A program whose machine's types do not matter. */
export type AnyProgram = SimulatedProgram<never, { readonly type: string }>;

/** Gets what a machine asks for that the network does not do. */
export type EffectHandler<Input, Effect extends { readonly type: string }> = (
  effect: Exclude<Effect, NetworkEffect>,
  program: SimulatedProgram<Input, Effect>,
) => void;

interface Waiting {
  readonly input: unknown;
  readonly onTaken: (() => void) | undefined;
  readonly droppable: boolean;
}

/**
 * A machine on a computer, with a clock of its own and a pace. It can be slow (each input costs time) or stopped for a
 * while (a debugger, a laptop's lid): its associations live on, and what comes waits.
 */
export class SimulatedProgram<Input, Effect extends { readonly type: string }> {
  readonly name: string;
  readonly host: SimulatedComputer;
  readonly machine: Machine<Input, Effect>;
  readonly setup: ProgramSetup;
  readonly ports: Map<string, OpenPort> = new Map();
  /** Its associations and attempts by ID. */
  readonly sides: Map<number, MessageSide> = new Map();
  /** Gets whatever the machine asks for that the network does not do. */
  onEffect: EffectHandler<Input, Effect> | undefined;
  /** How long it takes to work on an input, in milliseconds. */
  costMs = 0;
  readonly #context: ProgramContext;
  readonly #rate: number;
  readonly #offsetMs: number;
  readonly #mailbox: Waiting[] = [];
  #mailboxHead = 0;
  #waitingDatagrams = 0;
  #alive = true;
  #paused = false;
  #busyUntil: Instant = 0;
  #wakeAt: Instant = Infinity;
  /** The machine's clock never goes back, and is never behind a timer that fires. */
  #localNow: Instant = -Infinity;

  /** Made by the network. */
  constructor(
    context: ProgramContext,
    host: SimulatedComputer,
    name: string,
    machine: Machine<Input, Effect>,
    setup: ProgramSetup,
  ) {
    this.#context = context;
    this.host = host;
    this.name = name;
    this.machine = machine;
    this.setup = setup;
    this.#rate = setup.clockRate ?? 1;
    this.#offsetMs = setup.clockOffsetMs ?? 0;
  }

  /** Whether it runs, or would if it were not stopped. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Whether it is stopped for a while. */
  get paused(): boolean {
    return this.#paused;
  }

  /** How many inputs wait. */
  get backlog(): number {
    return this.#mailbox.length - this.#mailboxHead;
  }

  /** Its own clock. */
  localTime(): Instant {
    const local = this.#context.events.now * this.#rate + this.#offsetMs;
    if (local > this.#localNow) this.#localNow = local;
    return this.#localNow;
  }

  /**
   * Gives the machine an input, at once or when its turn comes.
   *
   * @param onTaken called when the machine has taken it
   * @param droppable whether it may be lost when too much waits
   */
  input(input: Input, onTaken?: () => void, droppable = false): void {
    if (!this.#alive) return;
    const idle = !this.#paused && this.backlog === 0 && this.#busyUntil <= this.#context.events.now;
    if (idle) return this.#take({ input, onTaken, droppable });
    if (droppable && ++this.#waitingDatagrams > MAX_WAITING_DATAGRAMS) {
      this.#waitingDatagrams--;
      return;
    }
    this.#mailbox.push({ input, onTaken, droppable });
    if (this.backlog === 1 && !this.#paused) this.#workLater();
  }

  /** Calls the machine, then does what it asks for. For what its owner, not the network, has to say. */
  act(action: (now: Instant) => void): void {
    if (!this.#alive) return;
    action(this.localTime());
    this.#settle();
  }

  /** Stops it for a while. */
  pause(): void {
    this.#paused = true;
  }

  /** Lets it go on. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.backlog > 0) this.#workLater();
    this.#wakeAt = Infinity;
    this.#rearm();
  }

  /** It ends from one moment to the next; its network looks after the associations. */
  end(): void {
    this.#alive = false;
    this.#mailbox.length = 0;
    this.#mailboxHead = 0;
  }

  #take({ input, onTaken, droppable }: Waiting, waited = false): void {
    if (waited && droppable) this.#waitingDatagrams--;
    if (this.costMs > 0) this.#busyUntil = this.#context.events.now + this.costMs;
    this.machine.handle(input as Input, this.localTime());
    onTaken?.();
    this.#settle();
  }

  #workLater(): void {
    this.#context.events.schedule(this.#busyUntil, () => this.#work());
  }

  /** Takes the next input that waits. */
  #work(): void {
    if (!this.#alive || this.#paused || this.backlog === 0) return;
    if (this.#busyUntil > this.#context.events.now) return this.#workLater();
    const waiting = this.#mailbox[this.#mailboxHead++]!;
    if (this.#mailboxHead === this.#mailbox.length) {
      this.#mailbox.length = 0;
      this.#mailboxHead = 0;
    }
    this.#take(waiting, true);
    if (this.backlog > 0) this.#workLater();
  }

  /** Does what the machine asks for, and sees when it wants to be called again. */
  #settle(): void {
    for (let effects = this.machine.drain(); effects.length > 0; effects = this.machine.drain()) {
      for (const effect of effects) {
        if (isNetworkEffect(effect)) this.#context.execute(this as unknown as AnyProgram, effect);
        else this.onEffect?.(effect as Exclude<Effect, NetworkEffect>, this);
      }
    }
    this.#rearm();
  }

  #rearm(): void {
    if (!this.#alive || this.#paused) return;
    const timeout = this.machine.nextTimeout();
    if (timeout === undefined) return;
    const { now } = this.#context.events;
    const wakeAt = Math.max((timeout - this.#offsetMs) / this.#rate, now, this.#busyUntil);
    if (wakeAt >= this.#wakeAt) return; // it will be called earlier, and looks again then
    this.#wakeAt = wakeAt;
    this.#context.events.schedule(wakeAt, () => this.#wake(wakeAt));
  }

  #wake(wakeAt: Instant): void {
    if (wakeAt !== this.#wakeAt || !this.#alive || this.#paused) return;
    this.#wakeAt = Infinity;
    const timeout = this.machine.nextTimeout();
    if (timeout === undefined) return;
    const local = this.localTime();
    // What a clock that drifts shows is rounded: a timer whose time has come must not be a hair's breadth early.
    if (timeout > local && timeout - local < 1e-3) this.#localNow = timeout;
    if (timeout <= this.#localNow) this.machine.tick(this.#localNow);
    this.#settle();
  }
}

function isNetworkEffect(effect: { readonly type: string }): effect is NetworkEffect {
  return effect.type === "transport" || effect.type === "datagram";
}
