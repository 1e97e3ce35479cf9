/** Requests as they stand on the wire, so that a test can say what no honest client would. */
import assert from "node:assert/strict";
import { jitter } from "../../jitter.ts";

/** Nothing here takes longer unless it is broken. */
const DEADLINE_MS = 20_000;

/** An answer. */
export interface Answer {
  readonly status: number;
  /** Fields by name in small letters. */
  readonly fields: ReadonlyMap<string, string>;
  readonly body: string;
}

/** What is asked for. */
export interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** Fields; Host is that of the URL if it is not among them, and left out if it is empty. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A connection to a server. */
export class Wire implements AsyncDisposable {
  readonly #connection: Deno.TcpConn;
  readonly #host: string;
  #text = "";
  #isOver = false;
  readonly #decoder = new TextDecoder();

  constructor(connection: Deno.TcpConn, host: string) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Connects to the server of a URL. */
  static async open(url: string): Promise<Wire> {
    const { hostname, port, host } = new URL(url);
    const connection = await Deno.connect({ hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) });
    return new Wire(connection, host);
  }

  /** Writes a request. */
  async ask({ method = "GET", path = "/", fields = {}, body = "" }: Asked): Promise<void> {
    const all: Record<string, string> = { host: this.#host, ...fields };
    if (body !== "") all["content-length"] ??= String(new TextEncoder().encode(body).length);
    const lines = Object.entries(all).filter(([, value]) => value !== "").map(([name, value]) =>
      `${name}: ${value}`
    );
    await this.write([`${method} ${path} HTTP/1.1`, ...lines, "", body].join("\r\n"));
  }

  /** Writes octets. */
  async write(text: string): Promise<void> {
    let octets = new TextEncoder().encode(text);
    while (octets.length > 0) octets = octets.subarray(await this.#connection.write(octets));
  }

  /** Reads until the text so far matches. */
  async reads(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match !== null) {
        await jitter();
        return match;
      }
      assert.ok(await this.#read(), `no ${pattern} before the end: ${this.#text.slice(0, 2000)}`);
    }
  }

  /** Reads an answer that has a length, or none. */
  async answer(method = "GET"): Promise<Answer> {
    const head = await this.reads(/^HTTP\/1\.[01] (\d+)[^\r]*\r\n([^]*?)\r\n\r\n/);
    const fields = new Map(
      (head[2] ?? "").split("\r\n").map((line) => {
        const [, name = "", value = ""] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
        return [name.toLowerCase(), value] as const;
      }),
    );
    this.#text = this.#text.slice(head[0].length);
    const length = method === "HEAD" ? 0 : Number(fields.get("content-length") ?? 0);
    const body = (await this.reads(new RegExp(`^[^]{${length}}`)))[0];
    this.#text = this.#text.slice(length);
    return { status: Number(head[1]), fields, body };
  }

  /** Reads to the end of the connection. @returns what came */
  async rest(): Promise<string> {
    while (await this.#read());
    return this.#text;
  }

  async #read(): Promise<boolean> {
    if (this.#isOver) return false;
    const buffer = new Uint8Array(65536);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`nothing came: ${this.#text.slice(0, 2000)}`)), DEADLINE_MS);
    });
    try {
      const count = await Promise.race([this.#connection.read(buffer).catch(endOfConnection), late]);
      this.#isOver = count === null;
      if (count !== null) this.#text += this.#decoder.decode(buffer.subarray(0, count), { stream: true });
      return count !== null;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }
}

/** A connection that is broken off has ended, too. */
function endOfConnection(error: unknown): null {
  if (error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe) return null;
  throw error;
}

/** Asks once, over a connection of its own. */
export async function ask(url: string, asked: Asked = {}): Promise<Answer> {
  await using wire = await Wire.open(url);
  await wire.ask(asked);
  return await wire.answer(asked.method);
}
