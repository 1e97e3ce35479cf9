import { ApplicationMachine } from "../../app/mod.ts";
import type { Application, ApplicationOutlet } from "../../app/mod.ts";
import { Ppid } from "../../net.ts";
import type { Instant } from "../../net.ts";
import type { PoolHandle } from "../../param/pool_handle.ts";
import { ServiceHost, SessionClient } from "../../session/mod.ts";
import type { SessionEvent, SessionId } from "../../session/mod.ts";
import { Reader, Writer } from "../../wire/mod.ts";
import type { Workload, WorkloadContext } from "./workload.ts";

/**
 * Savings accounts, the smallest application whose sessions must not lose an octet: a user deposits amounts one after the
 * other, its element keeps number and sum of them, and after each gives a cookie with both, and then an acknowledgement.
 *
 * What cookies promise: a user who has an acknowledgement has the cookie that came before it. So whatever element comes
 * next knows of all deposits that were acknowledged, and the user repeats the others. The sum is right at every moment; a
 * cookie that is lost, an old one that is echoed, a message that is lost, doubled or overtaken makes it wrong.
 */

const SESSION: SessionId = 1;

/** Deposits of a user in all. */
const DEPOSITS = 600;

/** Mean time between two, in milliseconds. */
const DEPOSIT_INTERVAL_MS = 1000;

/** Deposits that wait for their acknowledgement at most. */
const MAX_WAITING = 20;

/** An element that owes an acknowledgement for so long is left. */
const PATIENCE_MS = 5000;

interface Account {
  count: number;
  sum: number;
}

/** Number of the deposit, and the amount or the sum. */
function writePair(count: number, amount: number): Uint8Array {
  const writer = new Writer();
  writer.u32(count);
  writer.u32(amount);
  return writer.finish();
}

function readPair(octets: Uint8Array): Account {
  const reader = new Reader(octets);
  return { count: reader.u32("count"), sum: reader.u32("amount") };
}

/** Keeps the accounts of its sessions. */
class Bank implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, never>;
  readonly #context: WorkloadContext;
  readonly #cookieEvery: number;
  readonly #accounts = new Map<SessionId, Account>();

  constructor(outlet: ApplicationOutlet<never, never>, context: WorkloadContext, cookieEvery: number) {
    this.#outlet = outlet;
    this.#context = context;
    this.#cookieEvery = cookieEvery;
  }

  sessionEvent(event: SessionEvent): void {
    const { session } = event;
    switch (event.type) {
      case "sessionOpened":
        this.#accounts.set(session, { count: 0, sum: 0 });
        return;
      case "sessionCookie":
        this.#accounts.set(session, readPair(event.cookie));
        return;
      case "sessionMessage":
        return this.#deposit(session, event.data);
      case "sessionClosed":
        this.#accounts.delete(session);
        return;
      default:
        return;
    }
  }

  #deposit(session: SessionId, data: Uint8Array): void {
    const account = this.#accounts.get(session);
    if (account === undefined) return this.#context.violated("a message came for a session that is not open");
    const { count, sum: amount } = readPair(data);
    if (count > account.count + 1) {
      return this.#context.violated(`deposit ${count} came after ${account.count}: some were lost`);
    }
    if (count === account.count + 1) { // else it is one that was repeated
      account.count = count;
      account.sum = (account.sum + amount) >>> 0;
    }
    const state = writePair(account.count, account.sum);
    if (account.count % this.#cookieEvery === 0) {
      this.#outlet.command({ type: "sendCookie", session, cookie: state.slice() });
    }
    this.#outlet.command({ type: "send", session, ppid: Ppid.none, data: state });
  }
}

/** Deposits, and checks what it is told of its account. */
class Saver implements Application<never> {
  readonly #outlet: ApplicationOutlet<never, never>;
  readonly #context: WorkloadContext;
  readonly #poolHandle: PoolHandle;
  readonly #failedOver: () => void;
  /** Amounts of all deposits so far; the sums behind each. */
  readonly #amounts: number[] = [];
  readonly #sums: number[] = [0];
  #acknowledged = 0;
  #up = false;
  #nextAt: Instant = 0;
  #patientUntil: Instant | undefined;

