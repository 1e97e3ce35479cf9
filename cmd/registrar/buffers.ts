/** What a registrar lets its associations pile up. */
import type { Transport } from "../../protocol/net.ts";
import type { DrivenEndpoint } from "../driver/drive.ts";
import type { RegistrarEndpoints } from "./places.ts";

/** The longest message of ASAP and ENRP: its length has 16 bits. */
const MAX_MESSAGE = 65_535;

/** Answers that a user leaves untaken before it is not served for a while: a hundred usual ones. */
const ASAP_SEND_BUFFER = 16 * 1024;

/**
 * Requests of one association on their way: a hundred usual ones. All windows together should not hold more than is read
 * in a moment: what a flood fills them with stands in one row with what honest users ask, before the registrar sees it.
 */
const ASAP_RECEIVE_BUFFER = 8 * 1024;

/**
 * A registrar's endpoints with their buffers. On the embedded stack every association has a window of its own, which
 * closes while its requests wait for their turn, so that a flood stays where it comes from. On the kernel those that find
 * no descriptor share a socket, which is read for all of them or for none: there all is read as fast as can be, and
 * requests wait in the registrar.
 */
export function withBuffers(
  { asap, enrp }: RegistrarEndpoints,
  kind: Transport["kind"],
): Record<keyof RegistrarEndpoints, DrivenEndpoint> {
  const common = { maxMessage: MAX_MESSAGE, manualReceive: kind === "embedded" };
  return {
    asap: {
      ...asap,
      ...common,
      sendBuffer: ASAP_SEND_BUFFER,
      ...(kind === "embedded" && { receiveBuffer: ASAP_RECEIVE_BUFFER }),
    },
    enrp: { ...enrp, ...common },
  };
}
