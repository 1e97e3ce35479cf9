/** `rsp server -echo`. */
import { LogLevel } from "../driver/log.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { EchoServer } from "../../protocol/app/echo/server.ts";
import type { EchoReport } from "../../protocol/app/echo/server.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { describeService } from "./describe_service.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service } from "./service.ts";
import { MAX_SHARED_SESSIONS, REPLY_ENDPOINT, REPLY_HOST } from "./shared_endpoint.ts";

/** The service. */
export const echoService: Service = defineService({
  flag: "echo",
  summary: "Give every message back (the service that runs when none is named)",
  options: {},
  run: (context) =>
    runService<never, never, EchoReport>(context, {
      title: "Echo server",
      defaultPoolHandle: "EchoPool",
      dataEndpoint: REPLY_ENDPOINT,
      hostOptions: { ...REPLY_HOST, maxSessions: MAX_SHARED_SESSIONS },
      wrap: (host) => new ApplicationMachine(host, (outlet) => new EchoServer(outlet)),
      onEffect: () => {},
      describe: describeEcho,
    }),
});

function describeEcho(report: EchoReport | SessionReport): LogLine | undefined {
  if (report.type !== "echoed") return describeService(report);
  const { session, lengthBytes } = report;
  const text = `session ${session}: echoed ${lengthBytes} octets`;
  return line(LogLevel.note, text, report.type, { session, lengthBytes });
}
