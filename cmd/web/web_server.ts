/**
 * A page for a browser: files, a stream of events to it, and commands from it. It answers the person at the browser and
 * nobody else; see `request_guard.ts` for what is refused.
 */
import { Buffer } from "node:buffer";
import { pause } from "../driver/pause.ts";
import { EventStream } from "./event_stream.ts";
import { readJson } from "./json_body.ts";
import { pageAddress } from "./page_address.ts";
import { refusalOf } from "./request_guard.ts";
import { securityHeaders, sha256 } from "./security_headers.ts";

/** A file that a browser may ask for. */
export interface Asset {
  /** Media type, such as `text/javascript; charset=utf-8`. */
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** What came of a command: `problem` is a sentence for the person at the page. */
export type CommandOutcome = { readonly ok: true } | { readonly ok: false; readonly problem: string };

/** What a page is made of. */
export interface WebPlan {
  /** Where to listen: an IP address, and a port, 0 = any. */
  readonly at: { readonly address: string; readonly port: number };
  /** By path: `/`, `/graph.js`. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** Files that change, by path, such as `/image.png`: a Map, or anything that finds them. Undefined = there is none now. */
  readonly live?: { get(path: string): (() => Asset | undefined) | undefined };
  /** All that a page needs to know at first. It is the event `snapshot`; a page that read too slowly gets it again. */
  readonly snapshot: () => unknown;
  /** Takes a command of the page: any JSON value, checked by whoever takes it. Absent = there are none. */
  readonly onCommand?: (command: unknown) => CommandOutcome;
  /** Told how many pages listen, when one comes or goes. */
  readonly onListeners?: (count: number) => void;
  /** Told when one of the above throws. Absent = the page alone sees that something failed. */
  readonly onProblem?: (problem: unknown) => void;
}

/** A page that is being served. */
export interface WebServer extends AsyncDisposable {
  /** What to type into a browser. */
  readonly url: string;
  /** How many pages listen: nothing need be published where nobody does. */
  readonly listenerCount: number;
  /** Sends an event to all pages. `data` is any JSON value. */
  publish(event: string, data: unknown): void;
}

/** Pages that may be open at a time: a class that looks at one screen, and no more than the program can feed. */
export const MAX_PAGES = 64;

/** Octets of a command: some hundred times what a page has to say. */
export const MAX_COMMAND_OCTETS: number = 64 * 1024;

/** Commands whose text is under way at a time. */
export const MAX_COMMANDS_UNDER_WAY = 16;

/** A command is short: one that takes longer to arrive comes from nobody who means well. */
const COMMAND_DEADLINE_MS = 5000;

/** So long the program stays for pages that have not read yet what was published last: nobody waits for that in vain. */
const FAREWELL_MS = 200;

/** A page hears at least so often that the program is there. A page that reads nothing in between two times is let go. */
const ALIVE_INTERVAL_MS = 15_000;

/** Settings that tests change. */
export interface WebTiming {
  readonly aliveIntervalMs: number;
  readonly commandDeadlineMs: number;
  readonly farewellMs: number;
}

const TIMING: WebTiming = {
  aliveIntervalMs: ALIVE_INTERVAL_MS,
  commandDeadlineMs: COMMAND_DEADLINE_MS,
  farewellMs: FAREWELL_MS,
};

/**
 * Serves a page.
 *
 * @throws {Error} when the place is taken, by the runtime's error
 */
export function openWebServer(plan: WebPlan, changes: Partial<WebTiming> = {}): WebServer {
  const timing = { ...TIMING, ...changes };
  const site = new Site(plan, timing);
  const end = new AbortController();
  const server = Deno.serve({
    hostname: plan.at.address,
    port: plan.at.port,
    signal: end.signal,
    onListen: () => {},
    onError: (problem) => site.failed(problem),
  }, (request, { completed }) => site.answer(request, completed));
  const { hostname, port } = server.addr;
  return {
    url: `http://${pageAddress(hostname)}:${port}/`,
    get listenerCount() {
      return site.pages.size;
    },
    publish: (event, data) => site.publish(event, data),
    async [Symbol.asyncDispose]() {
      // What was published last has a moment to get there; a page that does not read must not keep the program for longer.
      const limit = new AbortController();
      await Promise.race([site.close(), pause(timing.farewellMs, limit.signal)]);
      limit.abort();
      end.abort();
      await server.finished;
    },
  };
}

/** Answers requests. */
class Site {
  readonly pages: Set<EventStream> = new Set();
  readonly #plan: WebPlan;
  readonly #timing: WebTiming;
  readonly #headers: Readonly<Record<string, string>>;
  /** By path: what tells one version of a file from another (RFC 9110 §8.8.3). */
  readonly #tags = new Map<string, string>();
  #commandsUnderWay = 0;
  /** Streams of events that are under way. */
  readonly #streams = new Set<Promise<void>>();
  #isClosed = false;
  #alive: ReturnType<typeof setInterval> | undefined;

  constructor(plan: WebPlan, timing: WebTiming) {
    this.#plan = plan;
    this.#timing = timing;
    const pages = [...plan.assets.values()].filter(({ type }) => type.startsWith("text/html"));
    this.#headers = securityHeaders(
      pages.map(({ body }) => typeof body === "string" ? body : Buffer.from(body).toString()),
    );
  }

