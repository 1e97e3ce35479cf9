import { ApplicationMachine } from "../../../protocol/app/application.ts";
import type {
  Application,
  ApplicationEffect,
  ApplicationInput,
  ApplicationOutlet,
} from "../../../protocol/app/application.ts";
import { ServiceHost, SessionClient, sessionClientEndpoints } from "../../../protocol/session/mod.ts";
import type { SessionCommand } from "../../../protocol/session/types.ts";
import type { Process } from "../message_network.ts";
import { ROUND_ROBIN, World } from "../session/world.ts";

interface Typed {
  readonly type: string;
}

/** A process that runs an application. */
export type ApplicationProcess<Input extends Typed, Effect extends Typed, Report> = Process<
  ApplicationInput<Input>,
  ApplicationEffect<Effect, Report>
>;

/** A registrar, services and users of one pool, in virtual time, each on a host of its own. */
export class PoolLab {
  readonly world: World;
  readonly #poolHandle: Uint8Array;
  readonly #seed: number;
  #users = 0;

  constructor(seed: number, poolHandle: Uint8Array) {
    this.world = new World(seed);
    this.#seed = seed;
    this.#poolHandle = poolHandle;
    this.world.registrar();
  }

  /** Starts a service. */
  server<Report extends Typed>(
    elementId: number,
    make: (outlet: ApplicationOutlet<never, Report>) => Application<never>,
  ): ApplicationProcess<never, never, Report> {
    const host = new ServiceHost({
      elementId,
      poolHandle: this.#poolHandle,
      policy: ROUND_ROBIN,
      seed: elementId,
    });
    const machine = new ApplicationMachine<never, never, Report>(host, make);
    return this.world.network.spawn(this.world.host(), `server ${elementId}`, machine, {
      endpoints: { hunt: { listen: true }, data: { listen: true } },
      channels: { "asap-announce": { group: "asap" } },
    });
  }

  /** Starts a pool user of one session. */
  user<Input extends Typed, Effect extends Typed, Report extends Typed>(
    make: (outlet: ApplicationOutlet<Effect, Report>) => Application<Input>,
  ): ApplicationProcess<Input, Effect, Report> {
    const client = new SessionClient({ seed: this.#seed + ++this.#users });
    const machine = new ApplicationMachine<Input, Effect, Report>(client, make);
    return this.world.network.spawn(this.world.host(), `user ${this.#users}`, machine, {
      endpoints: sessionClientEndpoints(1),
      channels: { "asap-announce": { group: "asap" } },
    });
  }
}

/** A user of whatever service that says something and writes down what it hears: the other side of simple services. */
export class Talker implements Application<Extract<SessionCommand, { type: "send" }>> {
  readonly #outlet: ApplicationOutlet<never, never>;
  readonly #poolHandle: Uint8Array;
  readonly heard: { readonly data: Uint8Array; readonly ppid: number; readonly stream: number }[] = [];
  readonly events: string[] = [];

  constructor(outlet: ApplicationOutlet<never, never>, poolHandle: Uint8Array) {
    this.#outlet = outlet;
    this.#poolHandle = poolHandle;
  }

  start(): void {
    this.#outlet.command({ type: "openSession", session: 1, poolHandle: this.#poolHandle });
  }

  sessionEvent(event: Parameters<Application<never>["sessionEvent"]>[0]): void {
    this.events.push(event.type);
    if (event.type === "sessionMessage") this.heard.push(event);
  }

  input(send: Extract<SessionCommand, { type: "send" }>): void {
    this.#outlet.command(send);
  }
}
