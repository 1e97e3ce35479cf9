import { showText } from "../wire/mod.ts";
import type { AssociationDown } from "../net.ts";

/** Cause code "User-Initiated Abort" of RFC 9260 §3.3.10.12, whose information is a reason in words. */
const USER_INITIATED_ABORT = 12;

/** A peer's reason is shown no longer than this: it may send 64 KiB. */
const MAX_REASON_SHOWN = 80;

/**
 * Why an association ended, in words.
 *
 * @param down the event
 */
export function downText(down: AssociationDown): string {
  const peer = down.origin === "peer";
  switch (down.reason) {
    case "shutdown":
      return peer ? "shut down by the peer" : "shut down";
    case "refused":
      return `refused by the peer${causeText(down)}`;
    case "timeout":
      return "the peer does not answer";
    case "aborted":
      return (peer ? "aborted by the peer" : "aborted") + causeText(down);
  }
}

function causeText({ cause }: AssociationDown): string {
  if (cause === undefined) return "";
  if (cause.code !== USER_INITIATED_ABORT) return ` (cause ${cause.code})`;
  return cause.info.length === 0 ? "" : ` (${showText(cause.info.subarray(0, MAX_REASON_SHOWN))})`;
}
