import type { Instant } from "../net.ts";
import type { ServiceHost } from "../session/mod.ts";
import { HUNTING_STATUS } from "./registrar_contact.ts";
import type { RegistrarContact } from "./registrar_contact.ts";
import { count } from "./registrar_status.ts";
import type { ComponentStatus } from "./reporter.ts";

/**
 * How a pool element is: its sessions, its load if its policy knows one, its registrar.
 *
 * @param host the element
 * @param contact what it has with registrars
 * @param location where it is
 */
export function elementStatus(
  host: Pick<ServiceHost, "sessionCount" | "load">,
  contact: RegistrarContact,
  location: string,
  now: Instant,
): ComponentStatus {
  return {
    location,
    status: contact.isHunting ? HUNTING_STATUS : count(host.sessionCount, "Session"),
    workload: host.load,
    associations: contact.associations(now),
  };
}
