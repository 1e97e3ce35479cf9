/** One session of the scripting service, on the driver's side. */
import { fileProblem } from "../../driver/file_problem.ts";
import { describeJobStatus, JobStatus } from "../../../protocol/app/scripting/job_status.ts";
import type {
  EnvironmentFailure,
  EnvironmentHash,
  ScriptingServerEffect,
  ScriptingServerInput,
} from "../../../protocol/app/scripting/types.ts";
import type { SessionId } from "../../../protocol/session/types.ts";
import type { SessionContext } from "./driver.ts";
import { hashFile } from "./environment_cache.ts";
import { Job } from "./job.ts";
import type { JobOutcome } from "./job.ts";
import { markOwner } from "./leftovers.ts";
import { DEFAULT_ARCHIVE_LIMITS, showSize } from "./limits.ts";
import { OutputReader } from "./output_reader.ts";
import { PackageError } from "./package_error.ts";
import { writeSubstitute } from "./result_archive.ts";
import { checkSignature } from "./signature.ts";
import { removeTree } from "./remove_tree.ts";
import type { StoredFile } from "./stored_file.ts";
import { unpackArchive } from "./unpack.ts";
import { ENVIRONMENT_NAME, OUTPUT_NAME, Workspace } from "./workspace.ts";

/** Effects of a session between its first and its last. */
export type SessionEffect = Exclude<
  ScriptingServerEffect,
  { readonly type: "openWorkspace" | "discardWorkspace" }
>;

/** Octets of uploads and archives when the room of a job is not limited. */
const UNLIMITED_BYTES = Number.MAX_SAFE_INTEGER;

/** Names of the server's keys in the job's directory, for environments that the job checks itself, as with RSPLIB. */
const KEYRING_NAME = "keyring.gpg";
const TRUST_DATABASE_NAME = "trustdb.gpg";

/** Carries out a session's effects one after the other. */
export class ScriptingSession {
  readonly #session: SessionId;
  readonly #context: SessionContext;
  readonly #answer: (input: ScriptingServerInput) => void;
  readonly #end = new AbortController();
  /** Octets that are being written together: they are answered together. */
  #storing: { readonly written: Promise<void>; octets: number } | undefined;
  /** All that has been begun. */
  #work: Promise<void>;
  #workspace: Workspace | undefined;
  #job: Job | undefined;
  #hasEnvironment = false;
  #output: OutputReader | undefined;

  constructor(session: SessionId, context: SessionContext, answer: (input: ScriptingServerInput) => void) {
    this.#session = session;
    this.#context = context;
    this.#answer = (input) => this.#end.signal.aborted ? undefined : answer(input);
    this.#work = this.#open();
  }

  /** Carries out an effect. */
  handle(effect: SessionEffect): void {
    switch (effect.type) {
      case "storeInput":
        return this.#store(this.#workspace?.input, effect.data);
      case "storeEnvironment":
        return this.#store(this.#workspace?.environment, effect.data);
      case "lookForEnvironment":
        return this.#then((workspace) => this.#lookForEnvironment(workspace, effect.hash));
      case "checkEnvironment":
        return this.#then((workspace) => this.#checkEnvironment(workspace, effect.hash));
      case "runJob":
        return this.#then((workspace) => this.#runJob(workspace));
      case "readOutput":
        return this.#then(() => this.#readOutput(effect.maxBytes));
      default:
        return effect satisfies never;
    }
  }

