/** Load on a registrar, RSPLIB's or ours: users that resolve a pool, and elements that register, as fast as it answers. */
import { napBetweenMessages } from "../../ffi/poller.ts";
import { describeError } from "../../protocol/param/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";
import { type AsapLink, openAsapLink } from "./asap_link.ts";
import type { AsapWork } from "./asap_options.ts";
import type { AsapLine, AsapResult } from "./asap_report.ts";
import { type ElementPlace, registrationOf, requestsOf } from "./asap_requests.ts";
import { AsapTally, workAs } from "./asap_user.ts";
import { connectAll, type ConnectTask, showPeer } from "./connect.ts";
import type { BenchOptionValues } from "./options.ts";
import { RunFailure } from "./party.ts";

/** Elements that one association registers: RSPLIB's registrar takes any number, ours 128. */
const ELEMENTS_PER_LINK = 100;
/** At the end of a run, answers that are under way may take so long. */
const LAST_ANSWERS_MS = 3000;

/** What is to be done. */
export interface AsapTask extends ConnectTask {
  readonly emit: (line: AsapLine) => void;
  /** Aborted: come to an end now, with the figures so far. */
  readonly signal: AbortSignal;
}

/** Every kind of work with every number of users. @throws {RunFailure} with a sentence for people */
export async function loadRegistrar(task: AsapTask): Promise<void> {
  for (const work of task.options.asap) {
    for (const users of task.options.users) {
      if (task.signal.aborted) return;
      await using load = await AsapLoad.open(task, work, users);
      task.emit(await load.run());
    }
  }
}

/** Users of a registrar, all of them connected, and what they need to be there. */
export class AsapLoad implements AsyncDisposable {
  readonly #task: AsapTask;
  readonly #work: AsapWork;
  readonly #links: readonly AsapLink[];
  readonly #pool: readonly AsapLink[];
  readonly #naps = napBetweenMessages(); // the cheaper the load, the more of the figures is the registrar's

  /** Use {@linkcode AsapLoad.open}. */
  constructor(task: AsapTask, work: AsapWork, links: readonly AsapLink[], pool: readonly AsapLink[]) {
    this.#task = task;
    this.#work = work;
    this.#links = links;
    this.#pool = pool;
  }

  /** Connects, and registers the elements that are to be resolved. @throws {RunFailure} */
  static async open(task: AsapTask, work: AsapWork, users: number): Promise<AsapLoad> {
    const { options } = task, open = () => openAsapLink(task);
    const elements = work === "resolve" ? options.elements : 0;
    const pool = await connectAll(Math.ceil(elements / ELEMENTS_PER_LINK), open);
    try {
      await fillPool(pool, options);
      return new AsapLoad(task, work, await connectAll(users, open), pool);
    } catch (error) {
      await closeLinks(pool, options);
      throw error;
    }
  }

