import type { Instant } from "../net.ts";
import type { ServiceHost } from "../session/mod.ts";
import { showText } from "../wire/mod.ts";
import { HUNTING_STATUS } from "./registrar_contact.ts";
import type { RegistrarContact } from "./registrar_contact.ts";
import { count } from "./registrar_status.ts";
import type { ComponentStatus } from "./reporter.ts";

/**
 * How a pool element is: its sessions, its load if its policy knows one, its registrar. Behind RSPLIB's words for the
 * sessions stands the pool, which a report has no field for: `2 Sessions in EchoPool`.
 *
 * @param host the element
 * @param contact what it has with registrars
 * @param location where it is
 * @param text what it does, in the words of its application; told as long as it has exactly one session
 */
export function elementStatus(
  host: Pick<ServiceHost, "sessionCount" | "load" | "poolHandle">,
  contact: RegistrarContact,
  location: string,
  now: Instant,
  text = "",
): ComponentStatus {
  const { sessionCount, poolHandle } = host;
  const sessions = `${count(sessionCount, "Session")} in ${showText(poolHandle)}`;
  const own = text !== "" && sessionCount === 1 ? text : sessions;
  return {
    location,
    status: contact.isHunting ? HUNTING_STATUS : own,
    workload: host.load,
    associations: contact.associations(now),
  };
}
