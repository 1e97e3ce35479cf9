/** A scripting pool user above sessions and files that the test plays. */
import assert from "node:assert/strict";
import { ScriptingClient } from "../../../../protocol/app/scripting/client.ts";
import type { ScriptingClientOptions } from "../../../../protocol/app/scripting/client.ts";
import type {
  JobResult,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "../../../../protocol/app/scripting/client_types.ts";
import { readScripting, writeScripting } from "../../../../protocol/app/scripting/messages.ts";
import type { ScriptingMessage } from "../../../../protocol/app/scripting/messages.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { messageOctets, Ppid } from "../../../../protocol/net.ts";
import type { SessionCommand, SessionLoss } from "../../../../protocol/session/types.ts";
import { encodeText, showText } from "../../../../protocol/wire/text.ts";
import { messageWords } from "./server_bench.ts";

/** What the driver answers for job 1, without job and run. */
type Answer = ScriptingClientInput extends infer Each
  ? Each extends unknown ? Omit<Each, "job" | "run"> : never
  : never;

export class ClientBench {
  readonly client: ScriptingClient;
  readonly reports: ScriptingClientReport[] = [];
  now = 0;
  /** Octets of messages from servers, and those that were given back to them. */
  received = 0;
  consumed = 0;
  /** Of the last effect that had one. */
  run = 0;
  #words: string[] = [];

  constructor(options: Partial<ScriptingClientOptions> = {}) {
    const outlet = {
      command: (command: SessionCommand) => this.#command(command),
      effect: (effect: ScriptingClientEffect) => this.#effect(effect),
      report: (report: ScriptingClientReport) => void this.reports.push(report),
    };
    const poolHandle = encodeText("ScriptingPool");
    this.client = new ScriptingClient(outlet, { poolHandle, prng: new Prng(1), ...options });
  }

  submit(environment?: Uint8Array): void {
    this.client.input({ type: "submitJob", job: 1, environment }, this.now);
  }

  /** An element was found. */
  open(elementId = 7): void {
    const peer = [{ address: "10.1.0.9", port: 5000 }] as const;
    this.client.sessionEvent({ type: "sessionOpened", session: 1, peer, elementId }, this.now);
  }

  /** A server greets. */
  ready(extended = false): void {
    this.message({ type: "ready", info: encodeText("pe"), extended });
  }

  /** A job that is being uploaded, with its words read. */
  uploading(extended = false, environment?: Uint8Array): void {
    this.submit(environment);
    this.open();
    this.ready(extended);
    this.words();
  }

  /** A job whose input of 3 octets is uploaded. */
  uploaded(extended = false): void {
    this.uploading(extended);
    this.read(3);
    this.read(0);
    this.words();
  }

  /** A job that the server works on. */
  processing(extended = false): void {
    this.uploaded(extended);
    this.message({ type: "status", status: 0 });
    this.words();
  }

  message(message: ScriptingMessage): void {
    this.octets(writeScripting(message));
  }

  octets(data: Uint8Array): void {
    this.received += data.length;
    const event = { type: "sessionMessage", session: 1, ppid: Ppid.scripting, stream: 0, data } as const;
    this.client.sessionEvent(event, this.now);
  }

  download(length: number): void {
    this.message({ type: "download", data: new Uint8Array(length) });
  }

  event(type: "sessionBlocked" | "sessionWritable"): void {
    this.client.sessionEvent({ type, session: 1 }, this.now);
  }

  failover(state: "necessary" | "complete", loss: SessionLoss = "silent", elementId = 8): void {
    const event = { type: "sessionFailover", session: 1, hasCookie: false, reason: "gone" } as const;
    this.client.sessionEvent(
      { ...event, state, loss: state === "complete" ? undefined : loss, elementId },
      this.now,
    );
  }

  closed(): void {
    this.client.sessionEvent({ type: "sessionClosed", session: 1, reason: "closed" }, this.now);
  }

  /** A file has so many more octets. */
  read(length: number): void {
    this.answer({ type: "fileRead", data: new Uint8Array(length) });
  }

  answer(answer: Answer, run: number = this.run): void {
    this.client.input({ ...answer, job: 1, run } as ScriptingClientInput, this.now);
  }

  /** Lets time pass up to an instant, timer by timer. */
  until(instant: number): void {
    for (let due = this.client.nextTimeout(); due !== undefined && due <= instant;) {
      assert.ok(due >= this.now, "time does not go back");
      this.now = due;
      this.client.tick(due);
      due = this.client.nextTimeout();
    }
    this.now = instant;
  }

  /** What was said and asked since the last call, in short words. */
  words(): string[] {
    return this.#words.splice(0);
  }

  /** How the job ended. */
  result(): JobResult {
    const done = this.reports.find((report) => report.type === "jobDone");
    assert.ok(done !== undefined, "the job has ended");
    return done.result;
  }

  #command(command: SessionCommand): void {
    switch (command.type) {
      case "consumed":
        this.consumed += command.octets;
        return;
      case "send":
        assert.equal(command.ppid, Ppid.scripting);
        return void this.#words.push(messageWords(readScripting(messageOctets(command))));
      case "closeSession":
        return void this.#words.push(command.how);
      case "failover":
        return void this.#words.push(command.reportUnreachable ? "failover, unreachable" : "failover");
      case "openSession":
        return void this.#words.push("open");
      default:
        assert.fail(`a pool user does not ask for ${command.type}`);
    }
  }

  #effect(effect: ScriptingClientEffect): void {
    this.run = effect.run;
    switch (effect.type) {
      case "readFile":
        return void this.#words.push(`> read ${effect.file} ${effect.offset}`);
      case "print":
        return void this.#words.push(`> print ${effect.channel} ${showText(effect.data)}`);
      case "writeOutput":
        return void this.#words.push(`> write ${effect.data.length}`);
      default:
        this.#words.push(`> ${effect.type}`);
    }
  }
}
