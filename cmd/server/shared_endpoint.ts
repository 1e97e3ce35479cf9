/** What the services have in common that answer many users on one endpoint, without a place for each. */
import { REPLY_RECEIVE_BUFFER, REPLY_SEND_BUFFER } from "../../protocol/app/reply_flow.ts";
import type { EndpointOptions } from "../../protocol/net.ts";
import type { ServiceHostOptions } from "../../protocol/session/mod.ts";

/**
 * Sessions at the same time at a service that RSPLIB does not limit. With both buffers of each one full they occupy 1 GiB:
 * this many are only there when somebody means to do harm.
 */
export const MAX_SHARED_SESSIONS = 4096;

/** The endpoint of a service with {@linkcode ReplyFlow}. */
export const REPLY_ENDPOINT: EndpointOptions = {
  manualReceive: true,
  receiveBuffer: REPLY_RECEIVE_BUFFER,
  sendBuffer: REPLY_SEND_BUFFER,
};

/** What its host has to know of that. */
export const REPLY_HOST: Partial<ServiceHostOptions> = { manualReceive: true };
