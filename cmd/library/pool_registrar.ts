/** A registrar within the program: for tests, examples and pools that live on one host. */
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, DrivenEndpoint, Driver, OwnEffect } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import { locationOf } from "../driver/status_reports.ts";
import type { StatusPlan } from "../driver/status_reports.ts";
import { ASAP_ANNOUNCE_GROUP, ENRP_PRESENCE_GROUP } from "../driver/groups.ts";
import { randomIdentifier } from "../driver/random.ts";
import { formatSocket } from "../options.ts";
import type { Socket } from "../options.ts";
import { ComponentGroup, componentId, registrarStatus } from "../../protocol/csp/mod.ts";
import { Registrar } from "../../protocol/registrar/mod.ts";
import type {
  RegistrarEffect,
  RegistrarInput,
  RegistrarOptions,
  RegistrarReport,
} from "../../protocol/registrar/mod.ts";
import { PoolError } from "./pool_error.ts";
import { checkedId, localSocket, multicastGroup } from "./pool_options.ts";
import type { PoolOptions } from "./pool_options.ts";
import { leaseTransport, networkError } from "./shared_transport.ts";
import type { TransportLease } from "./shared_transport.ts";
import { beginReports, reportingOf } from "./status_reporting.ts";

/** Time for the machine to end in order before it is left to its associations' SHUTDOWN. */
const STOP_LIMIT_MS = 3000;

/** What a registrar within the program is. */
export interface PoolRegistrarOptions
  extends Pick<PoolOptions, "transport" | "encapsulation" | "announce" | "cspServer" | "cspIntervalMs"> {
  /**
   * Where it serves pool elements and pool users, such as `10.1.0.1:3863` or `10.1.0.1,10.2.0.1:3863`. Default: all
   * addresses of this host. Without a port it has an ephemeral one.
   */
  readonly local?: string | undefined;
  /** The multicast group in which registrars meet. Default `239.0.0.51:9901`; `off` = it is alone. */
  readonly meet?: "off" | string | undefined;
  /** Times and limits that shall differ from the usual ones. */
  readonly machine?: Partial<RegistrarOptions> | undefined;
  /** Takes what goes wrong around it; what it does itself goes to {@linkcode PoolRegistrarOptions.onReport}. */
  readonly log?: PoolOptions["log"];
  /** Takes each report. */
  readonly onReport?: ((report: RegistrarReport) => void) | undefined;
}

/** How a registrar is on the network. */
interface RegistrarWays {
  readonly place: Socket;
  readonly channels: Readonly<Record<string, ChannelOptions>>;
  readonly lease: TransportLease;
}

/**
 * A registrar within the program. `rsp registrar` is one with files, metrics and status reports.
 *
 * @example
 * ```ts
 * import { PoolRegistrar } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * await using registrar = await PoolRegistrar.start({ local: "127.0.0.1", announce: "off" });
 * assert.match(registrar.address, /^127\.0\.0\.1:\d+$/);
 * ```
 */
export class PoolRegistrar implements AsyncDisposable {
  /** Its ID. */
  readonly registrarId: number;
  readonly #machine: Registrar;
  readonly #driver: Driver<RegistrarInput>;
  readonly #lease: TransportLease;
  #reports: AsyncDisposable | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: PoolRegistrarOptions, { place, channels, lease }: RegistrarWays) {
    const { onReport } = options;
    this.registrarId = options.machine?.registrarId ?? randomIdentifier();
    this.#machine = new Registrar({
      seed: randomIdentifier(),
      ...(channels["enrp-presence"] === undefined && { mentorDiscoveryTimeoutMs: 0 }), // there is nobody to learn from
      ...options.machine,
      registrarId: this.registrarId,
    });
    this.#lease = lease;
    this.#driver = drive<RegistrarInput, RegistrarEffect>(this.#machine, {
      transport: lease.transport,
      endpoints: registrarEndpoints(place),
      channels,
      onEffect: (effect) => this.#effect(effect, onReport),
      onProblem: (text) => options.log?.({ level: LogLevel.warning, text }),
    });
    this.#driver.input({ type: "start" });
  }

  /**
   * Starts a registrar.
   *
   * @throws {PoolError} when an option is wrong, there is no SCTP, or the port is in use
   */
  static async start(options: PoolRegistrarOptions = {}): Promise<PoolRegistrar> {
    const { registrarId } = options.machine ?? {};
    if (registrarId !== undefined) checkedId("machine.registrarId", registrarId, 32);
    const reporting = await reportingOf(options);
    const place = await localSocket("local", options.local), channels = await registrarChannels(options);
    const lease = leaseTransport(options.transport ?? "auto", options.encapsulation ?? "auto");
    let made: PoolRegistrar | undefined;
    try {
      const registrar = made = new PoolRegistrar(options, { place, channels, lease });
      registrar.#report(reporting, options);
      return registrar;
    } catch (error) {
      await made?.close();
      await lease.release();
      throw error instanceof PoolError ? error : networkError(error);
    }
  }

  /** Where it serves, as the option `registrars` of others takes it. */
  get address(): string {
    const { addresses, port } = this.#driver.endpoint("asap");
    return formatSocket({ addresses, port });
  }

  /** Ends it. Idempotent. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** As {@linkcode PoolRegistrar.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await stopMachine(this.#driver, STOP_LIMIT_MS);
    await this.#reports?.[Symbol.asyncDispose]();
    await this.#driver.close();
    await this.#lease.release();
  }

  #report(plan: StatusPlan | undefined, options: PoolRegistrarOptions): void {
    const location = locationOf(this.#driver.endpoint("asap"));
    this.#reports = beginReports(plan, options, {
      sender: componentId(ComponentGroup.registrar, this.registrarId),
      status: () => registrarStatus(this.#machine, this.registrarId, location),
      transport: this.#lease.transport,
    });
  }

  #effect(
    effect: OwnEffect<RegistrarEffect>,
    onReport: ((report: RegistrarReport) => void) | undefined,
  ): void {
    if (effect.type === "report") onReport?.(effect.report);
    if (effect.type !== "measureRoundTrip") return;
    const { endpoint, association } = effect;
    const paths = this.#driver.endpoint(endpoint).status(association)?.paths ?? [];
    const roundTripMs = paths.find(({ primary }) => primary)?.srttMs ?? 0;
    this.#driver.input({ type: "roundTrip", association, roundTripMs });
  }
}

function registrarEndpoints({ addresses, port }: Socket): Record<string, DrivenEndpoint> {
  const common = { listen: true, sackFrequency: 1, addresses };
  return { asap: { ...common, port }, enrp: common };
}

async function registrarChannels(
  { announce = "auto", meet = announce === "off" ? "off" : "auto" }: PoolRegistrarOptions,
): Promise<Record<string, ChannelOptions>> {
  const asap = await multicastGroup("announce", announce, ASAP_ANNOUNCE_GROUP);
  const enrp = await multicastGroup("meet", meet, ENRP_PRESENCE_GROUP);
  return {
    ...(asap !== undefined && { "asap-announce": { group: asap, sendFrom: "asap" } }),
    ...(enrp !== undefined && { "enrp-presence": { group: enrp, sendFrom: "enrp", hear: true } }),
  };
}
