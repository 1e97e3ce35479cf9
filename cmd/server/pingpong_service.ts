/** `rsp server -pingpong`. */
import { LogLevel } from "../driver/log.ts";
import { integer } from "../options.ts";
import type { Option, OptionValues } from "../options.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { PingPongServer } from "../../protocol/app/pingpong/server.ts";
import type { PingPongServerReport } from "../../protocol/app/pingpong/server.ts";
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
import { REPLY_ENDPOINT, REPLY_HOST } from "./shared_endpoint.ts";

const group = "Ping-pong service";

/** The options of the ping-pong service, by name. */
export interface PingPongServiceOptions {
  readonly pppmaxthreads: Option<number>;
  readonly pppfailureafter: Option<number>;
  readonly [name: string]: Option<unknown>;
}

/** Options of the ping-pong service. */
export const pingPongServiceOptions: PingPongServiceOptions = {
  pppmaxthreads: integer("Sessions at the same time; further ones are turned away", {
    group,
    min: 1,
    max: 10_000,
    defaultValue: 4,
  }),
  pppfailureafter: integer("Abort a session after so many replies, to show failovers; 0 = never", {
    group,
    min: 0,
    max: 1_000_000_000,
    defaultValue: 0,
  }),
};

type OwnReport = PingPongServerReport | SessionLimitReport;

/** The service. */
export const pingPongService: Service = defineService({
  flag: "pingpong",
  summary: "Answer Pings with numbered Pongs, which go on counting on another element after a failover",
  options: pingPongServiceOptions,
  run: (context: ServiceContext<ServerOptionValues & OptionValues<PingPongServiceOptions>>) =>
    runService<never, never, OwnReport>(context, {
      title: "Ping-pong server",
      defaultPoolHandle: "PingPongPool",
      dataEndpoint: REPLY_ENDPOINT,
      hostOptions: REPLY_HOST,
      wrap: (host) => {
        const { pppmaxthreads, pppfailureafter } = context.options;
        return new ApplicationMachine(host, (outlet) => {
          const server = new PingPongServer(outlet, { failureAfter: pppfailureafter });
          return new SessionLimit(outlet, server, pppmaxthreads);
        });
      },
      onEffect: () => {},
      describe: describePingPong,
    }),
});

function describePingPong(report: OwnReport | SessionReport): LogLine | undefined {
  const { note, warning, action } = LogLevel;
  switch (report.type) {
    case "pingPongResumed": {
      const { session, nextReply } = report;
      const text = `session ${session}: goes on with reply ${nextReply}, from another element's cookie`;
      return line(note, text, report.type, { session, nextReply: String(nextReply) });
    }
    case "pingAnswered": {
      const { session, messageNumber, replyNumber } = report;
      const text = `session ${session}: message ${messageNumber} gets reply ${replyNumber}`;
      return line(action, text, report.type, {
        session,
        messageNumber: String(messageNumber),
        replyNumber: String(replyNumber),
      });
    }
    case "pingPongFailure": {
      const { session, replyCount } = report;
      const text = `session ${session}: aborted after ${replyCount} replies, as asked for`;
      return line(note, text, report.type, { session, replies: replyCount });
    }
    case "pingPongAborted": {
      const { session, reason } = report;
      return line(warning, `session ${session}: aborted: ${reason}`, report.type, { session, reason });
    }
    default:
      return describeService(report);
  }
}
