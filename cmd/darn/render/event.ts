/** Events of associations as lines and as JSON, in the original's words where it has any. */
import type { AssociationDown, TransportEvent } from "../../../protocol/net.ts";
import { formatTransportAddress, transportAddresses } from "../../../protocol/net.ts";
import type { Association } from "../associations.ts";
import { showPeer } from "../associations.ts";
import { causeName, describeCause } from "../cause_names.ts";
import { showPpid } from "../ppid_names.ts";
import { renderMessage } from "./message.ts";
import type { MessageView } from "./message.ts";
import { shown } from "./shown.ts";
import type { Shown } from "./shown.ts";

const PATH_CHANGES = {
  confirmed: "ADDR_CONFIRMED",
  available: "ADDR_AVAILABLE",
  unreachable: "ADDR_UNREACHABLE",
  "potentially-failed": "ADDR_POTENTIALLY_FAILED",
  "made-primary": "ADDR_MADE_PRIM",
  added: "ADDR_ADDED",
  removed: "ADDR_REMOVED",
} as const;

const OUTCOMES = { performed: "", denied: " - DENIED by the peer", failed: " - FAILED" } as const;

/**
 * An event to be shown. `blocked` and `writable` have JSON only: they come many times a second.
 *
 * @param association undefined when a connect has failed, which never had one
 */
export function renderEvent(
  event: TransportEvent,
  association: Association | undefined,
  view: MessageView,
): Shown {
  if (event.type === "down") return renderDown(event, association);
  if (association === undefined) return shown([], { event: event.type });
  if (event.type === "message") return renderMessage(event, association, view);
  const { text, details } = describe(event, association);
  const { number } = association;
  const lines = text.map((line, index) => index === 0 && number > 0 ? `${line} (#${number})` : line);
  return shown(lines, {
    event: event.type,
    association: number,
    peer: showPeer(association),
    ...details,
  });
}

interface Description {
  readonly text: readonly string[];
  readonly details: Readonly<
    Record<string, string | number | boolean | readonly (string | number)[] | undefined>
  >;
}

type Described = Exclude<TransportEvent, { readonly type: "down" | "message" }>;

function describe(event: Described, association: Association): Description {
  switch (event.type) {
    case "up": {
      const { inboundStreams, outboundStreams, peerPort, peerAddresses } = event;
      return {
        text: [
          "NOTIFICATION: ASSOC_CHANGE - COMM_UP",
          `New connection, peer addresses; ${outboundStreams} streams out, ${inboundStreams} in`,
          ...transportAddresses(peerAddresses, peerPort).map(formatTransportAddress),
        ],
        details: {
          initiator: association.initiator,
          addresses: peerAddresses,
          port: peerPort,
          inboundStreams,
          outboundStreams,
        },
      };
    }
    case "restarted":
      return { text: ["NOTIFICATION: ASSOC_CHANGE - RESTART"], details: {} };
    case "path": {
      const { address, change } = event;
      return {
        text: [`NOTIFICATION: PEER_ADDR_CHANGE - ${PATH_CHANGES[change]}: ${address}`],
        details: { address, change },
      };
    }
    case "sendFailed": {
      const { stream, ppid, data, sent, failure = "association-ended", context = 0 } = event;
      return {
        text: [
          `NOTIFICATION: SEND_FAILED - ${
            sent ? "SENT" : "UNSENT"
          }: ${data.length} octets, stream ${stream}, PPID ${showPpid(ppid)}, ${SEND_FAILURES[failure]}`,
        ],
        details: { stream, ppid, length: data.length, sent, failure, context },
      };
    }
    case "remoteError":
      return {
        text: [`NOTIFICATION: REMOTE_ERROR - ${describeCause(event.cause)}`],
        details: { code: event.cause.code, cause: describeCause(event.cause) },
      };
    case "peerShutdown":
      return { text: ["NOTIFICATION: SHUTDOWN_EVENT - the peer takes no more messages"], details: {} };
    case "heartbeatAck": {
      const { address, roundTripMs } = event;
      return {
        text: [`HEARTBEAT ACK from ${address}: ${roundTripMs.toFixed(3)} ms`],
        details: { address, roundTripMs },
      };
    }
    case "blocked":
    case "writable":
      return { text: [], details: {} };
    case "senderDry":
      return { text: ["NOTIFICATION: SENDER_DRY - all is acknowledged"], details: {} };
    default:
      return describeExtension(event);
  }
}

