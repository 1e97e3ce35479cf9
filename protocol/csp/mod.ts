/** The Component Status Protocol: how registrars, elements and users tell a monitor how they are. */
export { ComponentGroup, componentGroupOf, componentId, componentObjectOf } from "./component_id.ts";
export type { ComponentId } from "./component_id.ts";
export { MAX_EVENTS } from "./component_event.ts";
export type { ComponentEvent, ComponentEventType, EventLog } from "./component_event.ts";
export type { CurvePoints, RecentCurve, WholeCurve } from "./curve.ts";
export { COMPONENT_COLUMNS, MonitorHistory, TOTAL_COLUMNS } from "./history.ts";
export { isLate } from "./lateness.ts";
export { handlespaceCountsOf, poolOf, sessionCountOf } from "./status_text.ts";
export type { HandlespaceCounts } from "./status_text.ts";
export { elementStatus } from "./element_status.ts";
export { arrangeComponents, COMPONENT_ORDERS } from "./arrangement.ts";
export type { Arrangement, ArrangementGroup, ArrangementOptions, ComponentOrder } from "./arrangement.ts";
export {
  associationKind,
  associationObject,
  componentLabel,
  componentObject,
  describeAssociation,
  describeComponent,
  groupName,
  ppidName,
  shortLocation,
  showLoad,
  showUptime,
} from "./describe.ts";
export type { ComponentColumns } from "./describe.ts";
export { componentLocation } from "./location.ts";
export { MAX_COMPONENTS, MAX_COMPONENTS_OF_ADDRESS, MAX_KEPT_ASSOCIATIONS, Monitor } from "./monitor.ts";
export type {
  Component,
  MonitorEffect,
  MonitorInput,
  MonitorOptions,
  MonitorReport,
  MonitorStatistics,
} from "./monitor.ts";
export { RegistrarContact } from "./registrar_contact.ts";
export { registrarStatus } from "./registrar_status.ts";
export { CSP_PORT, MAX_CSP_ASSOCIATIONS, readComponentReport, writeComponentReport } from "./report.ts";
export type { ComponentAssociation, ComponentReport } from "./report.ts";
export { Reporter } from "./reporter.ts";
export type { ComponentStatus, ReporterEffect, ReporterInput, ReporterOptions } from "./reporter.ts";
export { UserStatus } from "./user_status.ts";
