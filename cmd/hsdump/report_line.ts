import type { ReaderReport } from "../../protocol/dump/mod.ts";
import { formatTransportAddresses } from "../../protocol/net.ts";
import { describeId } from "../../protocol/param/describe.ts";
import { showText } from "../../protocol/wire/mod.ts";
import type { Log } from "../driver/log.ts";

/** Writes what a reader reports, besides the dump itself, into the log. */
export function logReaderReport(log: Log, report: Exclude<ReaderReport, { type: "state" }>): void {
  switch (report.type) {
    case "connected":
      return log.action(`connected to ${formatTransportAddresses(report.peer)}`);
    case "introduced":
      return log.action(
        `registrar ${
          describeId(report.registrarId)
        } tells its peers only, or is starting: calling ourselves one for a while`,
      );
    case "starting":
      return log.note(`registrar ${describeId(report.registrarId)} is starting: waiting for it`);
    case "part": {
      const { poolCount, elementCount, poolsSoFar, elementsSoFar } = report;
      const now = `${poolsSoFar} pools, ${elementsSoFar} PEs`;
      return log.action(`Got ${poolCount} pools, ${elementCount} PEs => now having ${now}`);
    }
    case "refused": {
      const { poolHandle, elementId, reason } = report;
      return log.warning(
        `element ${describeId(elementId)} of pool ${showText(poolHandle)} is not shown: ${reason}`,
      );
    }
    case "staying":
      return log.note(
        `staying until registrar ${
          describeId(report.registrarId)
        } has forgotten us, about 10 s, so that takeovers do ` +
          "not wait for us in vain; Ctrl+C ends at once",
      );
    case "failed":
      return log.error(`cannot read the registrar: ${report.reason}`);
  }
}
