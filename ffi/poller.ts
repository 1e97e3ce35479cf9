/**
 * The one place of a process where it waits for native descriptors.
 *
 * Theory of operation: every turn asks `poll` synchronously, without waiting. As long as it finds something, handlers
 * run, and the event loop gets a turn every few rounds by `setImmediate` (a timer of 0 ms would cost two milliseconds).
 * When it finds nothing for some ten microseconds, exactly one `poll` is parked in Deno's pool of native threads, of
 * which there are only 32; an `eventfd` among its descriptors ends it when the set of descriptors changes. When the last
 * watch is closed the parked call is ended too, and nothing keeps the process alive.
 *
 * A process that does nothing but answer may ask for naps ({@linkcode Poller.nap}): then a turn that finds nothing sleeps
 * in `ppoll` itself for up to a millisecond, and the next request wakes it without a thread in between.
 *
 * An event loop that has work of its own in every turn ({@linkcode Poller.hurry}) hears of other threads only every 31
 * turns, so Deno's scheduler has it: then nothing waits for the parked call, and every turn asks again. The call stays
 * where it is, for the next time that there is nothing to do.
 *
 * | state | left by |
 * |---|---|
 * | idle: no watch | `watch()` |
 * | running: polls or naps, calls handlers, yields | nothing was ready → waiting; no watch left → idle |
 * | waiting: for the one call in the thread pool | readiness, wake-up or `hurry()` → running |
 *
 * @module
 */
import { Errno, errno, SctpError } from "./errno.ts";
import { leaseLibc, type LibcLease } from "./libc.ts";
import { PollEvent, POLLFD_BYTES } from "./structs.ts";

/** What a watch wants to be told of. Errors are always told. */
export interface Interest {
  /** Octets to read, or a connection to take. */
  readonly read: boolean;
  /** Room to write. */
  readonly write: boolean;
}

/** What a descriptor is ready for. Level-triggered: told again as long as it holds. */
export interface Readiness {
  /** Something can be read, if only the end. */
  readonly readable: boolean;
  /** Something can be written. */
  readonly writable: boolean;
  /** An error waits: on the error queue or as SO_ERROR. */
  readonly error: boolean;
}

/** A descriptor under watch. */
export interface Watch {
  /** Wants to be told of something else from now on. No effect after `close`. */
  update(interest: Interest): void;
  /** Ends the watch, at once: the handler is not called again. The descriptor may be closed now. Idempotent. */
  close(): void;
}

/** Watches native descriptors. One per process: {@linkcode sharedPoller}. */
export interface Poller {
  /**
   * Watches a descriptor.
   *
   * @param fd an open descriptor, one watch each
   * @param interest what to tell
   * @param onReady called from the event loop; has its own budget, since the other descriptors wait meanwhile
   * @throws {SctpError} when the wake-up descriptor cannot be made
   */
  watch(fd: number, interest: Interest, onReady: (ready: Readiness) => void): Watch;
  /**
   * Resolves when no parked call holds on to a closed descriptor, and nothing is parked or scheduled any more or another
   * watch is there to wait for.
   * Whoever closes the last watch awaits it before saying "closed".
   */
  settled(): Promise<void>;
  /** How often a call was parked: the wake-ups of an idle process, for benchmarks. */
  readonly parkCount: number;
  /**
   * From now on the thread sleeps in a turn that finds nothing, for so many milliseconds, before a call is parked.
   * Timers and all else that the event loop has to do wait meanwhile. 0 = no more naps, as at the start.
   */
  nap(milliseconds: number): void;
  /** The event loop has something to do at once: it gets a turn before the next nap, and is not left alone with it. */
  hurry(): void;
}

/**
 * How long to go on asking before a call is parked, in milliseconds. Parking costs the main thread some ten microseconds
 * and the wake-up thirty more; who has just been busy is likely to have more to do before that.
 */
const LINGER_MS = 0.05;

/**
 * Where somebody waits for room to write, the other end is about to make some: the thread itself sleeps for it, so long
 * at most.
 */
const WRITER_NAP: Timespec = timespec(0.2);

/** Rounds of handlers between two turns of the event loop. */
const ROUNDS_PER_TURN = 8;

/**
 * The poller of this process.
 *
 * @throws {Error} on a machine whose native structures are laid out in another way
 */
export function sharedPoller(): Poller {
  shared ??= new FfiPoller();
  return shared;
}

/** Says that a `setImmediate` is pending, in a process that may nap. */
export function hurryUp(): void {
  shared?.hurry();
}

/** About as long as those who ask need to think, and as much as any timer is late anyway, in milliseconds. */
const ANSWERING_NAP_MS = 1;

/**
 * Lets this process nap between the messages that it answers, as {@linkcode Poller.nap} says, for as long as it does
 * nothing else. No effect where there is no poller.
 *
 * @returns dispose of it when that is over
 */
