import { Ppid } from "../net.ts";
import type { Registrar } from "../registrar/mod.ts";
import { ComponentGroup, componentId } from "./component_id.ts";
import { SCTP_PROTOCOL } from "./report.ts";
import type { ComponentStatus } from "./reporter.ts";

/**
 * How a registrar is, in RSPLIB's words: `3[2] PEs in 1 Pool, 1 Peer` are three elements, two of them its own.
 *
 * @param registrar what it knows
 * @param registrarId its own ID
 * @param location where it is
 */
export function registrarStatus(
  { handlespace, peers }: Pick<Registrar, "handlespace" | "peers">,
  registrarId: number,
  location: string,
): ComponentStatus {
  const { elementCount, poolCount } = handlespace;
  const status = `${elementCount}[${handlespace.ownedCount(registrarId)}] PEs in ` +
    `${count(poolCount, "Pool")}, ${count(peers.size, "Peer")}`;
  return {
    location,
    status,
    workload: undefined,
    associations: [...peers.identified()].map(({ registrarId }) => ({
      receiver: componentId(ComponentGroup.registrar, registrarId),
      durationUs: undefined,
      protocol: SCTP_PROTOCOL,
      ppid: Ppid.enrp,
    })),
  };
}

/** A number of things: `1 Session`, `2 Sessions`. */
export function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