  constructor(
    outlet: ApplicationOutlet<never, never>,
    context: WorkloadContext,
    poolHandle: PoolHandle,
    failedOver: () => void,
  ) {
    this.#outlet = outlet;
    this.#context = context;
    this.#poolHandle = poolHandle;
    this.#failedOver = failedOver;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  start(now: Instant): void {
    this.#nextAt = now;
    this.#outlet.command({ type: "openSession", session: SESSION, poolHandle: this.#poolHandle });
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    switch (event.type) {
      case "sessionOpened":
        return this.#connected(now);
      case "sessionMessage":
        return this.#answer(event.data, now);
      case "sessionFailover":
        if (event.state === "complete") {
          if (!event.hasCookie && this.#acknowledged > 0) {
            this.#context.violated("a deposit was acknowledged, and there is no cookie");
          }
          return this.#connected(now);
        }
        return this.#failover(event.loss === "silent");
      case "sessionClosed":
        return this.#context.violated(`the session was closed: ${event.reason}`);
      default:
        return;
    }
  }

  tick(now: Instant): void {
    if (this.#patientUntil !== undefined && this.#patientUntil <= now) this.#failover(true);
    while (this.#mayDeposit && this.#nextAt <= now) {
      const amount = this.#context.random.below(1_000_000);
      this.#amounts.push(amount);
      this.#sums.push((this.#sums.at(-1)! + amount) >>> 0);
      this.#nextAt = now + 2 * DEPOSIT_INTERVAL_MS * this.#context.random.uniform();
      this.#send(this.#amounts.length, now);
    }
  }

  nextTimeout(): Instant | undefined {
    const next = this.#mayDeposit ? this.#nextAt : Infinity;
    const first = Math.min(next, this.#patientUntil ?? Infinity);
    return first === Infinity ? undefined : first;
  }

  get #mayDeposit(): boolean {
    const { length } = this.#amounts;
    return this.#up && length < DEPOSITS && length - this.#acknowledged < MAX_WAITING;
  }

  #connected(now: Instant): void {
    this.#up = true;
    for (let count = this.#acknowledged + 1; count <= this.#amounts.length; count++) this.#send(count, now);
  }

  #send(count: number, now: Instant): void {
    const data = writePair(count, this.#amounts[count - 1]!);
    this.#outlet.command({ type: "send", session: SESSION, ppid: Ppid.none, data });
    this.#patientUntil ??= now + PATIENCE_MS;
  }

  #answer(data: Uint8Array, now: Instant): void {
    const { count, sum } = readPair(data);
    if (count > this.#amounts.length || sum !== this.#sums[count]) {
      return this.#context.violated(`the sum of ${count} deposits is ${this.#sums[count]}, not ${sum}`);
    }
    if (count < this.#acknowledged) {
      this.#context.violated(`deposit ${this.#acknowledged} was acknowledged, and forgotten behind ${count}`);
    }
    this.#acknowledged = count;
    this.#patientUntil = count === this.#amounts.length ? undefined : now + PATIENCE_MS;
  }

  #failover(reportUnreachable: boolean): void {
    this.#up = false;
    this.#patientUntil = undefined;
    this.#failedOver();
    this.#outlet.command({ type: "failover", session: SESSION, reportUnreachable });
  }
}

/**
 * A bank in the pool, and its savers.
 *
 * @param cookieEvery more than 1 = a careless bank, which the savers have to catch
 */
export function ledgerWorkload(context: WorkloadContext, users: number, cookieEvery = 1): Workload {
  const savers: Saver[] = [];
  let failovers = 0;
  return {
    sessions: 2,
    total: users * DEPOSITS,
    get done() {
      return savers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    },
    get failovers() {
      return failovers;
    },
    server: (options) => ({
      machine: new ApplicationMachine(
        new ServiceHost(options),
        (outlet) => new Bank(outlet, context, cookieEvery),
      ),
      onEffect: () => {},
    }),
    client: (options, poolHandle) => ({
      machine: new ApplicationMachine(new SessionClient(options), (outlet) => {
        const saver = new Saver(outlet, context, poolHandle, () => failovers++);
        savers.push(saver);
        return saver;
      }),
      onEffect: () => {},
    }),
  };
}