export function napBetweenMessages(): Disposable {
  if (!hasAbi()) return { [Symbol.dispose]: () => {} };
  sharedPoller().nap(ANSWERING_NAP_MS);
  return { [Symbol.dispose]: () => sharedPoller().nap(0) };
}

let shared: FfiPoller | undefined;

class FfiWatch implements Watch {
  readonly fd: number;
  readonly onReady: (ready: Readiness) => void;
  events: number;
  open = true;
  readonly #poller: FfiPoller;

  constructor(poller: FfiPoller, fd: number, interest: Interest, onReady: (ready: Readiness) => void) {
    this.#poller = poller;
    this.fd = fd;
    this.onReady = onReady;
    this.events = eventsOf(interest);
  }

  update(interest: Interest): void {
    const events = eventsOf(interest);
    if (!this.open || events === this.events) return;
    this.events = events;
    this.#poller.changed();
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.#poller.removed(this);
  }
}

class FfiPoller implements Poller {
  parkCount = 0;
  readonly #watches = new Map<number, FfiWatch>();
  /** What is there only while there are watches. */
  #resources: { readonly libc: LibcLease; readonly wakeFd: number } | undefined;
  /** `struct pollfd[]`: the wake-up descriptor, then the watches in the order of `#polled`. */
  #table = new DataView(new ArrayBuffer(0));
  #polled: FfiWatch[] = [];
  #stale = true;
  #writersWait = false;
  #nap: Timespec | undefined;
  #hurries = false;
  /** Resolves when the parked call has returned; undefined = none is parked. */
  #parked: Promise<void> | undefined;
  /** Ends the waiting for the parked call, while there is such waiting. */
  #stopWaiting: (() => void) | undefined;
  /** The parked call was told that the set has changed. */
  #woken = false;
  #loop: Promise<void> | undefined;
  readonly #wakeWord = new BigUint64Array([1n]);

  constructor() {
    checkAbi();
  }