type ExtensionEvent = Extract<
  TransportEvent,
  { readonly type: "adaptation" | "authentication" | "streamsReset" | "associationReset" | "streamsAdded" }
>;

function describeExtension(event: ExtensionEvent): Description {
  switch (event.type) {
    case "adaptation": {
      const value = `0x${event.indication.toString(16).padStart(8, "0")}`;
      return {
        text: [`NOTIFICATION: ADAPTATION_INDICATION - ${value}`],
        details: { indication: event.indication },
      };
    }
    case "authentication": {
      const { indication, keyId } = event;
      const words = { "new-key": "NEW_KEY", "free-key": "FREE_KEY", "no-authentication": "NO_AUTH" };
      const key = indication === "no-authentication" ? "" : `: key ${keyId}`;
      return {
        text: [`NOTIFICATION: AUTHENTICATION - ${words[indication]}${key}`],
        details: { indication, keyId },
      };
    }
    case "streamsReset": {
      const { direction, streams, outcome } = event;
      const which = streams.length === 0 ? "all streams" : `streams ${streams.join(", ")}`;
      return {
        text: [`NOTIFICATION: STREAM_RESET - ${direction}, ${which}${OUTCOMES[outcome]}`],
        details: { direction, streams, outcome },
      };
    }
    case "associationReset": {
      const { localTsn, peerTsn, outcome } = event;
      const tsns = outcome === "performed" ? `: next TSN ${localTsn}, the peer's ${peerTsn}` : "";
      return {
        text: [`NOTIFICATION: ASSOC_RESET${tsns}${OUTCOMES[outcome]}`],
        details: { localTsn, peerTsn, outcome },
      };
    }
    case "streamsAdded": {
      const { inboundStreams, outboundStreams, outcome } = event;
      return {
        text: [
          `NOTIFICATION: STREAM_CHANGE - ${outboundStreams} streams out, ${inboundStreams} in${
            OUTCOMES[outcome]
          }`,
        ],
        details: { inboundStreams, outboundStreams, outcome },
      };
    }
  }
}

const SEND_FAILURES = {
  "association-ended": "the association ended",
  abandoned: "given up",
  refused: "refused: it is too long, there is no such stream, or the association is about to end",
} as const;

/** The end of an association, or of the attempt to set one up. */
function renderDown(event: AssociationDown, association: Association | undefined): Shown {
  const { reason, origin, cause } = event;
  const state = association === undefined
    ? "CANT_STR_ASSOC"
    : reason === "shutdown"
    ? "SHUTDOWN_COMP"
    : "COMM_LOST";
  const number = association === undefined ? "" : ` (#${association.number})`;
  return shown(`NOTIFICATION: ASSOC_CHANGE - ${state}: ${describeDown(event)}${number}`, {
    event: "down",
    association: association?.number,
    peer: association === undefined ? undefined : showPeer(association),
    state,
    reason,
    origin,
    code: cause?.code,
    cause: cause === undefined ? undefined : causeName(cause.code),
    text: describeDown(event),
  });
}

/** Why an association ended or never came up, in words. */
export function describeDown({ reason, origin, cause }: AssociationDown): string {
  const because = cause === undefined ? "" : `: ${describeCause(cause)}`;
  const peer = origin === "peer";
  switch (reason) {
    case "shutdown":
      return peer ? "shut down by the peer" : "shut down";
    case "refused":
      return `Connection refused${because}`;
    case "timeout":
      return "the peer does not answer";
    case "aborted":
      return (peer ? "aborted by the peer" : "aborted") + because;
  }
}
