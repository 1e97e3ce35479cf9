import type { Driver } from "../driver/drive.ts";
import type { SessionAssociation } from "../../protocol/session/mod.ts";

/** Octets that the transport has taken of a session, and the other side has not acknowledged. */
export function queuedOctets(
  driver: Pick<Driver<never>, "endpoint">,
  where: SessionAssociation | undefined,
): number {
  if (where === undefined) return 0;
  return driver.endpoint(where.endpoint).status(where.association)?.queuedOctets ?? 0;
}
