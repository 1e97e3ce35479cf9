/** `rsp server -fractal`: RSPLIB's Fractal Generator Service. */
import { LogLevel } from "../driver/log.ts";
import type { Driver } from "../driver/drive.ts";
import { flag, integer } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { FractalServer } from "../../protocol/app/fractal/server.ts";
import type {
  ComputeEffect,
  ComputeInput,
  FractalServerOptions,
  FractalServerReport,
} from "../../protocol/app/fractal/server_types.ts";
import { formatTransportAddresses } from "../../protocol/net.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { ComputePool } from "./compute_pool.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import type { ServerOptionValues } from "./options.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service, ServiceContext } from "./service.ts";

const group = "Fractal service";
const milliseconds = { group, valueName: "ms", max: 3_600_000 } as const;

/** The options of the fractal service, by name. */
export interface FractalServiceOptions {
  readonly fgpmaxthreads: Option<number>;
  readonly fgpfailureafter: Option<number>;
  readonly fgptestmode: Option<boolean>;
  readonly fgptransmittimeout: Option<number>;
  readonly fgpdatamaxtime: Option<number>;
  readonly fgpcookiemaxtime: Option<number>;
  readonly fgpcookiemaxpackets: Option<number>;
  readonly fgpmaxrate: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** Options of the fractal service. */
export const fractalServiceOptions: FractalServiceOptions = {
  fgpmaxthreads: integer("Sessions at the same time; further ones are turned away", {
    group,
    min: 1,
    max: 10_000,
    defaultValue: 4,
  }),
  fgpfailureafter: integer("Leave a session after so many full Data messages, to show failovers; 0 = never", {
    group,
    min: 0,
    max: 1_000_000_000,
    defaultValue: 0,
  }),
  fgptestmode: flag("Compute (x * y) mod 256 instead of fractals", { group }),
  fgptransmittimeout: integer("Give a peer up that takes nothing for so long", {
    ...milliseconds,
    min: 100,
    defaultValue: 2500,
  }),
  fgpdatamaxtime: integer("Longest time until computed points are sent", {
    ...milliseconds,
    min: 100,
    defaultValue: 1000,
  }),
  fgpcookiemaxtime: integer("Age of a cookie at which a new one is sent", {
    ...milliseconds,
    min: 100,
    defaultValue: 1000,
  }),
  fgpcookiemaxpackets: integer("Data messages after which a new cookie is sent", {
    group,
    min: 1,
    max: 1_000_000,
    defaultValue: 10,
  }),
  fgpmaxrate: integer("Most points a second and session, so that one can watch; 0 = as fast as it goes", {
    group,
    min: 0,
    max: 1_000_000_000,
    defaultValue: 0,
  }),
};

/**
 * Octets that may wait for a pool user: 100 Data messages, enough for any path of a laboratory. With more, a user on a slow
 * path would take longer than `-fgptransmittimeout` to make room, and would be given up though it does take data.
 */
const SEND_BUFFER = 128 * 1024;

type Options = ServerOptionValues & OptionValues<FractalServiceOptions>;

/** The service. */
export const fractalService: Service = defineService({
  flag: "fractal",
  summary: "Compute fractal images (RSPLIB's Fractal Generator Service)",
  options: fractalServiceOptions,
  run: runFractalService,
});

async function runFractalService(context: ServiceContext<Options>): Promise<number> {
  const { options, log } = context;
  let running: Driver<ComputeInput> | undefined;
  using pool = new ComputePool(Math.min(options.fgpmaxthreads, navigator.hardwareConcurrency), {
    onComputed: (job, values) => running?.input({ type: "computed", job, values }),
    onFailed: (job, reason) => {
      log.error(`cannot compute: ${reason}`, { event: "computeFailed" });
      running?.input({ type: "computeFailed", job, reason });
    },
  });
  return await runService<ComputeInput, ComputeEffect, FractalServerReport>(context, {
    title: "Fractal generator",
    defaultPoolHandle: "FractalGeneratorPool",
    dataEndpoint: { sendBuffer: SEND_BUFFER },
    wrap: (host) => new FractalServer(host, fractalServerOptions(options)),
    onEffect: (effect, driver) => {
      running = driver;
      if (effect.type === "compute") pool.submit(effect);
      else pool.cancel(effect.job);
    },
    describe: describeFractal,
  });
}

/** What the options mean to the machine. */
export function fractalServerOptions(values: OptionValues<FractalServiceOptions>): FractalServerOptions {
  return {
    maxThreads: values.fgpmaxthreads,
    failureAfter: values.fgpfailureafter,
    testMode: values.fgptestmode,
    transmitTimeoutMs: values.fgptransmittimeout,
    dataMaxTimeMs: values.fgpdatamaxtime,
    cookieMaxTimeMs: values.fgpcookiemaxtime,
    cookieMaxPackets: values.fgpcookiemaxpackets,
    maxRate: values.fgpmaxrate,
  };
}

function describeFractal(report: FractalServerReport | SessionReport): LogLine | undefined {
  const { note, warning, action } = LogLevel;
  switch (report.type) {
    case "fractalStarted": {
      const { width, height, maxIterations } = report.parameter;
      const image = `an image of ${width} x ${height} points, ${maxIterations} iterations`;
      const text = report.resumed ? `goes on with ${image}, from point ${report.first}` : `computes ${image}`;
      return line(note, `session ${report.session}: ${text}`, report.type, {
        session: report.session,
        resumed: report.resumed,
        first: report.first,
      });
    }
    case "fractalFull":
      return line(
        note,
        `all places are taken: turned ${formatTransportAddresses(report.peer)} away`,
        report.type,
      );
    case "fractalCompleted":
      return line(note, `session ${report.session}: complete, ${report.points} points`, report.type, {
        session: report.session,
      });
    case "fractalFailure":
      return line(
        note,
        `session ${report.session}: left after ${report.fullData} Data messages, as asked for`,
        report.type,
        { session: report.session },
      );
    case "fractalAborted":
      return line(warning, `session ${report.session}: aborted: ${report.reason}`, report.type, {
        session: report.session,
      });
    case "fractalLoad":
      return line(
        action,
        `load ${Math.round(report.load * 100)} %, ${report.sessionCount} sessions`,
        report.type,
        { load: report.load },
      );
    default:
      return undefined;
  }
}
