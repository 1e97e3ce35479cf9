/** The Component Status Protocol: how registrars, elements and users tell a monitor how they are. */
export { ComponentGroup, componentGroupOf, componentId, componentObjectOf } from "./component_id.ts";
export type { ComponentId } from "./component_id.ts";
export { elementStatus } from "./element_status.ts";
export { componentLocation } from "./location.ts";
export { RegistrarContact } from "./registrar_contact.ts";
export { registrarStatus } from "./registrar_status.ts";
export { CSP_PORT, MAX_CSP_ASSOCIATIONS, readComponentReport, writeComponentReport } from "./report.ts";
export type { ComponentAssociation, ComponentReport } from "./report.ts";
export { Reporter } from "./reporter.ts";
export type { ComponentStatus, ReporterEffect, ReporterInput, ReporterOptions } from "./reporter.ts";
export { UserStatus } from "./user_status.ts";
