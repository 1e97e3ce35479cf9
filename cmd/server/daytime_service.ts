/** `rsp server -daytime`. */
import { LogLevel } from "../driver/log.ts";
import { ApplicationMachine } from "../../protocol/app/application.ts";
import { DaytimeServer } from "../../protocol/app/daytime/server.ts";
import type { DaytimeReport } from "../../protocol/app/daytime/server.ts";
import type { WallClockTime } from "../../protocol/app/daytime/text.ts";
import type { SessionReport } from "../../protocol/session/types.ts";
import { line } from "../pool/describe_reports.ts";
import type { LogLine } from "../pool/describe_reports.ts";
import { runService } from "./run_service.ts";
import { defineService } from "./service.ts";
import type { Service } from "./service.ts";
import { MAX_SHARED_SESSIONS } from "./shared_endpoint.ts";

/** The service. */
export const daytimeService: Service = defineService({
  flag: "daytime",
  summary: "Tell every session the local time, and end it",
  options: {},
  run: (context) =>
    runService<never, never, DaytimeReport>(context, {
      title: "Daytime server",
      defaultPoolHandle: "DaytimePool",
      hostOptions: { maxSessions: MAX_SHARED_SESSIONS },
      wrap: (host) => new ApplicationMachine(host, (outlet) => new DaytimeServer(outlet, localTime)),
      onEffect: () => {},
      describe: describeDaytime,
    }),
});

/** What the clock of this machine shows now, in its time zone. It has milliseconds and nothing finer. */
function localTime(): WallClockTime {
  const date = new Date();
  return {
    year: date.getFullYear(),
    month: date.getMonth() + 1,
    day: date.getDate(),
    weekday: date.getDay(),
    hour: date.getHours(),
    minute: date.getMinutes(),
    second: date.getSeconds(),
    microsecond: 1000 * date.getMilliseconds(),
  };
}

function describeDaytime(report: DaytimeReport | SessionReport): LogLine | undefined {
  if (report.type !== "timeTold") return undefined;
  const { session, text } = report;
  return line(LogLevel.note, `session ${session}: told ${text}`, report.type, { session, told: text });
}