  /** Lets the users work for the time or number that the options say. May be called again. @throws {RunFailure} */
  async run(): Promise<AsapResult> {
    const { options, peer, signal, emit } = this.#task, { outstanding, items, count } = options;
    const work = this.#work, users = this.#links.length;
    const poolHandle = encodeText(options.poolhandle);
    const tally = new AsapTally(), broken = Promise.withResolvers<never>();
    const clock = new RunClock(options, signal, tally);
    const onNonsense = (type: number) =>
      broken.reject(new RunFailure(`${showPeer(peer)} answers ${work} with a message of type ${type}`));
    using _watch = watchAnswers(options.interval, tally, (from, to, answers) => {
      emit({ type: "asapInterval", work, users, from, to, answers });
    });
    clock.start();
    const done = Promise.all(this.#links.map((link) => {
      const next = requestsOf(work, { poolHandle, items, place: placeOf(link), elements: link });
      let left = count ?? Infinity;
      const goesOn = () => !clock.isOver && (!tally.measuring || left-- > 0);
      return workAs({
        link,
        next,
        outstanding,
        thinkMs: options.think,
        tally,
        goesOn,
        over: clock.over,
        onNonsense,
      });
    }));
    const lost = [...this.#links, ...this.#pool].map((link) => link.broken);
    try {
      await Promise.race([done, clock.lastAnswersLate, broken.promise, ...lost]);
    } finally {
      clock.stop();
    }
    const { answers, refused, histogram } = tally;
    return { type: "asap", work, users, outstanding, answers, refused, seconds: clock.seconds, histogram };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#naps[Symbol.dispose]();
    await closeLinks([...this.#links, ...this.#pool], this.#task.options);
  }
}

async function closeLinks(links: readonly AsapLink[], { poolhandle }: BenchOptionValues): Promise<void> {
  await Promise.all(links.map((link) => link.close(encodeText(poolhandle))));
}

async function fillPool(
  links: readonly AsapLink[],
  { elements, poolhandle }: BenchOptionValues,
): Promise<void> {
  const wanted = links.flatMap((link) => Array<AsapLink>(ELEMENTS_PER_LINK).fill(link)).slice(0, elements);
  for (const link of wanted) {
    const answer = await link.ask(registrationOf(encodeText(poolhandle), link.join(), placeOf(link)));
    if (answer.type === "registrationResponse" && !answer.rejected) continue;
    const error = "error" in answer ? answer.error : undefined;
    throw new RunFailure(`refuses an element: ${error === undefined ? answer.type : describeError(error)}`);
  }
}

/** When a run begins to count, and when it ends. */
class RunClock {
  isOver = false;
  readonly #options: BenchOptionValues;
  readonly #signal: AbortSignal;
  readonly #tally: AsapTally;
  readonly #late = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  readonly #end = () => this.#stopAsking();
  #startedAt = 0;
  #endedAt: number | undefined;

  constructor(options: BenchOptionValues, signal: AbortSignal, tally: AsapTally) {
    this.#options = options;
    this.#signal = signal;
    this.#tally = tally;
  }

  /** Resolves when no more is to be asked. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Resolves when the last answers take too long. */
  get lastAnswersLate(): Promise<void> {
    return this.#late.promise;
  }

  /** Length of the measurement. */
  get seconds(): number {
    return ((this.#endedAt ?? performance.now()) - this.#startedAt) / 1000;
  }

  start(): void {
    const { warmup } = this.#options;
    this.#signal.addEventListener("abort", this.#end);
    if (warmup > 0) this.#timers.push(setTimeout(() => this.#measure(), warmup * 1000));
    else this.#measure();
  }

  /** Takes everything back. */
  stop(): void {
    this.#endedAt ??= performance.now();
    this.isOver = true;
    this.#over.resolve();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal.removeEventListener("abort", this.#end);
  }

  #measure(): void {
    const { duration, count } = this.#options;
    this.#tally.start();
    this.#startedAt = performance.now();
    if (count === undefined) this.#timers.push(setTimeout(this.#end, duration * 1000));
  }

  #stopAsking(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    if (!this.#tally.measuring) { // somebody ends the warm-up: nothing was measured
      this.#tally.start();
      this.#startedAt = performance.now();
    }
    this.#endedAt = performance.now();
    this.#tally.stop();
    this.isOver = true;
    this.#over.resolve();
    this.#timers.push(setTimeout(() => this.#late.resolve(), LAST_ANSWERS_MS));
  }
}

/** Tells every so often how many answers came. @param seconds 0 = never */
function watchAnswers(
  seconds: number,
  tally: AsapTally,
  tell: (from: number, to: number, answers: number) => void,
): Disposable {
  if (seconds === 0) return { [Symbol.dispose]: () => {} };
  const startedAt = performance.now();
  let from = 0, before = 0;
  const timer = setInterval(() => {
    const to = (performance.now() - startedAt) / 1000, { answers } = tally;
    tell(from, to, Math.max(0, answers - before));
    [from, before] = [to, answers];
  }, seconds * 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function placeOf(link: AsapLink): ElementPlace {
  return { addresses: link.elementAddresses, port: link.endpoint.port };
}
