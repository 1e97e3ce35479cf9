/** A pool of scripting services and their users in virtual time. Drivers are played: a job turns its input round. */
import assert from "node:assert/strict";
import { ApplicationMachine } from "../../../../protocol/app/application.ts";
import type { ApplicationEffect, ApplicationInput } from "../../../../protocol/app/application.ts";
import { ScriptingClient } from "../../../../protocol/app/scripting/client.ts";
import type { ScriptingClientOptions } from "../../../../protocol/app/scripting/client.ts";
import type {
  JobResult,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientReport,
} from "../../../../protocol/app/scripting/client_types.ts";
import { ScriptingServer } from "../../../../protocol/app/scripting/server.ts";
import type {
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerReport,
} from "../../../../protocol/app/scripting/types.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../../../protocol/session/mod.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import type { Process } from "../../message_network.ts";
import { LEAST_USED, reportsOf, World } from "../../session/world.ts";

const POOL = encodeText("ScriptingPool");

/** Steps of the played drivers, in milliseconds. */
const STEP_MS = 5;

type UserProcess = Process<
  ApplicationInput<ScriptingClientInput>,
  ApplicationEffect<ScriptingClientEffect, ScriptingClientReport>
>;
type ServerProcess = Process<
  ApplicationInput<ScriptingServerInput>,
  ApplicationEffect<ScriptingServerEffect, ScriptingServerReport>
>;

/** A service. */
export interface Server {
  readonly process: ServerProcess;
  readonly app: ScriptingServer;
  /** Directories that there are. */
  readonly workspaces: Map<number, { input: number[]; environment: number[]; read: number }>;
  /** Environments that it keeps. */
  readonly cache: Map<string, number[]>;
  killed: boolean;
}

/** A user with its files. */
export interface User {
  readonly process: UserProcess;
  readonly inputs: Map<number, Uint8Array>;
  readonly environment: Uint8Array;
  readonly outputs: Map<number, number[]>;
}

/** What a job makes of its input. */
export function turned(input: Iterable<number>, environment: Iterable<number> = []): number[] {
  return [...input].reverse().concat([...environment]);
}

/** A registrar, services and users. */
export class Lab {
  readonly world: World;
  readonly servers: Server[] = [];
  readonly users: User[] = [];
  readonly #prng: Prng;
  readonly #later: { readonly at: number; readonly run: () => void }[] = [];

  constructor(seed: number) {
    this.#prng = new Prng(seed);
    this.world = new World(seed);
    this.world.registrar();
  }

  /** @param exitCode how a job ends at this server, by the number of jobs before it */
  server(
    elementId: number,
    maxSessions = 1,
    workMs = 3000,
    exitCode: (job: number) => number = () => 0,
  ): Server {
    const host = new ServiceHost({
      elementId,
      poolHandle: POOL,
      policy: LEAST_USED,
      seed: elementId,
      manualReceive: true,
    });
    let app: ScriptingServer | undefined;
    const machine = new ApplicationMachine<
      ScriptingServerInput,
      ScriptingServerEffect,
      ScriptingServerReport
    >(
      host,
      (outlet) => app = new ScriptingServer(outlet, { maxSessions, info: encodeText(`pe${elementId}`) }),
    );
    const process: ServerProcess = this.world.network.spawn(
      this.world.host(),
      `server ${elementId}`,
      machine,
      {
        endpoints: { hunt: { listen: true }, data: { listen: true } },
        channels: { "asap-announce": { group: "asap" } },
      },
    );
    const server: Server = { process, app: app!, workspaces: new Map(), cache: new Map(), killed: false };
    this.servers.push(server);
    let jobs = 0;
    process.onEffect = (effect) => {
      if (effect.type === "report" || effect.type === "stopped") return;
      this.#serve(server, effect, workMs, () => exitCode(jobs++));
    };
    return server;
  }

  user(options: Partial<ScriptingClientOptions> = {}): User {
    const seed = 1000 * (this.users.length + 1);
    const sessions = new SessionClient({ seed, manualReceive: true });
    const machine = new ApplicationMachine<
      ScriptingClientInput,
      ScriptingClientEffect,
      ScriptingClientReport
    >(
      sessions,
      (outlet) => new ScriptingClient(outlet, { poolHandle: POOL, prng: new Prng(seed), ...options }),
    );
    const process: UserProcess = this.world.network.spawn(
      this.world.host(),
      `user ${this.users.length}`,
      machine,
      { endpoints: sessionClientEndpoints(6), channels: { "asap-announce": { group: "asap" } } },
    );
    const environment = this.#noise(40_000);
    const user: User = { process, inputs: new Map(), environment, outputs: new Map() };
    this.users.push(user);
    process.onEffect = (effect) => {
      if (effect.type === "report" || effect.type === "stopped") return;
      this.#work(user, effect);
    };
    return user;
  }

