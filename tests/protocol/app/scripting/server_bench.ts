/** A scripting server above sessions and a driver that the test plays. */
import assert from "node:assert/strict";
import { readScripting, writeScripting } from "../../../../protocol/app/scripting/messages.ts";
import type { ScriptingMessage } from "../../../../protocol/app/scripting/messages.ts";
import { ScriptingServer } from "../../../../protocol/app/scripting/server.ts";
import type { ScriptingServerOptions } from "../../../../protocol/app/scripting/server.ts";
import type {
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "../../../../protocol/app/scripting/types.ts";
import { messageOctets, Ppid } from "../../../../protocol/net.ts";
import type { SessionCommand } from "../../../../protocol/session/types.ts";
import { encodeText, showText } from "../../../../protocol/wire/text.ts";

/** SHA-1 of nothing. */
export const HASH: Uint8Array = Uint8Array.fromHex("da39a3ee5e6b4b0d3255bfef95601890afd80709");

/** A driver's answer without the session. */
type Answer = ScriptingServerInput extends infer Each ? Each extends unknown ? Omit<Each, "session"> : never
  : never;

/** A message in short words: `status 3`, `upload 5`, `keepAlive!` (`!` = extended). */
export function messageWords(message: ScriptingMessage): string {
  switch (message.type) {
    case "notReady":
      return `notReady ${message.reason}`;
    case "ready":
      return `ready ${showText(message.info)}${message.extended ? "!" : ""}`;
    case "upload":
    case "download":
      return `${message.type} ${message.data.length}`;
    case "keepAlive":
      return `keepAlive${message.extended ? "!" : ""}`;
    case "keepAliveAck":
      return "ack";
    case "status":
      return `status ${message.status}`;
    case "environment":
      return `environment${message.uploadNeeded ? " needed" : ""}`;
    case "print":
      return `print ${message.channel} ${showText(message.data)}`;
  }
}

export class ServerBench {
  readonly server: ScriptingServer;
  readonly reports: ScriptingServerReport[] = [];
  now = 0;
  /** Octets of messages that the users have sent, and those that were given back to them. */
  received = 0;
  consumed = 0;
  #words: string[] = [];

  constructor(options: Partial<ScriptingServerOptions> = {}) {
    const outlet = {
      command: (command: SessionCommand) => this.#command(command),
      effect: (effect: ScriptingServerEffect) => this.#effect(effect),
      report: (report: ScriptingServerReport) => void this.reports.push(report),
    };
    this.server = new ScriptingServer(outlet, { maxSessions: 2, info: encodeText("pe"), ...options });
  }

  open(session = 1): void {
    const peer = [{ address: "10.1.0.9", port: 5000 }] as const;
    this.server.sessionEvent({ type: "sessionOpened", session, peer, elementId: 1 }, this.now);
  }

  /** A session with a workspace. */
  ready(session = 1): void {
    this.open(session);
    this.answer({ type: "workspaceReady" }, session);
    this.words();
  }

  message(message: ScriptingMessage, session = 1): void {
    this.octets(writeScripting(message), session);
  }

  octets(data: Uint8Array, session = 1, ppid: number = Ppid.scripting): void {
    this.received += data.length;
    this.server.sessionEvent({ type: "sessionMessage", session, ppid, stream: 0, data }, this.now);
  }

  upload(length: number, session = 1): void {
    this.message({ type: "upload", data: new Uint8Array(length) }, session);
  }

  keepAlive(extended = false): void {
    this.message({ type: "keepAlive", extended });
  }

  event(type: "sessionBlocked" | "sessionWritable", session = 1): void {
    this.server.sessionEvent({ type, session }, this.now);
  }

  close(session = 1): void {
    this.server.sessionEvent({ type: "sessionClosed", session, reason: "gone" }, this.now);
  }

  answer(answer: Answer, session = 1): void {
    this.server.input({ ...answer, session } as ScriptingServerInput, this.now);
  }

  /** A session whose job runs. */
  working(extended = false): void {
    this.ready();
    if (extended) this.keepAlive(true);
    this.upload(0);
    this.words();
  }

  end(exitCode: number, hasOutput = true, reason?: string): void {
    this.answer({ type: "jobEnded", exitCode, reason, hasOutput });
  }

  /** Lets time pass up to an instant, timer by timer. */
  until(instant: number): void {
    for (let due = this.server.nextTimeout(); due !== undefined && due <= instant;) {
      assert.ok(due >= this.now, "time does not go back");
      this.now = due;
      this.server.tick(due);
      due = this.server.nextTimeout();
    }
    this.now = instant;
  }

  /** What was said and asked since the last call, in short words; what was consumed is summed up. */
  words(): string[] {
    return this.#words.splice(0);
  }

  #command(command: SessionCommand): void {
    switch (command.type) {
      case "consumed":
        this.consumed += command.octets;
        return;
      case "send":
        assert.equal(command.ppid, Ppid.scripting);
        return this.#say(messageWords(readScripting(messageOctets(command))), command.session);
      case "closeSession":
        return this.#say(command.how, command.session);
      case "setLoad":
        return void this.#words.push(`load ${command.load}`);
      default:
        assert.fail(`a server does not ask for ${command.type}`);
    }
  }

  #effect(effect: ScriptingServerEffect): void {
    const length = "data" in effect ? ` ${effect.data.length}` : "";
    this.#say(`> ${effect.type}${length}`, effect.session);
  }

  #say(text: string, session: number): void {
    this.#words.push(session === 1 ? text : `${session}: ${text}`);
  }
}
