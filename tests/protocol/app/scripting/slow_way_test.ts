/** A scripting service whose user is at the other end of a slow way: the embedded stack in virtual time. */
import assert from "node:assert/strict";
import { ApplicationMachine } from "../../../../protocol/app/application.ts";
import type { ApplicationInput } from "../../../../protocol/app/application.ts";
import { SCRIPTING_ENDPOINT } from "../../../../protocol/app/scripting/endpoint.ts";
import { readScripting, writeScripting } from "../../../../protocol/app/scripting/messages.ts";
import type { ScriptingMessage } from "../../../../protocol/app/scripting/messages.ts";
import { ScriptingServer } from "../../../../protocol/app/scripting/server.ts";
import type {
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "../../../../protocol/app/scripting/types.ts";
import { Ppid } from "../../../../protocol/net.ts";
import type { Endpoint, TransportEvent } from "../../../../protocol/net.ts";
import { ServiceHost } from "../../../../protocol/session/mod.ts";
import type { LinkConditions } from "../../../../protocol/sim/link.ts";
import { SimulatedNetwork } from "../../../../protocol/sim/network.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { hmacSha256 } from "../../sim/mac.ts";

/** RSPLIB's (reference/rsplib.md §5.5). */
const KEEP_ALIVE_INTERVAL_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 10_000;

const FILE = new Uint8Array(512 * 1024);

class SlowWay {
  readonly network: SimulatedNetwork = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  /** How long each KeepAlive took to be answered. */
  readonly answeredAfterMs: number[] = [];
  downloaded = 0;
  done = false;
  down: TransportEvent | undefined;
  readonly #machine: ApplicationMachine<ScriptingServerInput, ScriptingServerEffect, ScriptingServerReport>;
  readonly #resultOctets: number;
  readonly #server: Endpoint;
  readonly #user: Endpoint;
  #read = 0;
  #association = 0;
  #askedAt: number | undefined;

  constructor(way: Partial<LinkConditions>, resultOctets: number) {
    this.#resultOctets = resultOctets;
    const segment = this.network.addSegment(way);
    const serverHost = this.network.addHost([segment]), userHost = this.network.addHost([segment]);
    const host = new ServiceHost({
      elementId: 1,
      poolHandle: encodeText("ScriptingPool"),
      policy: { name: "RoundRobin", type: 1 },
      seed: 1,
      manualReceive: true,
    });
    const options = { maxSessions: 1, info: encodeText("pe") };
    this.#machine = new ApplicationMachine(host, (outlet) => new ScriptingServer(outlet, options));
    this.#server = serverHost.open({ ...SCRIPTING_ENDPOINT, port: 7, listen: true }, (events) => {
      for (const event of events) this.#tell({ type: "transport", endpoint: "data", event });
    });
    const { port, addresses } = this.#server;
    this.#tell({ type: "endpointOpened", endpoint: "data", port, addresses });
    this.#tell({ type: "start" });
    this.#user = userHost.open({}, (events) => {
      for (const event of events) this.#userEvent(event);
    });
    this.#user.execute({ type: "connect", request: 1, addresses: serverHost.addresses, port: 7 });
  }

  // ------------------------------------------------------------------------------------------------ the server

  #tell(input: ApplicationInput<ScriptingServerInput>): void {
    this.#machine.handle(input, this.network.now);
    for (const effect of this.#machine.drain()) {
      if (effect.type === "transport" && effect.endpoint === "data") this.#server.execute(effect.command);
      else this.#carryOut(effect);
    }
  }

  /** A driver whose disk is quick, and whose jobs take no time. */
  #carryOut(effect: { readonly type: string; readonly maxBytes?: number }): void {
    const session = 1;
    const answer = (input: ScriptingServerInput) => this.network.schedule(1, () => this.#tell(input));
    switch (effect.type) {
      case "openWorkspace":
        return answer({ type: "workspaceReady", session });
      case "runJob":
        return answer({ type: "jobEnded", session, exitCode: 0, reason: undefined, hasOutput: true });
      case "readOutput": {
        const length = Math.min(effect.maxBytes ?? 0, this.#resultOctets - this.#read);
        this.#read += length;
        return answer({ type: "outputRead", session, data: FILE.subarray(0, length) });
      }
    }
  }

  // ---------------------------------------------------------------------------------------- RSPLIB's pool user

  #say(message: ScriptingMessage): void {
    if (this.down !== undefined) return;
    const data = writeScripting(message);
    this.#user.execute({ type: "send", association: this.#association, ppid: Ppid.scripting, data });
  }

  #userEvent(event: TransportEvent): void {
    if (event.type === "up") this.#association = event.association;
    else if (event.type === "down") this.down = event;
    else if (event.type === "message") this.#hear(readScripting(event.data));
  }

  #hear(message: ScriptingMessage): void {
    switch (message.type) {
      case "ready":
        return this.#say({ type: "upload", data: new Uint8Array() });
      case "status":
        if (this.#askedAt === undefined) this.#keepAlive();
        return;
      case "keepAlive":
        return this.#say({ type: "keepAliveAck", status: undefined });
      case "keepAliveAck":
        this.answeredAfterMs.push(this.network.now - this.#askedAt!);
        return this.network.schedule(KEEP_ALIVE_INTERVAL_MS, () => this.#keepAlive());
      case "download":
        this.downloaded += message.data.length;
        this.done ||= message.data.length === 0;
    }
  }

  #keepAlive(): void {
    this.#askedAt = this.network.now;
    this.#say({ type: "keepAlive", extended: false });
  }
}

const WAYS: readonly (readonly [name: string, octetsPerSecond: number, way: Partial<LinkConditions>])[] = [
  ["30 KB/s", 30_000, {}],
  ["200 KB/s", 200_000, {}],
  ["30 KB/s with a round trip of half a second", 30_000, { delayMs: 250 }],
  ["500 KB/s with a round trip of half a second", 500_000, { delayMs: 250 }],
];

for (const [name, octetsPerSecond, way] of WAYS) {
  Deno.test(`a scripting service answers KeepAlives in time in the midst of a download, at ${name}`, () => {
    const seconds = 80, resultOctets = octetsPerSecond * seconds;
    const lab = new SlowWay({ bitsPerSecond: 8 * octetsPerSecond, ...way }, resultOctets);
    lab.network.runUntil(() => lab.done || lab.down !== undefined, 1.25 * seconds * 1000);
    assert.equal(lab.downloaded, resultOctets, "the way is made use of");
    const most = Math.max(...lab.answeredAfterMs);
    assert.ok(lab.answeredAfterMs.length > 5, `${lab.answeredAfterMs.length} answers`);
    assert.ok(most < KEEP_ALIVE_TIMEOUT_MS / 2, `an answer took ${most} ms`);
  });
}