  submit(user: User, job: number, length: number, environment?: Uint8Array): void {
    user.inputs.set(job, this.#noise(length));
    user.process.input({ type: "submitJob", job, environment });
  }

  kill(server: Server, how: "abort" | "silent"): void {
    server.killed = true;
    this.world.network.kill(server.process, how);
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const { network } = this.world;
    const end = network.now + durationMs;
    while (network.now < end) {
      network.run(Math.min(STEP_MS, end - network.now));
      const due = this.#later.filter(({ at }) => at <= network.now);
      for (const one of due) {
        this.#later.splice(this.#later.indexOf(one), 1);
        one.run();
      }
    }
  }

  /** Lets time pass until these jobs of a user have ended. */
  results(user: User, jobs: number, limitMs = 600_000): JobResult[] {
    const end = this.world.network.now + limitMs;
    const done = () => reportsOf(user.process, "jobDone");
    while (done().length < jobs) {
      assert.ok(this.world.network.now < end, `${jobs} jobs in time, not ${done().length}`);
      this.run(100);
    }
    return done().map(({ result }) => result);
  }

  #noise(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#prng.below(256));
  }

  /** Does something after a while, which a disk or a job takes. */
  #after(delayMs: number, run: () => void): void {
    this.#later.push({ at: this.world.network.now + delayMs, run });
  }

  #serve(server: Server, effect: ScriptingServerEffect, workMs: number, exitCode: () => number): void {
    const { session } = effect;
    const answer = (input: ScriptingServerInput, delayMs = this.#prng.below(20)) =>
      this.#after(delayMs, () => server.killed ? undefined : server.process.input(input));
    if (effect.type === "openWorkspace") {
      server.workspaces.set(session, { input: [], environment: [], read: 0 });
      return answer({ type: "workspaceReady", session });
    }
    const workspace = server.workspaces.get(session);
    assert.ok(workspace !== undefined, `${effect.type} is for a session with a workspace`);
    switch (effect.type) {
      case "storeInput":
        workspace.input.push(...effect.data);
        return answer({ type: "stored", session, octets: effect.data.length });
      case "storeEnvironment":
        workspace.environment.push(...effect.data);
        return answer({ type: "stored", session, octets: effect.data.length });
      case "lookForEnvironment": {
        const found = server.cache.get(effect.hash.toHex());
        workspace.environment = found ?? [];
        return answer({ type: "environmentLooked", session, found: found !== undefined });
      }
      case "checkEnvironment":
        server.cache.set(effect.hash.toHex(), workspace.environment);
        return answer({ type: "environmentChecked", session, failure: undefined });
      case "runJob": {
        const end = { type: "jobEnded", reason: undefined, hasOutput: true } as const;
        return answer({ ...end, session, exitCode: exitCode() }, workMs);
      }
      case "readOutput": {
        const whole = turned(workspace.input, workspace.environment);
        const data = Uint8Array.from(whole.slice(workspace.read, workspace.read + effect.maxBytes));
        workspace.read += data.length;
        return answer({ type: "outputRead", session, data });
      }
      case "discardWorkspace":
        server.workspaces.delete(session);
        return;
    }
  }

  #work(user: User, effect: ScriptingClientEffect): void {
    const { job, run } = effect;
    const answer = (input: ScriptingClientInput) =>
      this.#after(this.#prng.below(20), () => user.process.input(input));
    switch (effect.type) {
      case "readFile": {
        const whole = effect.file === "input" ? user.inputs.get(job)! : user.environment;
        const data = whole.slice(effect.offset, effect.offset + effect.maxBytes);
        return answer({ type: "fileRead", job, run, data });
      }
      case "beginOutput":
      case "discardOutput":
        user.outputs.set(job, []);
        return;
      case "writeOutput":
        user.outputs.get(job)!.push(...effect.data);
        return answer({ type: "outputWritten", job, run, octets: effect.data.length });
      case "finishOutput":
        return answer({ type: "outputFinished", job, run });
      case "print":
        return;
    }
  }
}
