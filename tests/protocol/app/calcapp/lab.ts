/** A pool of CalcApp services and their users in virtual time, with a check that no calculation is lost. */
import assert from "node:assert/strict";
import { ApplicationMachine } from "../../../../protocol/app/application.ts";
import type { ApplicationEffect, ApplicationInput } from "../../../../protocol/app/application.ts";
import { CalcAppClient, CalcAppServer } from "../../../../protocol/app/calcapp/mod.ts";
import type {
  CalcAppClientInput,
  CalcAppClientOptions,
  CalcAppClientReport,
  CalcAppServerOptions,
  CalcAppServerReport,
} from "../../../../protocol/app/calcapp/mod.ts";
import { Prng } from "../../../../protocol/machine.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../../../protocol/session/mod.ts";
import type { ServiceHostOptions } from "../../../../protocol/session/mod.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import type { Process } from "../../message_network.ts";
import { reportsOf, ROUND_ROBIN, World } from "../../session/world.ts";

export const POOL: Uint8Array = encodeText("CalcAppPool");

type UserProcess = Process<
  ApplicationInput<CalcAppClientInput>,
  ApplicationEffect<never, CalcAppClientReport>
>;
type ServerProcess = Process<ApplicationInput<never>, ApplicationEffect<never, CalcAppServerReport>>;

/** A service. */
export interface Server {
  readonly elementId: number;
  readonly process: ServerProcess;
  readonly app: CalcAppServer;
}

/** What is done of a job, and where. */
interface Stretch {
  readonly server: Server;
  readonly from: number;
  readonly usedBefore: number;
}

/** A registrar, services and users. */
export class Lab {
  readonly world: World;
  readonly servers: Server[] = [];
  readonly users: UserProcess[] = [];
  /** When each service was killed. */
  readonly #killedAt = new Map<Server, number>();
  readonly #stretches = new Map<number, Stretch[]>();
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.world = new World(seed);
    this.world.registrar();
  }

  server(
    elementId: number,
    options: Partial<CalcAppServerOptions> = {},
    hostOptions: Partial<ServiceHostOptions> = {},
  ): Server {
    const host = new ServiceHost({
      elementId,
      poolHandle: POOL,
      policy: ROUND_ROBIN,
      seed: elementId,
      ...hostOptions,
    });
    let app: CalcAppServer | undefined;
    const machine = new ApplicationMachine<never, never, CalcAppServerReport>(host, (outlet) => {
      return app = new CalcAppServer(outlet, { prng: new Prng(elementId), ...options });
    });
    const { network } = this.world;
    const process: ServerProcess = network.spawn(this.world.host(), `server ${elementId}`, machine, {
      endpoints: { hunt: { listen: true }, data: { listen: true } },
      channels: { "asap-announce": { group: "asap" } },
    });
    const server = { elementId, process, app: app! };
    this.servers.push(server);
    process.onEffect = (effect) => {
      if (effect.type === "report" && effect.report.type === "jobStarted") {
        this.#started(server, effect.report);
      }
    };
    return server;
  }

  user(options: Partial<CalcAppClientOptions> = {}): UserProcess {
    const seed = this.#seed + 1000 * (this.users.length + 1);
    const machine = new ApplicationMachine<CalcAppClientInput, never, CalcAppClientReport>(
      new SessionClient({ seed }),
      (outlet) => new CalcAppClient(outlet, { poolHandle: POOL, prng: new Prng(seed + 1), ...options }),
    );
    const user = this.world.network.spawn<
      ApplicationInput<CalcAppClientInput>,
      ApplicationEffect<never, CalcAppClientReport>
    >(this.world.host(), `user ${this.users.length}`, machine, {
      endpoints: sessionClientEndpoints(2),
      channels: { "asap-announce": { group: "asap" } },
    });
    this.users.push(user);
    return user;
  }

  kill(server: Server, how: "abort" | "silent"): void {
    this.#killedAt.set(server, this.world.network.now);
    this.world.network.kill(server.process, how);
  }

  /** Calculations of a service, until now or its death. */
  used(server: Server): number {
    return server.app.used(this.#killedAt.get(server) ?? this.world.network.now);
  }

  /** The service that has a job. */
  inUse(): Server | undefined {
    return this.servers.find((server) => !this.#killedAt.has(server) && server.app.jobCount > 0);
  }

  /** Lets time pass until a user has completed so many jobs. */
  completed(user: UserProcess, jobs: number, limitMs = 300_000): ReturnType<typeof reportsOf> {
    const done = () => reportsOf(user, "jobCompleted").length >= jobs;
    assert.ok(this.world.network.runUntil(done, limitMs), `${jobs} jobs in time`);
    return reportsOf(user, "jobCompleted");
  }

  /**
   * A job goes on at most where it was: what a cookie says was done, was done. Only with one user, so that all that a
   * service does is for one job.
   */
  #started(
    server: Server,
    { jobId, completed }: Extract<CalcAppServerReport, { type: "jobStarted" }>,
  ): void {
    if (this.users.length > 1) return;
    const stretches = this.#stretches.get(jobId) ?? [];
    const reached = stretches.map((one) => one.from + this.used(one.server) - one.usedBefore);
    assert.ok(
      completed <= Math.max(0, ...reached) + 0.001,
      `job ${jobId} goes on from ${completed}, but only ${reached} was calculated`,
    );
    stretches.push({ server, from: completed, usedBefore: this.used(server) });
    this.#stretches.set(jobId, stretches);
  }
}
