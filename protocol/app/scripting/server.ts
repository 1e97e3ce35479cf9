import type { Instant, TransportAddress } from "../../net.ts";
import type { SessionEvent, SessionId } from "../../session/types.ts";
import { DecodeError } from "../../wire/errors.ts";
import type { Application, ApplicationOutlet } from "../application.ts";
import { Liveness } from "./liveness.ts";
import { NotReadyReason, readScripting } from "./messages.ts";
import type { ScriptingMessage } from "./messages.ts";
import { ScriptingPost } from "./post.ts";
import { ServerDownload } from "./server_download.ts";
import { newSession } from "./server_session.ts";
import type { ScriptingSession as Session } from "./server_session.ts";
import { ServerUpload } from "./server_upload.ts";
import { ServerWatch } from "./server_watch.ts";
import type { ScriptingServerEffect, ScriptingServerInput, ScriptingServerReport } from "./types.ts";

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
 *
 *     opening --workspace--> uploading --all is there--> working --job ended--> downloading --end--> closing
 *        \------------------------\------------- full, failed, silent -----------------------------> closing
 *
 * This file has a session's beginning and its ends, and says whose business a message is. `server_upload.ts` is what comes
 * before a job, `server_download.ts` what comes back of it; `server_watch.ts` finds out which users have gone.
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
  readonly #post: ScriptingPost;
  readonly #watch: ServerWatch;
  readonly #upload: ServerUpload;
  readonly #download: ServerDownload;
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
    const post = new ScriptingPost((command) => outlet.command(command));
    const abort = (session: Session, reason: string, now: Instant) => this.#abort(session, reason, now);
    const giveUp = (session: Session, reason: string, now: Instant) => this.#giveUp(session, reason, now);
    const watch = new ServerWatch(this.#options, { post, sessions: this.#sessions, abort });
    const download = new ServerDownload({
      outlet,
      post,
      watch,
      giveUp,
      done: (session, now) => this.#leave(session, "shutdown", now),
    });
    this.#post = post;
    this.#watch = watch;
    this.#upload = new ServerUpload({ outlet, post, watch, download, giveUp, abort });
    this.#download = download;
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
        return this.#watch.blocked(session, now);
      case "sessionWritable":
        this.#watch.writable(session, now);
        return this.#download.readOn(session);
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
    if (input.type === "stored") this.#upload.stored(session, input.octets, now);
    if (session.phase === "closing") return;
    switch (input.type) {
      case "workspaceReady":
        return this.#upload.ready(session, this.#options.info, now);
      case "workspaceFailed":
        return this.#refuse(session, NotReadyReason.outOfResources, input.reason, now);
      case "stored":
        return;
      case "storeFailed":
        return this.#giveUp(session, input.reason, now);
      case "environmentLooked":
        return this.#upload.environmentLooked(session, input.found, now);
      case "environmentChecked":
        return this.#upload.environmentChecked(session, input.failure, now);
      case "jobPrinted":
        return this.#download.print(session, input.channel, input.data);
      case "jobEnded":
        return this.#download.jobEnded(session, input, now);
      case "outputRead":
        return this.#download.outputRead(session, input.data, now);
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
    this.#watch.tick(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#watch.nextTimeout();
  }

  // ---------------------------------------------------------------------------------------- beginning and end

  #opened(id: SessionId, peer: readonly TransportAddress[], now: Instant): void {
    const full = this.#stopping || this.jobCount >= this.#options.maxSessions;
    const session = newSession(id, new Liveness(this.#options), now);
    this.#sessions.set(id, session);
    if (full) {
      session.phase = "closing";
      this.#outlet.report({ type: "scriptingFull", session: id, peer });
      this.#post.send(session.id, {
        type: "notReady",
        reason: NotReadyReason.fullyLoaded,
        info: this.#options.info,
      });
      return this.#close(session, "shutdown", now);
    }
    this.#outlet.report({ type: "scriptingStarted", session: id, peer, jobCount: this.jobCount });
    this.#updateLoad();
    this.#outlet.effect({ type: "openWorkspace", session: id });
  }

  /** There is no place for the job here: another server may have one. */
  #refuse(session: Session, reason: number, text: string, now: Instant): void {
    this.#outlet.report({ type: "scriptingFailed", session: session.id, reason: text });
    this.#post.send(session.id, { type: "notReady", reason, info: this.#options.info });
    this.#leave(session, "shutdown", now);
  }

  /** The job cannot be done here: another server may be able to. In order, so that what is said of it arrives. */
  #giveUp(session: Session, reason: string, now: Instant): void {
    this.#outlet.report({ type: "scriptingFailed", session: session.id, reason });
    this.#download.say(session, reason);
    this.#leave(session, "shutdown", now);
  }

  /** The user has gone, or breaks the protocol. */
  #abort(session: Session, reason: string, now: Instant): void {
    if (session.phase !== "closing") {
      this.#outlet.report({ type: "scriptingFailed", session: session.id, reason });
    }
    this.#leave(session, "abort", now);
  }

  /** Ends a job, whatever is under way, and frees its place. */
  #leave(session: Session, how: "shutdown" | "abort", now: Instant): void {
    if (session.phase !== "closing") {
      session.phase = "closing";
      this.#outlet.effect({ type: "discardWorkspace", session: session.id });
      this.#updateLoad();
    }
    this.#close(session, how, now);
  }

  #close(session: Session, how: "shutdown" | "abort", now: Instant): void {
    this.#outlet.command({ type: "closeSession", session: session.id, how });
    this.#watch.closing(session, now);
  }

  #closed(session: Session, reason: string): void {
    this.#sessions.delete(session.id);
    this.#watch.forget(session);
    if (session.phase === "closing") return;
    session.phase = "closing";
    this.#outlet.report({
      type: "scriptingFailed",
      session: session.id,
      reason: `the user has left: ${reason}`,
    });
    this.#outlet.effect({ type: "discardWorkspace", session: session.id });
    this.#updateLoad();
  }

  #updateLoad(): void {
    this.#outlet.command({ type: "setLoad", load: this.jobCount / this.#options.maxSessions });
  }

  // ------------------------------------------------------------------------------------------------- messages

  #message(session: Session, octets: Uint8Array, now: Instant): void {
    session.liveness.heard();
    const message = session.phase === "closing" ? undefined : this.#read(session, octets, now);
    const stored = message?.type === "upload" && this.#upload.upload(session, message.data, now)
      ? message.data.length
      : 0;
    // What the driver stores is consumed when it has.
    this.#post.consumed(session.id, octets.length - stored);
    if (message !== undefined && message.type !== "upload") this.#other(session, message, now);
    this.#watch.heard(session, now);
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
        return this.#watch.keepAlive(session, message.extended, now);
      case "keepAliveAck":
        return;
      case "environment":
        return this.#upload.environment(session, message, now);
      default:
        this.#abort(session, `a ${message.type} message, which only a pool element sends`, now);
    }
  }
}
