/** Components for tests. */
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import type { Component, MonitorInput } from "../../../protocol/csp/monitor.ts";
import { writeComponentReport } from "../../../protocol/csp/report.ts";
import type { ComponentReport } from "../../../protocol/csp/report.ts";

/** A report of a pool element, with what a test cares about. */
export function reportOf(changes: Partial<ComponentReport> = {}): ComponentReport {
  return {
    sender: componentId(ComponentGroup.element, 0xf1),
    isFinal: false,
    uptimeUs: 0n,
    intervalUs: 500_000,
    location: "pc2: 10.1.0.2:4711",
    status: "1 Session",
    workload: 0.5,
    associations: [],
    ...changes,
  };
}

/** The datagram that brings a report. */
export function datagramOf(changes: Partial<ComponentReport> = {}, address = "10.1.0.2"): MonitorInput {
  return {
    type: "datagram",
    source: { address, port: 40_000 },
    data: writeComponentReport(reportOf(changes)),
  };
}

/** A component as a monitor has it. */
export function componentOf(changes: Partial<ComponentReport> = {}, reportedAt = 0): Component {
  const report = reportOf(changes);
  return {
    id: report.sender,
    source: { address: "10.1.0.2", port: 40_000 },
    report,
    associationCount: report.associations.length,
    appearedAt: 0,
    reportedAt,
  };
}
