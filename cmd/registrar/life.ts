/** One life of a registrar: from its start to its end in order. */
import { formatTransportAddress } from "../../protocol/net.ts";
import type { Transport } from "../../protocol/net.ts";
import { MessageTap, Registrar } from "../../protocol/registrar/mod.ts";
import type { RegistrarEffect, RegistrarInput, RegistrarOptions } from "../../protocol/registrar/mod.ts";
import { drive, stopMachine } from "../driver/drive.ts";
import type { ChannelOptions, DrivenEndpoint, Driver } from "../driver/drive.ts";
import { LogLevel } from "../driver/log.ts";
import type { Log } from "../driver/log.ts";
import { locationOf } from "../driver/status_reports.ts";
import { withBuffers } from "./buffers.ts";
import type { RegistrarFiles } from "./files.ts";
import type { RegistrarEndpoints } from "./places.ts";
import { logRegistrarReport } from "./report_line.ts";

/** Time for the machine to end in order before it is left to its associations' SHUTDOWN. */
const STOP_LIMIT_MS = 3000;

/** What a registrar lives in. */
export interface RegistrarWorld {
  readonly transport: Transport;
  readonly endpoints: RegistrarEndpoints;
  readonly channels: Readonly<Record<string, ChannelOptions>>;
  readonly log: Log;
  readonly files: RegistrarFiles;
}

/** A registrar at work. */
export interface RegistrarLife {
  readonly registrar: Registrar;
  readonly registrarId: number;
  /** Where it serves ASAP, for status reports. */
  readonly location: string;
  /** Ends it in order. */
  end(): Promise<void>;
}

/**
 * Starts a registrar.
 *
 * @throws what opening its endpoints throws
 */
export function beginLife(options: RegistrarOptions, world: RegistrarWorld): RegistrarLife {
  const { transport, endpoints, channels, log, files } = world;
  const registrar = new Registrar(options);
  const { registrarId, keepAliveTimeoutMs = 5000 } = options;
  const tellsMessages = files.wantsMessages || log.shows(LogLevel.verbose);
  const driver: Driver<RegistrarInput> = drive<RegistrarInput, RegistrarEffect>(
    tellsMessages ? new MessageTap(registrar, registrarId) : registrar,
    {
      transport,
      endpoints: withBuffers(endpoints, transport.kind),
      channels,
      onEffect: (effect) => {
        if (effect.type === "measureRoundTrip") return measureRoundTrip(driver, effect);
        if (effect.type !== "report") return;
        files.report(effect.report);
        logRegistrarReport(log, effect.report);
      },
      onProblem: (sentence, channel) =>
        log.warning(`${channel}: ${sentence}`, { event: "multicast", channel }),
    },
  );
  files.begin({ registrar, registrarId, keepAliveTimeoutMs });
  driver.input({ type: "start" });
  tellPlace(log, driver, endpoints, channels);
  return {
    registrar,
    registrarId,
    location: locationOf(driver.endpoint("asap")),
    async end() {
      await stopMachine(driver, STOP_LIMIT_MS);
      await driver.close();
      files.end();
    },
  };
}

/** Tells the machine how far away an association's peer is: the smoothed round-trip time of its primary path. */
function measureRoundTrip(
  driver: Driver<RegistrarInput>,
  { endpoint, association }: Extract<RegistrarEffect, { readonly type: "measureRoundTrip" }>,
): void {
  const paths = driver.endpoint(endpoint).status(association)?.paths ?? [];
  const roundTripMs = paths.find(({ primary }) => primary)?.srttMs ?? 0;
  driver.input({ type: "roundTrip", association, roundTripMs });
}

/** Says what a user has to know to reach this registrar by hand. */
function tellPlace(
  log: Log,
  driver: Driver<never>,
  endpoints: { readonly asap: DrivenEndpoint },
  groups: Readonly<Record<string, ChannelOptions>>,
): void {
  const announce = groups["asap-announce"];
  const where = announce === undefined
    ? "announces are off"
    : `announces go to ${formatTransportAddress(announce.group)}`;
  const asapPort = driver.endpoint("asap").port, enrpPort = driver.endpoint("enrp").port;
  if (endpoints.asap.elseEphemeral === true && asapPort !== endpoints.asap.port) {
    log.note(
      `SCTP port ${endpoints.asap.port} is in use, by another registrar or the like: took another one`,
      {
        event: "portInUse",
        port: endpoints.asap.port,
      },
    );
  }
  log.note(`ASAP has SCTP port ${asapPort}, ENRP ${enrpPort}; ${where}`, {
    event: "ports",
    asapPort,
    enrpPort,
  });
}
