/** A driver of the scripting service with somebody who talks to it, and archives for it. */
import assert from "node:assert/strict";
import { packTar } from "modern-tar";
import type { TarEntry } from "modern-tar";
import { ScriptingDriver } from "../../../../cmd/server/scripting/driver.ts";
import type { ScriptingDriverOptions } from "../../../../cmd/server/scripting/driver.ts";
import { DEFAULT_JOB_LIMITS } from "../../../../cmd/server/scripting/limits.ts";
import type { JobLimits } from "../../../../cmd/server/scripting/limits.ts";
import { chooseSandbox } from "../../../../cmd/server/scripting/sandbox.ts";
import { SESSION_PREFIX } from "../../../../cmd/server/scripting/workspace.ts";
import type { ScriptingServerInput } from "../../../../protocol/app/scripting/types.ts";

/** No answer takes longer: jobs are looked at less often when a look takes long, as on a machine that stands still in one. */
const ANSWER_LIMIT_MS = 240_000;

/** Octets of a message of the protocol. */
const PIECE = 16_384;

type Answer<Type> = Extract<ScriptingServerInput, { readonly type: Type }>;

/** How a job went. */
export interface JobResult extends Omit<Answer<"jobEnded">, "type" | "session"> {
  /** What can be downloaded. */
  readonly output: Uint8Array<ArrayBuffer>;
  /** What it printed. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether bubblewrap works on this machine. */
export async function hasBubblewrap(): Promise<boolean> {
  return (await chooseSandbox("auto")).kind === "bwrap";
}

/** A driver in a directory of its own, which is empty again at the end. */
export class DriverBench implements AsyncDisposable {
  readonly directory: string;
  readonly lines: string[] = [];
  readonly #answers: ScriptingServerInput[] = [];
  #changed = Promise.withResolvers<void>();
  #driver: ScriptingDriver | undefined;

  constructor(directory: string) {
    this.directory = directory;
  }

  static async open(
    options: Partial<ScriptingDriverOptions> & { readonly limit?: Partial<JobLimits> } = {},
  ): Promise<DriverBench> {
    const bench = new DriverBench(await Deno.makeTempDir({ prefix: "rsp-driver-test-" }));
    const line = (text: string) => void bench.lines.push(text);
    const { limit, ...others } = options;
    bench.#driver = await ScriptingDriver.open({
      directory: bench.directory,
      keepDirectories: false,
      limits: { ...DEFAULT_JOB_LIMITS, ...limit },
      sandbox: "auto",
      keys: undefined,
      cache: { directory: undefined, maxBytes: 1 << 20, maxEntries: 4 },
      log: { note: line, warning: line, action: line },
      ...others,
    }, (input) => {
      bench.#answers.push(input);
      bench.#wake();
    });
    return bench;
  }

  get driver(): ScriptingDriver {
    assert(this.#driver !== undefined);
    return this.#driver;
  }

  /** The next answer of a type to a session. */
  async answer<Type extends ScriptingServerInput["type"]>(type: Type, session = 1): Promise<Answer<Type>> {
    const deadline = performance.now() + ANSWER_LIMIT_MS;
    for (;;) {
      const at = this.#answers.findIndex((input) => input.type === type && input.session === session);
      if (at >= 0) return this.#answers.splice(at, 1)[0] as Answer<Type>;
      assert(performance.now() < deadline, `no ${type} came, but ${JSON.stringify(this.#answers)}`);
      const timer = setTimeout(() => this.#wake(), ANSWER_LIMIT_MS);
      await this.#changed.promise;
      clearTimeout(timer);
    }
  }

  /** All answers of a type so far. */
  take<Type extends ScriptingServerInput["type"]>(type: Type, session = 1): Answer<Type>[] {
    const taken: Answer<Type>[] = [];
    for (let at = 0; at < this.#answers.length;) {
      const input = this.#answers[at]!;
      if (input.type === type && input.session === session) {
        taken.push(input as Answer<Type>);
        this.#answers.splice(at, 1);
      } else at++;
    }
    return taken;
  }

  async begin(session = 1): Promise<void> {
    this.driver.handle({ type: "openWorkspace", session });
    await this.answer("workspaceReady", session);
  }

  async upload(
    octets: Uint8Array,
    session = 1,
    type: "storeInput" | "storeEnvironment" = "storeInput",
  ): Promise<void> {
    let left = 0;
    for (let at = 0; at < octets.length; at += PIECE) {
      const data = octets.subarray(at, at + PIECE);
      this.driver.handle({ type, session, data });
      left += data.length;
    }
    while (left > 0) left -= (await this.answer("stored", session)).octets;
  }

  /** Runs a package in a session that has begun, and downloads the result. */
  async run(session = 1): Promise<JobResult> {
    this.driver.handle({ type: "runJob", session });
    const { exitCode, reason, hasOutput } = await this.answer("jobEnded", session);
    const printed = this.take("jobPrinted", session);
    const said = (wanted: string) => {
      const pieces = printed.filter(({ channel }) => channel === wanted).map(({ data }) => data);
      return new TextDecoder().decode(joined(pieces));
    };
    const output = hasOutput ? await this.download(session) : new Uint8Array();
    return { exitCode, reason, hasOutput, output, stdout: said("stdout"), stderr: said("stderr") };
  }

  async download(session = 1): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for (;;) {
      this.driver.handle({ type: "readOutput", session, maxBytes: 65_536 });
      const { data } = await this.answer("outputRead", session);
      if (data.length === 0) return joined(pieces);
      pieces.push(data);
    }
  }

  /** All of a session that runs a package. */
  async runPackage(octets: Uint8Array): Promise<JobResult> {
    await this.begin();
    await this.upload(octets);
    const result = await this.run();
    this.driver.handle({ type: "discardWorkspace", session: 1 });
    return result;
  }

  /** All of a session whose package is nothing but a script. */
  async runScript(script: string, more: readonly TarEntry[] = []): Promise<JobResult> {
    return await this.runPackage(await scriptPackage(script, more));
  }

  /** Names of the directories of sessions. */
  sessionDirectories(): string[] {
    return [...Deno.readDirSync(this.directory)].map(({ name }) => name).filter((name) => {
      return name.startsWith(SESSION_PREFIX);
    });
  }

  /** Lets all that wait look again. */
  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver?.close();
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** A work package with a script and other files. */
export async function scriptPackage(
  script: string,
  more: readonly TarEntry[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  return await packTar([textFile("ssrun", script), ...more]);
}

/** A file of an archive. */
export function textFile(name: string, text: string): TarEntry {
  const body = new TextEncoder().encode(text);
  return { header: { name, size: body.length, mode: 0o644, type: "file" }, body };
}

/** Packs by gzip. */
export async function gzip(octets: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return await new Response(new Blob([octets]).stream().pipeThrough(new CompressionStream("gzip"))).bytes();
}

/** Octets as text. */
export function textOf(octets: Uint8Array): string {
  return new TextDecoder().decode(octets);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
