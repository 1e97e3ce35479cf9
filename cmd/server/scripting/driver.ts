/** The driver side of the scripting service: workspaces, archives, signatures, processes. */
import { findProgram, searchPath } from "../../driver/programs.ts";
import type { Log } from "../../driver/log.ts";
import type { ScriptingServerEffect, ScriptingServerInput } from "../../../protocol/app/scripting/types.ts";
import type { SessionId } from "../../../protocol/session/types.ts";
import { CACHE_PREFIX, EnvironmentCache } from "./environment_cache.ts";
import type { EnvironmentCacheOptions } from "./environment_cache.ts";
import { removeLeftovers } from "./leftovers.ts";
import type { JobLimits } from "./limits.ts";
import { chooseSandbox } from "./sandbox.ts";
import type { Sandbox, SandboxMode } from "./sandbox.ts";
import { ScriptingSession } from "./session.ts";
import { gnupgProgram } from "./signature.ts";
import type { SignatureKeys } from "./signature.ts";
import { SESSION_PREFIX } from "./workspace.ts";

/** How jobs are run. */
export interface ScriptingDriverOptions {
  /** Where the directories of sessions are made. */
  readonly directory: string;
  /** Whether they stay, for those who look for an error. */
  readonly keepDirectories: boolean;
  readonly limits: JobLimits;
  readonly sandbox: SandboxMode;
  /** undefined = packages need not be signed. */
  readonly keys: SignatureKeys | undefined;
  readonly cache: Omit<EnvironmentCacheOptions, "onNote" | "temporaryDirectory">;
  readonly log: Pick<Log, "note" | "warning" | "action">;
}

/** What sessions have in common. */
export interface SessionContext {
  readonly options: ScriptingDriverOptions;
  readonly sandbox: Sandbox;
  readonly cache: EnvironmentCache;
}

/**
 * Carries out what a scripting server asks for. Each effect is answered later, never within the call; a session's effects are
 * carried out in their order, those of different sessions side by side.
 */
export class ScriptingDriver implements AsyncDisposable {
  readonly #context: SessionContext;
  readonly #answer: (input: ScriptingServerInput) => void;
  readonly #sessions = new Map<SessionId, ScriptingSession>();
  readonly #endings = new Set<Promise<void>>();
  #closed = false;

  /** Made by {@linkcode open}. */
  constructor(context: SessionContext, answer: (input: ScriptingServerInput) => void) {
    this.#context = context;
    this.#answer = answer;
  }

  /**
   * Opens the cache and finds the sandbox.
   *
   * @param answer takes what the server is to be told
   * @throws {Error} whose message is a sentence: what is asked for is not possible on this machine
   */
  static async open(
    options: ScriptingDriverOptions,
    answer: (input: ScriptingServerInput) => void,
  ): Promise<ScriptingDriver> {
    if (options.keys !== undefined) checkGnupg(options.keys);
    const sandbox = await chooseSandbox(options.sandbox);
    const report = sandbox.kind === "none" && options.sandbox !== "none" ? "warning" : "note";
    options.log[report](sandbox.description, { event: "sandbox", kind: sandbox.kind });
    await cleanUp(options);
    const onNote = (text: string) => options.log.note(text, { event: "cache" });
    const cache = await EnvironmentCache.open({
      ...options.cache,
      temporaryDirectory: options.directory,
      onNote,
    });
    return new ScriptingDriver({ options, sandbox, cache }, answer);
  }

  /** Which sandbox was found. */
  get sandbox(): Sandbox {
    return this.#context.sandbox;
  }

  /** Sessions that have a directory now, or are about to get or lose one. */
  get sessionCount(): number {
    return this.#sessions.size + this.#endings.size;
  }

  /** Carries out an effect. */
  handle(effect: ScriptingServerEffect): void {
    if (this.#closed) return;
    const { session } = effect;
    if (effect.type === "openWorkspace") {
      this.#sessions.set(session, new ScriptingSession(session, this.#context, this.#answer));
    } else if (effect.type === "discardWorkspace") {
      this.#discard(session);
    } else {
      this.#sessions.get(session)?.handle(effect);
    }
  }

  /** Ends all sessions and what runs in them, and removes what is temporary. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      for (const session of [...this.#sessions.keys()]) this.#discard(session);
    }
    await Promise.all(this.#endings);
    await this.#context.cache.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #discard(sessionId: SessionId): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return;
    this.#sessions.delete(sessionId);
    const ending = session.discard().finally(() => this.#endings.delete(ending));
    this.#endings.add(ending);
  }
}

function checkGnupg(keys: SignatureKeys): void {
  const program = gnupgProgram(keys);
  if (findProgram(program, searchPath()) !== undefined) return;
  throw new Error(
    `signatures cannot be checked: the program ${program} is not installed (package ${program})`,
  );
}

/** Removes what servers have left in the same place that were killed. */
async function cleanUp({ directory, log }: ScriptingDriverOptions): Promise<void> {
  for (const prefix of [SESSION_PREFIX, CACHE_PREFIX]) {
    for (const removed of await removeLeftovers(directory, prefix)) {
      log.note(`removed ${removed}, which a server left behind that was killed`, {
        event: "leftover",
        directory: removed,
      });
    }
  }
}