  /** Ends everything and removes the directory. No answer comes any more. Never rejects. */
  async discard(): Promise<void> {
    this.#end.abort();
    this.#job?.kill();
    await this.#work;
    await this.#output?.close();
    const { keepDirectories, log } = this.#context.options;
    try {
      await this.#workspace?.discard(keepDirectories);
    } catch (error) {
      log.warning(fileProblem(error), { event: "directory", session: this.#session });
    }
    if (!keepDirectories || this.#workspace === undefined) return;
    const { directory } = this.#workspace;
    log.note(`session ${this.#session}: its files stay in ${directory}`, { event: "directory", directory });
  }

  async #open(): Promise<void> {
    const session = this.#session;
    const { directory, keepDirectories } = this.#context.options;
    try {
      this.#workspace = await Workspace.create(directory, this.#roomBytes());
      if (!keepDirectories) await markOwner(this.#workspace.directory);
      this.#answer({ type: "workspaceReady", session });
    } catch (error) {
      this.#answer({ type: "workspaceFailed", session, reason: fileProblem(error) });
    }
  }

  /** Pieces may be under way at the same time: the file keeps their order. */
  #store(file: StoredFile | undefined, data: Uint8Array): void {
    const session = this.#session;
    const refuse = (reason: string) => this.#answer({ type: "storeFailed", session, reason });
    if (file === undefined) return refuse("the session has no directory");
    const written = file.append(data);
    if (this.#storing?.written === written) {
      this.#storing.octets += data.length;
      return;
    }
    const batch = this.#storing = { written, octets: data.length };
    const answered = written.then(
      () => this.#answer({ type: "stored", session, octets: batch.octets }),
      (error) => refuse(fileProblem(error)),
    );
    this.#work = Promise.all([this.#work, answered]).then(() => {});
  }

  /** Does something after all that has been begun. It must not reject. */
  #then(step: (workspace: Workspace) => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#workspace !== undefined && !this.#end.signal.aborted) await step(this.#workspace);
    });
  }

  async #lookForEnvironment(workspace: Workspace, hash: EnvironmentHash): Promise<void> {
    const { path } = workspace.environment;
    this.#hasEnvironment = await this.#context.cache.retrieve(hash, path) &&
      await this.#isSigned(workspace, path);
    this.#answer({ type: "environmentLooked", session: this.#session, found: this.#hasEnvironment });
  }

  /** A cache may be older than the server's keyring: what it has is checked as if it were uploaded. */
  async #isSigned(workspace: Workspace, path: string): Promise<boolean> {
    try {
      await this.#checkSignature(workspace, path, undefined);
      return true;
    } catch { // it is told when the same is uploaded
      await Deno.remove(path);
      return false;
    }
  }

  async #checkEnvironment(workspace: Workspace, hash: EnvironmentHash): Promise<void> {
    const { environment } = workspace;
    const refused = (words: string) => new PackageError(words, JobStatus.badSignature);
    let failure: EnvironmentFailure | undefined;
    try {
      if (environment.isEmpty) throw refused("it is empty");
      environment.close();
      if (await hashFile(environment.path) !== hash.toHex()) {
        throw refused("it is not the one that was announced: its hash is another");
      }
      await this.#checkSignature(workspace, environment.path, undefined);
      await this.#keepEnvironment(environment.path, hash);
      this.#hasEnvironment = true;
    } catch (error) {
      const isItsFault = error instanceof PackageError;
      const reason = `the environment ${isItsFault ? "is refused" : "cannot be checked"}: ${
        fileProblem(error)
      }`;
      failure = { status: isItsFault ? error.status : JobStatus.serverFailure, reason };
    }
    this.#answer({ type: "environmentChecked", session: this.#session, failure });
  }

  /** Caches an environment. The job has it, whether that goes well or not. */
  async #keepEnvironment(path: string, hash: EnvironmentHash): Promise<void> {
    const { cache, options: { log } } = this.#context;
    try {
      await cache.add(hash, path);
    } catch (error) {
      log.warning(`cannot keep environment ${hash.toHex()}: ${fileProblem(error)}`, { event: "cache" });
    }
  }

  async #runJob(workspace: Workspace): Promise<void> {
    const session = this.#session;
    const outcome = this.#withinOutputLimit(await this.#attempt(workspace), await sizeOf(workspace.output));
    const { status: exitCode, reason } = outcome;
    try {
      await this.#openOutput(workspace, outcome);
    } catch (error) {
      this.#context.options.log.warning(fileProblem(error), { event: "result", session });
    }
    const hasOutput = this.#output !== undefined;
    this.#answer({ type: "jobEnded", session, exitCode, reason, hasOutput });
  }

  async #attempt(workspace: Workspace): Promise<JobOutcome> {
    try {
      await this.#prepare(workspace);
      return await this.#run(workspace);
    } catch (error) {
      const status = error instanceof PackageError ? error.status : JobStatus.serverFailure;
      return { status, reason: fileProblem(error) };
    }
  }

  /** Brings the job's directory to the state in which `ssrun` is called. */
  async #prepare(workspace: Workspace): Promise<void> {
    const { keys } = this.#context.options;
    const signal = this.#end.signal;
    if (workspace.input.isEmpty) throw new PackageError("the work package is empty");
    workspace.input.close();
    const archive = keys === undefined ? workspace.input.path : workspace.signedInput;
    if (keys !== undefined) {
      try {
        await this.#checkSignature(workspace, workspace.input.path, archive);
      } catch (error) {
        if (!(error instanceof PackageError)) throw error;
        throw new PackageError(`the work package is refused: ${error.message}`, error.status);
      }
    }
    const limits = { ...DEFAULT_ARCHIVE_LIMITS, bytes: workspace.room.leftBytes };
    await unpackArchive({ archive, directory: workspace.work, limits, signal });
    if (!this.#context.options.keepDirectories) await removeUploads(workspace);
    const script = await lookAt(`${workspace.work}/ssrun`);
    if (script?.isFile !== true) {
      throw new PackageError(
        "the work package has no file ssrun in its outermost directory",
        JobStatus.noScript,
      );
    }
    await Deno.chmod(`${workspace.work}/ssrun`, 0o700);
    // Whatever the package has by these names, the job gets the server's.
    if (this.#hasEnvironment) {
      await replace(
        `${workspace.work}/${ENVIRONMENT_NAME}`,
        (path) => Deno.rename(workspace.environment.path, path),
      );
    }
    if (keys === undefined) return;
    await replace(`${workspace.work}/${KEYRING_NAME}`, (path) => Deno.copyFile(keys.keyring, path));
    const { trustDatabase } = keys;
    if (trustDatabase === undefined) return;
    await replace(`${workspace.work}/${TRUST_DATABASE_NAME}`, (path) => Deno.copyFile(trustDatabase, path));
  }

  async #run(workspace: Workspace): Promise<JobOutcome> {
    this.#end.signal.throwIfAborted();
    const session = this.#session;
    const { options: { keys, limits }, sandbox } = this.#context;
    const environment = this.#hasEnvironment ? ENVIRONMENT_NAME : "";
    const keyring = keys === undefined ? "" : KEYRING_NAME;
    const trustDatabase = keys?.trustDatabase === undefined ? "" : TRUST_DATABASE_NAME;
    this.#job = new Job({
      workspace,
      args: [OUTPUT_NAME, environment, keyring, trustDatabase],
      limits,
      sandbox,
      onPrinted: (channel, data) => this.#answer({ type: "jobPrinted", session, channel, data }),
    });
    try {
      return await this.#job.run();
    } finally {
      this.#job = undefined;
    }
  }

  #withinOutputLimit(outcome: JobOutcome, bytes: number): JobOutcome {
    const { outputBytes } = this.#context.options.limits;
    if (outputBytes === 0 || bytes <= outputBytes || outcome.status !== JobStatus.success) return outcome;
    const reason = `its result is larger than ${showSize(outputBytes)}`;
    return { status: JobStatus.outputLimit, reason };
  }

  /** Opens the result; where there is none that can be sent, an archive that says how the job ended. */
  async #openOutput(workspace: Workspace, { status, reason }: JobOutcome): Promise<void> {
    if (this.#end.signal.aborted) return;
    const { outputBytes } = this.#context.options.limits;
    const output = await OutputReader.open(workspace.output);
    if (output !== undefined && (outputBytes === 0 || await output.size() <= outputBytes)) {
      this.#output = output;
      return;
    }
    await output?.close();
    const lines = [`The job has no result to download: ${describeJobStatus(status)}.`];
    if (reason !== undefined) lines.push(`In detail: ${reason}.`);
    await writeSubstitute(workspace, `${lines.join("\n")}\n`);
    this.#output = await OutputReader.open(workspace.substitute);
  }

  async #readOutput(maxBytes: number): Promise<void> {
    const session = this.#session;
    try {
      if (this.#output === undefined) throw new Error("there is no result");
      const data = await this.#output.read(maxBytes);
      this.#answer({ type: "outputRead", session, data });
    } catch (error) {
      this.#answer({
        type: "outputFailed",
        session,
        reason: `cannot read the result: ${fileProblem(error)}`,
      });
    }
  }

  async #checkSignature(
    { directory }: Workspace,
    signed: string,
    data: string | undefined,
  ): Promise<void> {
    const { keys, log } = this.#context.options;
    if (keys === undefined) return;
    const who = await checkSignature({
      keys,
      directory,
      signed,
      data,
      maxBytes: this.#roomBytes(),
      signal: this.#end.signal,
    });
    log.action(`session ${this.#session}: signed by ${who}`, { event: "signature", who });
  }

  #roomBytes(): number {
    const { diskBytes } = this.#context.options.limits;
    return diskBytes === 0 ? UNLIMITED_BYTES : diskBytes;
  }
}

/** The job has the room that its package took. */
async function removeUploads({ input, signedInput }: Workspace): Promise<void> {
  for (const path of [input.path, signedInput]) {
    if (await lookAt(path) !== undefined) await Deno.remove(path);
  }
}

/** Puts something where perhaps something is already, without following a link. */
async function replace(path: string, put: (path: string) => Promise<void>): Promise<void> {
  if (await lookAt(path) !== undefined) await removeTree(path);
  await put(path);
}

async function lookAt(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch { // it is not there
    return undefined;
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await lookAt(path))?.size ?? 0;
}
