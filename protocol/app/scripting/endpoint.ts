import type { EndpointOptions } from "../../net.ts";

/** Octets that may wait for the other side: what is on the way counts in them, so that they are the speed on long ways. */
const SEND_BUFFER = 2 * 1024 * 1024;

/**
 * For about so long they may wait: a KeepAlive or its answer stands behind them, and RSPLIB's sides wait for that for 10
 * seconds, also in the midst of a file (reference/rsplib.md §5.5).
 */
const SEND_BUFFER_MS = 2000;

/** Octets that may come and not be stored yet: the disk has time for so many, and a job costs no more memory. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** The endpoint of sessions, at either side. Octets go to files, whose writers copy them: messages need not. */
export const SCRIPTING_ENDPOINT: EndpointOptions = {
  manualReceive: true,
  borrowedMessages: true,
  sendBuffer: SEND_BUFFER,
  sendBufferMs: SEND_BUFFER_MS,
  receiveBuffer: RECEIVE_BUFFER,
};
