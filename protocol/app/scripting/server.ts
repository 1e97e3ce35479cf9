import { earliest, TimerQueue } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type { Instant, TransportAddress } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import { encodeText } from "../../wire/text.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { describeJobStatus, JobStatus } from "./job_status.ts";
import { Liveness } from "./liveness.ts";
import { MAX_SCRIPTING_DATA, NotReadyReason, pieceOf, readScripting, writeScripting } from "./messages.ts";
import type { EnvironmentMessage, PrintChannel, ScriptingMessage } from "./messages.ts";
import { newSession } from "./server_session.ts";
import type { ScriptingSession as Session } from "./server_session.ts";
import type {
  JobEnded,
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "./types.ts";

/** Octets of the output that are read at once: more than one message, so that a disk is asked less often. */
const OUTPUT_CHUNK = 32 * MAX_SCRIPTING_DATA;

/** A job that said it succeeded and left no output has failed all the same: its user wants a result. */
const NO_OUTPUT_STATUS = 1;

/** The environment is broken or not signed, so that the job was not begun. */
const BAD_ENVIRONMENT_STATUS: JobStatus = JobStatus.badSignature;

/** How a scripting service behaves. */
export interface ScriptingServerOptions {
  /** Jobs at the same time; another session is told that the server is not ready. */
  readonly maxSessions: number;
  /** What the server calls itself: at most 64 octets, shown to users. */
  readonly info: Uint8Array;
  /** A user may send and take nothing for so long while it is its turn, in milliseconds. Default 30000. */
  readonly transmitTimeoutMs?: number;
  /** Between two KeepAlive messages, in milliseconds. Default 15000. */
  readonly keepAliveIntervalMs?: number;
  /** How long a user may leave one unanswered, in milliseconds. Default 10000. */
  readonly keepAliveTimeoutMs?: number;
}

/**
 * A pool element that runs jobs for its users (reference/rsplib.md §5.5).
 *
 * Theory of operation: a session is a job. The user uploads a work package (and the environment that goes with it, unless it
 * is in the cache), the driver runs it, and the user downloads the output. Octets go through this machine, but are not
 * kept: what is uploaded occupies the receive window until the driver has stored it, and no output is read while the
 * user takes nothing. So a session costs the buffers of its association, however large its files are.
 * `server_session.ts` shows the stations of a session.
 *
 * RSPLIB's users leave a server that sends them what they do not expect: keep-alives, or answers to theirs, before
 * processing has started; keep-alives during a download; anything unknown. Users of this project say by a flag of their first
 * KeepAlive that they take them at any time, and that they want to know what the job prints.
 *
 * A job occupies one of `maxSessions` places until the last octet of its output has been handed to the transport; the
 * association may take longer to end.
 *
 * @example A session begins with a directory for its job
 * ```ts
 * import { encodeText, ScriptingServer } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const effects: string[] = [];
 * const outlet = { command: () => {}, effect: ({ type }: { type: string }) => effects.push(type), report: () => {} };
 * const server = new ScriptingServer(outlet, { maxSessions: 2, info: encodeText("lab-pc-1") });
 * const peer = [{ address: "10.1.0.3", port: 40001 }];
 * server.sessionEvent({ type: "sessionOpened", session: 1, peer, elementId: 7 }, 0);
 * assert.deepEqual(effects, ["openWorkspace"]);
 * assert.equal(server.jobCount, 1);
 * ```
 */
export class ScriptingServer implements Application<ScriptingServerInput> {
  readonly #options: Required<ScriptingServerOptions>;
  readonly #outlet: ApplicationOutlet<ScriptingServerEffect, ScriptingServerReport>;
  readonly #sessions = new Map<SessionId, Session>();
  /** When a session that does not go on is given up. */
  readonly #limits = new TimerQueue<SessionId>();
  /** When a keep-alive is due. */
  readonly #keepAlives = new TimerQueue<SessionId>();
  #stopping = false;

  /**
   * Makes a service.
   *
   * @param outlet where it speaks
   * @param options how it behaves
   */
  constructor(
    outlet: ApplicationOutlet<ScriptingServerEffect, ScriptingServerReport>,
    options: ScriptingServerOptions,
  ) {
    this.#outlet = outlet;
    this.#options = {
      transmitTimeoutMs: 30_000,
      keepAliveIntervalMs: 15_000,
      keepAliveTimeoutMs: 10_000,
      ...options,
    };
  }

  /** Jobs that there are now. */
  get jobCount(): number {
    let count = 0;
    for (const { phase } of this.#sessions.values()) if (phase !== "closing") count++;
    return count;
  }

  sessionEvent(event: SessionEvent, now: Instant): void {
    if (event.type === "sessionOpened") return this.#opened(event.session, event.peer, now);
    const session = this.#sessions.get(event.session);
    if (session === undefined) return;
    switch (event.type) {
      case "sessionMessage":
        return this.#message(session, event.data, now);
      case "sessionBlocked":
        session.blocked = true;
        return this.#armLimit(session, now);
      case "sessionWritable":
        return this.#writable(session, now);
      case "sessionClosed":
        return this.#closed(session, event.reason);
      case "sessionCookie": // no state survives a server: a job is run again from scratch
      case "sessionCookieHeld":
      case "sessionFailover":
        return;
      default:
        event satisfies never;
    }
  }

  input(input: ScriptingServerInput, now: Instant): void {
    const session = this.#sessions.get(input.session);
    if (session === undefined) return;
    if (input.type === "stored") this.#stored(session, input.octets, now);
    if (session.phase === "closing") return;
    switch (input.type) {
      case "workspaceReady":
        return this.#ready(session, now);
      case "workspaceFailed":
        return this.#refuse(session, NotReadyReason.outOfResources, input.reason, now);
      case "stored":
        return;
      case "storeFailed":
        return this.#giveUp(session, input.reason, now);
      case "environmentLooked":
        return this.#environmentLooked(session, input.found, now);
      case "environmentChecked":
        return this.#environmentChecked(session, input.reason, now);
      case "jobPrinted":
        return this.#print(session, input.channel, input.data);
      case "jobEnded":
        return this.#jobEnded(session, input, now);
      case "outputRead":
        return this.#outputRead(session, input.data, now);
      case "outputFailed":
        return this.#giveUp(session, input.reason, now);
      default:
        input satisfies never;
    }
  }

  stop(now: Instant): void {
    this.#stopping = true;
    for (const session of [...this.#sessions.values()]) {
      if (session.phase !== "closing") this.#giveUp(session, "the server stops", now);
    }
  }

  tick(now: Instant): void {
    for (let id = this.#limits.takeDue(now); id !== undefined; id = this.#limits.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#limitReached(session, now);
    }
    for (let id = this.#keepAlives.takeDue(now); id !== undefined; id = this.#keepAlives.takeDue(now)) {
      const session = this.#sessions.get(id);
      if (session !== undefined) this.#keepAliveDue(session, now);
    }
  }

  nextTimeout(): Instant | undefined {
    return earliest(this.#limits.next(), this.#keepAlives.next());
  }

  // ---------------------------------------------------------------------------------------- beginning and end

  #opened(id: SessionId, peer: readonly TransportAddress[], now: Instant): void {
    const full = this.#stopping || this.jobCount >= this.#options.maxSessions;
    const session = newSession(id, new Liveness(this.#options), now);
    this.#sessions.set(id, session);
    if (full) {
      session.phase = "closing";
      this.#report({ type: "scriptingFull", session: id, peer });
      this.#send(session, { type: "notReady", reason: NotReadyReason.fullyLoaded, info: this.#options.info });
      return this.#close(session, "shutdown", now);
    }
    this.#report({ type: "scriptingStarted", session: id, peer, jobCount: this.jobCount });
    this.#updateLoad();
    this.#effect({ type: "openWorkspace", session: id });
  }

  #ready(session: Session, now: Instant): void {
    if (session.phase !== "opening") return;
    session.phase = "uploading";
    session.uploads = "input";
    this.#send(session, { type: "ready", info: this.#options.info, extended: true });
    this.#armLimit(session, now);
  }

  /** There is no place for the job here: another server may have one. */
  #refuse(session: Session, reason: number, text: string, now: Instant): void {
    this.#report({ type: "scriptingFailed", session: session.id, reason: text });
    this.#send(session, { type: "notReady", reason, info: this.#options.info });
    this.#leave(session, "shutdown", now);
  }

  /** The job cannot be done here: another server may be able to. In order, so that what is said of it arrives. */
  #giveUp(session: Session, reason: string, now: Instant): void {
    this.#report({ type: "scriptingFailed", session: session.id, reason });
    this.#say(session, reason);
    this.#leave(session, "shutdown", now);
  }

  /** The user has gone, or breaks the protocol. */
  #abort(session: Session, reason: string, now: Instant): void {
    if (session.phase !== "closing") this.#report({ type: "scriptingFailed", session: session.id, reason });
    this.#leave(session, "abort", now);
  }

  /** Ends a job, whatever is under way, and frees its place. */
  #leave(session: Session, how: "shutdown" | "abort", now: Instant): void {
    if (session.phase !== "closing") {
      session.phase = "closing";
      this.#effect({ type: "discardWorkspace", session: session.id });
      this.#updateLoad();
    }
    session.liveness.stop();
    this.#keepAlives.clear(session.id);
    this.#close(session, how, now);
  }

  #close(session: Session, how: "shutdown" | "abort", now: Instant): void {
    this.#outlet.command({ type: "closeSession", session: session.id, how });
    // What is queued may take its time; a user that takes nothing must not keep it for ever.
    this.#limits.set(session.id, now + this.#options.transmitTimeoutMs);
  }

  #closed(session: Session, reason: string): void {
    this.#sessions.delete(session.id);
    this.#limits.clear(session.id);
    this.#keepAlives.clear(session.id);
    if (session.phase === "closing") return;
    session.phase = "closing";
    this.#report({ type: "scriptingFailed", session: session.id, reason: `the user has left: ${reason}` });
    this.#effect({ type: "discardWorkspace", session: session.id });
    this.#updateLoad();
  }

  // ------------------------------------------------------------------------------------------------- messages

  #message(session: Session, octets: Uint8Array, now: Instant): void {
    session.liveness.heard();
    const message = session.phase === "closing" ? undefined : this.#read(session, octets, now);
    const stored = message?.type === "upload" && this.#upload(session, message.data, now)
      ? message.data.length
      : 0;
    // What the driver stores is consumed when it has.
    this.#outlet.command({ type: "consumed", session: session.id, octets: octets.length - stored });
    if (message !== undefined && message.type !== "upload") this.#other(session, message, now);
    this.#armKeepAlive(session);
  }

  /** Undefined = it cannot be read, and the session was aborted. The PPID does not matter, as to RSPLIB: its old one differs. */
  #read(session: Session, octets: Uint8Array, now: Instant): ScriptingMessage | undefined {
    try {
      return readScripting(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#abort(session, error.message, now);
      return undefined;
    }
  }

  #other(session: Session, message: ScriptingMessage, now: Instant): void {
    switch (message.type) {
      case "keepAlive":
        return this.#keepAlive(session, message.extended, now);
      case "keepAliveAck":
        return;
      case "environment":
        return this.#environment(session, message, now);
      default:
        this.#abort(session, `a ${message.type} message, which only a pool element sends`, now);
    }
  }

  #keepAlive(session: Session, extended: boolean, now: Instant): void {
    if (extended && !session.extended) {
      session.extended = true;
      session.liveness.start(now);
    }
    session.owesAck = true;
    this.#answerKeepAlive(session);
  }

  /** A user that asks and asks and takes no answers gets one, when it takes it. */
  #answerKeepAlive(session: Session): void {
    const { phase, extended, blocked, owesAck } = session;
    const mayKnow = extended || phase === "working" || phase === "downloading";
    if (!owesAck || !mayKnow || blocked) return;
    session.owesAck = false;
    this.#send(session, { type: "keepAliveAck", status: 0 });
  }

  #environment(session: Session, { hash }: EnvironmentMessage, now: Instant): void {
    if (session.uploads !== "input" || session.environment !== undefined) {
      return this.#abort(session, "an Environment message at the wrong time", now);
    }
    session.environment = { hash, state: "looking" };
    this.#effect({ type: "lookForEnvironment", session: session.id, hash });
    this.#armLimit(session, now);
  }

  #environmentLooked(session: Session, found: boolean, now: Instant): void {
    const { environment } = session;
    if (session.phase !== "uploading" || environment?.state !== "looking") return;
    environment.state = found ? "there" : "missing";
    this.#report({ type: "scriptingEnvironment", session: session.id, hash: environment.hash, found });
    this.#send(session, { type: "environment", hash: environment.hash, uploadNeeded: !found });
    if (session.uploads === "nothing") this.#inputEnded(session);
    this.#armLimit(session, now);
    this.#uploadGoesOn(session, now);
  }

  #environmentChecked(session: Session, reason: string | undefined, now: Instant): void {
    const { environment } = session;
    if (session.phase !== "uploading" || environment?.state !== "checking") return;
    environment.state = "there";
    if (reason === undefined) return this.#uploadGoesOn(session, now);
    // The same package would fail everywhere: that is told as a failed job, of which there are only so many.
    this.#begin(session, now);
    this.#jobEnded(session, {
      type: "jobEnded",
      session: session.id,
      exitCode: BAD_ENVIRONMENT_STATUS,
      reason,
      hasOutput: false,
    }, now);
  }

  // --------------------------------------------------------------------------------------------------- upload

  /** Whether the octets went to the driver. */
  #upload(session: Session, data: Uint8Array, now: Instant): boolean {
    if (session.phase !== "uploading" || session.uploads === "nothing") {
      this.#abort(session, "an Upload message at the wrong time", now);
      return false;
    }
    if (data.length === 0) {
      this.#fileEnded(session, now);
      return false;
    }
    session.unstored += data.length;
    session.uploaded += data.length;
    const type = session.uploads === "input" ? "storeInput" : "storeEnvironment";
    this.#effect({ type, session: session.id, data });
    this.#armLimit(session, now);
    return true;
  }

  #stored(session: Session, octets: number, now: Instant): void {
    session.unstored -= octets;
    this.#outlet.command({ type: "consumed", session: session.id, octets });
    if (session.unstored > 0 || session.phase !== "uploading") return;
    this.#armLimit(session, now);
    this.#uploadGoesOn(session, now);
  }

  #fileEnded(session: Session, now: Instant): void {
    const wasInput = session.uploads === "input";
    session.uploads = "nothing";
    if (wasInput) this.#inputEnded(session);
    this.#armLimit(session, now);
    this.#uploadGoesOn(session, now);
  }

  /** The input is complete: now comes the environment, if it is missing. */
  #inputEnded(session: Session): void {
    if (session.environment?.state === "missing") session.uploads = "environment";
  }

  /** Takes the next step when everything that was to come is there and stored. */
  #uploadGoesOn(session: Session, now: Instant): void {
    const { environment } = session;
    if (session.phase !== "uploading" || session.uploads !== "nothing" || session.unstored > 0) return;
    switch (environment?.state) {
      case "looking":
      case "checking":
        return;
      case "missing":
        environment.state = "checking";
        return this.#effect({ type: "checkEnvironment", session: session.id, hash: environment.hash });
      case "there":
      case undefined:
        this.#begin(session, now);
        return this.#effect({ type: "runJob", session: session.id });
    }
  }

  /** Tells the user that its job is begun. */
  #begin(session: Session, now: Instant): void {
    session.phase = "working";
    this.#limits.clear(session.id);
    const { id, uploaded, startedAt } = session;
    this.#report({
      type: "scriptingWorking",
      session: id,
      uploadedBytes: uploaded,
      uploadMs: now - startedAt,
    });
    session.startedAt = now;
    this.#send(session, { type: "status", status: 0 });
    this.#answerKeepAlive(session);
    this.#sendKeepAlive(session, now); // at once, as RSPLIB's server does
  }

  // ------------------------------------------------------------------------------------------------- download

  #jobEnded(session: Session, { exitCode, reason, hasOutput }: JobEnded, now: Instant): void {
    if (session.phase !== "working") return;
    if (exitCode === JobStatus.serverFailure) {
      return this.#giveUp(session, reason ?? describeJobStatus(exitCode), now);
    }
    const lacksOutput = exitCode === 0 && !hasOutput;
    const status = lacksOutput ? NO_OUTPUT_STATUS : exitCode >>> 0;
    const words = reason ?? (lacksOutput ? "the job ended well, but left no output" : undefined);
    this.#report({
      type: "scriptingJobEnded",
      session: session.id,
      status,
      reason: words,
      processingMs: now - session.startedAt,
    });
    if (words !== undefined) this.#say(session, words);
    session.phase = "downloading";
    session.startedAt = now;
    if (!session.extended) session.liveness.stop(); // RSPLIB's users expect no KeepAlive any more
    this.#armKeepAlive(session);
    this.#send(session, { type: "status", status });
    if (hasOutput) this.#readOutput(session);
    else this.#downloadEnded(session, now);
  }

  #readOutput(session: Session): void {
    if (session.phase !== "downloading" || session.blocked || session.reading) return;
    session.reading = true;
    this.#effect({ type: "readOutput", session: session.id, maxBytes: OUTPUT_CHUNK });
  }

  #outputRead(session: Session, data: Uint8Array, now: Instant): void {
    if (!session.reading) return;
    session.reading = false;
    if (data.length === 0) return this.#downloadEnded(session, now);
    session.downloaded += data.length;
    for (let offset = 0; offset < data.length; offset += MAX_SCRIPTING_DATA) {
      this.#send(session, pieceOf("download", data, offset));
    }
    this.#readOutput(session);
  }

  #downloadEnded(session: Session, now: Instant): void {
    this.#send(session, { type: "download", data: new Uint8Array() });
    const { id, downloaded, startedAt } = session;
    this.#report({
      type: "scriptingDone",
      session: id,
      downloadedBytes: downloaded,
      downloadMs: now - startedAt,
    });
    this.#leave(session, "shutdown", now);
  }

  #print(session: Session, channel: PrintChannel, data: Uint8Array): void {
    if (!session.extended) return;
    for (let offset = 0; offset < data.length; offset += MAX_SCRIPTING_DATA) {
      const piece = data.subarray(offset, offset + MAX_SCRIPTING_DATA);
      this.#send(session, { type: "print", channel, data: piece });
    }
  }

  #say(session: Session, text: string): void {
    this.#print(session, "server", encodeText(text));
  }

  // --------------------------------------------------------------------------------------------------- timers

  #writable(session: Session, now: Instant): void {
    session.blocked = false;
    this.#answerKeepAlive(session);
    session.liveness.excuse(now);
    this.#armKeepAlive(session);
    this.#armLimit(session, now);
    this.#readOutput(session);
  }

  /** The limit of whatever the user has to do next; none while it is this side's turn. */
  #armLimit(session: Session, now: Instant): void {
    const { phase, uploads, blocked, unstored } = session;
    if (phase === "closing") return;
    const uploading = phase === "uploading" && uploads !== "nothing" && unstored === 0;
    if (blocked || uploading) this.#limits.set(session.id, now + this.#options.transmitTimeoutMs);
    else this.#limits.clear(session.id);
  }

  #limitReached(session: Session, now: Instant): void {
    const what = session.blocked ? "takes nothing" : "sends nothing";
    this.#abort(session, `the user ${what} for ${this.#options.transmitTimeoutMs / 1000} s`, now);
  }

  #armKeepAlive(session: Session): void {
    const next = session.phase === "closing" ? undefined : session.liveness.next();
    if (next === undefined) this.#keepAlives.clear(session.id);
    else if (this.#keepAlives.dueAt(session.id) !== next) this.#keepAlives.set(session.id, next);
  }

  #keepAliveDue(session: Session, now: Instant): void {
    // A KeepAlive behind data that the user does not take says nothing: the limit counts then.
    if (session.blocked) session.liveness.excuse(now);
    const due = session.liveness.due(now);
    if (due === "gone") return this.#abort(session, "the user does not answer keep-alives", now);
    if (due === "send") this.#sendKeepAlive(session, now);
    this.#armKeepAlive(session);
  }

  #sendKeepAlive(session: Session, now: Instant): void {
    this.#send(session, { type: "keepAlive", extended: false });
    session.liveness.sent(now);
    this.#armKeepAlive(session);
  }

  // ---------------------------------------------------------------------------------------------------- words

  #updateLoad(): void {
    this.#outlet.command({ type: "setLoad", load: this.jobCount / this.#options.maxSessions });
  }

  #send(session: Session, message: ScriptingMessage): void {
    const data = writeScripting(message);
    this.#outlet.command({ type: "send", session: session.id, ppid: Ppid.scripting, data });
  }

  #effect(effect: ScriptingServerEffect): void {
    this.#outlet.effect(effect);
  }

  #report(report: ScriptingServerReport): void {
    this.#outlet.report(report);
  }
}
