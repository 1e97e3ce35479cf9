/** `rsp server -chargen`. */
import { LogLevel } from "../driver/log.ts";
import { integer } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { CHARGEN_BLOCK_LENGTH, ChargenServer } from "../../protocol/app/chargen/server.ts";
import type { ChargenReport } from "../../protocol/app/chargen/server.ts";
import { SessionLimit } from "../../protocol/app/session_limit.ts";
import type { SessionLimitReport } from "../../protocol/app/session_limit.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { describeService } from "./describe_service.ts";
import type { ServerOptionValues } from "./options.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service, ServiceContext } from "./service.ts";

/** The options of the character generator, by name. */
export interface ChargenServiceOptions {
  readonly chargenmaxthreads: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** Options of the character generator. */
export const chargenServiceOptions: ChargenServiceOptions = {
  chargenmaxthreads: integer("Sessions at the same time; further ones are turned away", {
    group: "Character generator",
    min: 1,
    max: 10_000,
    defaultValue: 4,
  }),
};

/** Octets that may wait for a user: more would only be older. */
const SEND_BUFFER = 64 * 1024;

type OwnReport = ChargenReport | SessionLimitReport;

/** The service. */
export const chargenService: Service = defineService({
  flag: "chargen",
  summary: "Send characters without end",
  options: chargenServiceOptions,
  run: (context: ServiceContext<ServerOptionValues & OptionValues<ChargenServiceOptions>>) =>
    runService<never, never, OwnReport>(context, {
      title: "Character generator",
      defaultPoolHandle: "CharGenPool",
      dataEndpoint: { sendBuffer: SEND_BUFFER },
      wrap: (host) =>
        new ApplicationMachine(host, (outlet) => {
          return new SessionLimit(outlet, new ChargenServer(outlet), context.options.chargenmaxthreads);
        }),
      onEffect: () => {},
      describe: describeChargen,
    }),
});

function describeChargen(report: OwnReport | SessionReport): LogLine | undefined {
  switch (report.type) {
    case "chargenStarted": {
      const { session } = report;
      return line(LogLevel.note, `session ${session}: gets characters`, report.type, { session });
    }
    case "chargenEnded": {
      const { session, blockCount } = report;
      const text = `session ${session}: got ${blockCount} messages of ${CHARGEN_BLOCK_LENGTH} octets`;
      return line(LogLevel.note, text, report.type, { session, messages: blockCount });
    }
    default:
      return describeService(report);
  }
}
