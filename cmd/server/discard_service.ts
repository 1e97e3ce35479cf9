/** `rsp server -discard`. */
import { LogLevel } from "../driver/log.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { DiscardServer } from "../../protocol/app/discard/server.ts";
import type { DiscardReport } from "../../protocol/app/discard/server.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service } from "./service.ts";
import { MAX_SHARED_SESSIONS } from "./shared_endpoint.ts";

/** The service. */
export const discardService: Service = defineService({
  flag: "discard",
  summary: "Take every message and answer none",
  options: {},
  run: (context) =>
    runService<never, never, DiscardReport>(context, {
      title: "Discard server",
      defaultPoolHandle: "DiscardPool",
      dataEndpoint: { borrowedMessages: true },
      hostOptions: { maxSessions: MAX_SHARED_SESSIONS },
      wrap: (host) => new ApplicationMachine(host, (outlet) => new DiscardServer(outlet)),
      onEffect: () => {},
      describe: describeDiscard,
    }),
});

function describeDiscard(report: DiscardReport | SessionReport): LogLine | undefined {
  if (report.type !== "discarded") return undefined;
  const { session, lengthBytes } = report;
  const text = `session ${session}: discarded ${lengthBytes} octets`;
  return line(LogLevel.note, text, report.type, { session, lengthBytes });
}