  /** @param completed resolves when the answer is sent, and is rejected when it cannot be */
  answer(request: Request, completed: Promise<void>): Response | Promise<Response> {
    const refusal = refusalOf(request);
    if (refusal !== undefined) return this.#says(refusal.status, refusal.text);
    const { method } = request, { pathname } = new URL(request.url);
    if (pathname === "/command") {
      return method === "POST"
        ? this.#command(request)
        : this.#says(405, "Commands are posted.", { allow: "POST" });
    }
    if (method !== "GET" && method !== "HEAD") {
      return this.#says(405, "There is nothing but to get.", { allow: "GET, HEAD" });
    }
    if (pathname === "/events") return this.#events(method, completed);
    const asset = this.#plan.assets.get(pathname);
    if (asset !== undefined) return this.#file(request, pathname, asset);
    const live = this.#plan.live?.get(pathname)?.();
    if (live === undefined) return this.#says(404, "There is no such file.");
    return this.#reply(live.body, { "content-type": live.type, "cache-control": "no-store" });
  }

  failed(problem: unknown): Response {
    this.#plan.onProblem?.(problem);
    return this.#says(500, "The program made a mistake.");
  }

  publish(event: string, data: unknown): void {
    if (this.pages.size === 0) return;
    const text = eventText(event, data);
    for (const page of this.pages) page.send(text);
  }

  /** Ends all streams. Resolves when all pages have read them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const page of this.pages) page.close();
    this.#forget();
    await Promise.allSettled(this.#streams);
  }

  #file(request: Request, path: string, { type, body }: Asset): Response {
    let tag = this.#tags.get(path);
    if (tag === undefined) this.#tags.set(path, tag = `"${sha256(body)}"`);
    // A program of another version may be here tomorrow: the browser asks each time, and hears that nothing has changed.
    const headers = { etag: tag, "cache-control": "no-cache" };
    const known = request.headers.get("if-none-match");
    if (known !== null && matches(known, tag)) return this.#reply(null, headers, 304);
    return this.#reply(body, { ...headers, "content-type": type });
  }

  async #command(request: Request): Promise<Response> {
    if (this.#commandsUnderWay >= MAX_COMMANDS_UNDER_WAY) {
      return this.#outcome(503, { ok: false, problem: "Too many commands come at once." });
    }
    this.#commandsUnderWay++;
    try {
      const limits = { octets: MAX_COMMAND_OCTETS, deadlineMs: this.#timing.commandDeadlineMs };
      const read = await readJson(request, limits);
      if ("problem" in read) return this.#outcome(read.status, { ok: false, problem: read.problem });
      const outcome = this.#plan.onCommand?.(read.value) ?? { ok: false, problem: "There are no commands." };
      return this.#outcome(outcome.ok ? 200 : 400, outcome);
    } finally {
      this.#commandsUnderWay--;
    }
  }

  #outcome(status: number, outcome: CommandOutcome): Response {
    return this.#reply(JSON.stringify(outcome), { "content-type": "application/json" }, status);
  }

  #events(method: string, completed: Promise<void>): Response {
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
    if (method === "HEAD") return this.#reply(null, headers);
    if (this.#isClosed) return this.#says(503, "The program ends.");
    if (this.pages.size >= MAX_PAGES) {
      return this.#says(503, `${MAX_PAGES} pages are open already: close one of them.`);
    }
    const page: EventStream = new EventStream({
      snapshot: () => eventText("snapshot", this.#plan.snapshot()),
      onEnd: (problem) => {
        this.#leave(page);
        if (problem !== undefined) this.#plan.onProblem?.(problem);
      },
    });
    this.pages.add(page);
    this.#streams.add(completed);
    completed.catch(() => {}).finally(() => this.#streams.delete(completed));
    this.#plan.onListeners?.(this.pages.size);
    this.#alive ??= setInterval(() => this.#live(), this.#timing.aliveIntervalMs);
    return this.#reply(page.body, headers);
  }

  /** Says that the program is there, and lets pages go that do not read. */
  #live(): void {
    const text = eventText("alive", 0);
    for (const page of this.pages) {
      if (page.look()) {
        page.abort(new Error("the page reads nothing"));
        this.#leave(page);
      } else page.send(text);
    }
  }

  #leave(page: EventStream): void {
    if (!this.pages.delete(page)) return;
    if (this.pages.size === 0) this.#forget();
    this.#plan.onListeners?.(this.pages.size);
  }

  #forget(): void {
    clearInterval(this.#alive);
    this.#alive = undefined;
    this.pages.clear();
  }

  #says(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Response {
    return this.#reply(`${text}\n`, { "content-type": "text/plain; charset=utf-8", ...headers }, status);
  }

  #reply(
    body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null,
    headers: Readonly<Record<string, string>>,
    status = 200,
  ): Response {
    return new Response(body, {
      status,
      headers: { "cache-control": "no-store", ...this.#headers, ...headers },
    });
  }
}

const encoder = new TextEncoder();

/** JSON has no line ends of its own, so an event is one line of data (HTML §9.2.6). */
function eventText(event: string, data: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** Whether a browser knows this version already (RFC 9110 §13.1.2): the comparison is the weak one. */
function matches(known: string, tag: string): boolean {
  return known.split(",").map((one) => one.trim().replace(/^W\//, "")).some((one) =>
    one === "*" || one === tag
  );
}