  watch(fd: number, interest: Interest, onReady: (ready: Readiness) => void): Watch {
    if (this.#watches.has(fd)) throw new RangeError(`Cannot watch descriptor ${fd} twice`);
    this.#resources ??= openResources();
    const watch = new FfiWatch(this, fd, interest, onReady);
    this.#watches.set(fd, watch);
    this.changed();
    this.#loop ??= this.#run();
    return watch;
  }

  async settled(): Promise<void> {
    // The kernel keeps what a parked call was given, a closed socket and its port too, until that call returns.
    if (this.#woken) await this.#parked;
    while (this.#watches.size === 0 && this.#loop !== undefined) await this.#loop;
  }

  nap(milliseconds: number): void {
    this.#nap = milliseconds > 0 ? timespec(milliseconds) : undefined;
  }

  hurry(): void {
    this.#hurries = true;
    this.#stopWaiting?.();
  }

  /** The table of descriptors is out of date. */
  changed(): void {
    this.#stale = true;
    this.#wake();
  }

  removed(watch: FfiWatch): void {
    this.#watches.delete(watch.fd);
    this.changed();
  }

  #wake(): void {
    if (this.#parked === undefined || this.#woken || this.#resources === undefined) return;
    this.#woken = true;
    const { libc, wakeFd } = this.#resources;
    libc.symbols.write(wakeFd, this.#wakeWord, 8n); // cannot fail: the counter is far from its limit
  }

  async #run(): Promise<void> {
    await undefined; // handlers never run inside watch()
    let round = 0, lingerUntil = 0;
    while (this.#watches.size > 0 || this.#parked !== undefined) {
      if (this.#watches.size === 0) {
        await this.#parked; // whoever closed the last watch has woken it
        continue;
      }
      const hurries = this.#hurries;
      this.#hurries = false;
      if (hurries) await immediate();
      if (this.#resources === undefined || this.#watches.size === 0) continue;
      const { libc, wakeFd } = this.#resources;
      if (this.#stale) this.#rebuild(wakeFd);
      const table = this.#table, count = BigInt(this.#polled.length + 1);
      const nap = hurries ? undefined : this.#nap;
      let ready = nap === undefined
        ? libc.symbols.poll(table, count, 0)
        : libc.symbols.ppoll(table, count, nap, null);
      if (ready < 0 && errno() !== Errno.EINTR) throw new SctpError("poll", errno());
      if (ready === 0 && this.#writersWait) ready = libc.symbols.ppoll(table, count, WRITER_NAP, null);
      if (ready === 0) {
        if (hurries) continue;
        const now = nap === undefined ? performance.now() : Infinity;
        if (lingerUntil === 0) lingerUntil = now + LINGER_MS;
        if (now < lingerUntil) {
          libc.symbols.sched_yield(); // on a busy machine the other end may be waiting for this very processor
          await immediate();
          continue;
        }
        await this.#wait();
        lingerUntil = 0;
        continue;
      }
      lingerUntil = 0;
      if (ready > 0) this.#dispatch(wakeFd);
      if (++round % ROUNDS_PER_TURN === 0) await immediate();
      else await undefined; // what handlers resolved goes on before the next round
    }
    this.#release();
  }

  /** Until a descriptor is ready, or the set of them has changed, or the event loop has work: the next poll tells. */
  async #wait(): Promise<void> {
    this.#parked ??= this.#park();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopWaiting = resolve;
    this.#parked.then(resolve);
    await promise;
    this.#stopWaiting = undefined;
  }

  async #park(): Promise<void> {
    this.parkCount++;
    const table = new DataView(this.#table.buffer.slice()); // of its own: it is written to when the call returns
    await this.#resources!.libc.symbols.parkedPoll(table, BigInt(this.#polled.length + 1), -1);
    this.#parked = undefined;
  }

  #dispatch(wakeFd: number): void {
    const table = this.#table;
    // The wake-up is for the parked call, and for others only when that has returned.
    if (table.getInt16(6, true) !== 0 && this.#parked === undefined) this.#consumeWakeUp(wakeFd);
    const polled = this.#polled; // handlers may change the set; the change counts from the next round on
    for (let i = 0; i < polled.length; i++) {
      const events = table.getInt16((i + 1) * POLLFD_BYTES + 6, true);
      if (events === 0) continue;
      const watch = polled[i]!;
      if (!watch.open) continue;
      if ((events & PollEvent.invalid) !== 0) {
        watch.close(); // its owner closed the descriptor first; going on would poll without end
        continue;
      }
      watch.onReady({
        readable: (events & (PollEvent.in | PollEvent.hangUp)) !== 0,
        writable: (events & PollEvent.out) !== 0,
        error: (events & PollEvent.error) !== 0,
      });
    }
  }

  #consumeWakeUp(wakeFd: number): void {
    this.#woken = false;
    this.#resources!.libc.symbols.read(wakeFd, new Uint8Array(8), 8n);
  }

  #rebuild(wakeFd: number): void {
    this.#stale = false;
    this.#polled = [...this.#watches.values()];
    this.#writersWait = this.#polled.some(({ events }) => (events & PollEvent.out) !== 0);
    this.#table = new DataView(new ArrayBuffer((this.#polled.length + 1) * POLLFD_BYTES));
    this.#table.setInt32(0, wakeFd, true);
    this.#table.setInt16(4, PollEvent.in, true);
    this.#polled.forEach((watch, i) => {
      this.#table.setInt32((i + 1) * POLLFD_BYTES, watch.fd, true);
      this.#table.setInt16((i + 1) * POLLFD_BYTES + 4, watch.events, true);
    });
  }

  #release(): void {
    const { libc, wakeFd } = this.#resources!;
    libc.symbols.close(wakeFd);
    libc.close();
    this.#resources = undefined;
    this.#loop = undefined;
    this.#polled = [];
    this.#woken = false;
    this.#stale = true;
  }
}

/** EFD_NONBLOCK | EFD_CLOEXEC */
const EVENTFD_FLAGS = 0x80800;

function openResources(): { readonly libc: LibcLease; readonly wakeFd: number } {
  const libc = leaseLibc();
  const wakeFd = libc.symbols.eventfd(0, EVENTFD_FLAGS);
  if (wakeFd >= 0) return { libc, wakeFd };
  const error = new SctpError("eventfd", errno(), "Cannot make a wake-up descriptor");
  libc.close();
  throw error;
}

function eventsOf({ read, write }: Interest): number {
  return (read ? PollEvent.in : 0) | (write ? PollEvent.out : 0);
}

/** `setImmediate` is a global of Deno; it comes round after pending input and output, about a microsecond later. */
function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** `struct timespec` */
type Timespec = BigInt64Array<ArrayBuffer>;

function timespec(milliseconds: number): Timespec {
  const nanoseconds = Math.round(milliseconds * 1e6);
  return new BigInt64Array([BigInt(Math.floor(nanoseconds / 1e9)), BigInt(nanoseconds % 1e9)]);
}

/** The layouts in this folder are those of 64-bit little-endian Linux. */
function hasAbi(): boolean {
  const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  const { arch, os } = Deno.build;
  return littleEndian && os === "linux" && (arch === "x86_64" || arch === "aarch64");
}

function checkAbi(): void {
  if (hasAbi()) return;
  const { arch, os } = Deno.build;
  throw new Error(`Cannot use native sockets on ${os}/${arch}: the structures are laid out for 64-bit Linux`);
}
