import {
  describeElement,
  describeError,
  describeId,
  describePolicy,
  describeServer,
  describeTransport,
} from "../param/describe.ts";
import type { OperationError } from "../param/operation_error.ts";
import { showText } from "../wire/text.ts";
import type { AsapMessage, BusinessCard, HandleResolutionResponse } from "./message.ts";

/**
 * A message as one line of text for people. The text is not for programs: it may change.
 *
 * @param message any message
 * @returns for example `Endpoint Keep-Alive of EchoPool, element $11223344, from registrar $c2818128`
 */
export function describeAsap(message: AsapMessage): string {
  switch (message.type) {
    case "registration":
      return `Registration in ${pool(message)}: ${describeElement(message.element)}, ` +
        `life ${message.element.registrationLifeMs} ms`;
    case "deregistration":
      return `Deregistration from ${pool(message)}, ${element(message)}`;
    case "registrationResponse":
      return `Registration Response for ${pool(message)}, ${element(message)}: ` +
        (message.rejected ? "rejected" : "accepted") + because(message);
    case "deregistrationResponse":
      return `Deregistration Response for ${pool(message)}, ${element(message)}${because(message)}`;
    case "handleResolution":
      return `Handle Resolution of ${pool(message)}` +
        (message.items === undefined ? "" : `, ${message.items} item${message.items === 1 ? "" : "s"}`) +
        (message.subscribe ? ", subscribe" : "");
    case "handleResolutionResponse":
      return `Handle Resolution Response for ${pool(message)}${elements(message)}${because(message)}` +
        (message.acceptUpdates ? ", updates will follow" : "");
    case "endpointKeepAlive":
      return `Endpoint Keep-Alive of ${pool(message)}` +
        (message.elementId === undefined ? "" : `, element ${describeId(message.elementId)}`) +
        `, from ${message.home ? "new home " : ""}registrar ${describeId(message.registrarId)}`;
    case "endpointKeepAliveAck":
      return `Endpoint Keep-Alive Ack of ${pool(message)}, ${element(message)}`;
    case "endpointUnreachable":
      return `Endpoint Unreachable: ${pool(message)}, ${element(message)}`;
    case "serverAnnounce":
      return [
        `Server Announce of registrar ${describeId(message.registrarId)}`,
        ...(message.transports ?? []).map(describeTransport),
        ...(message.serverInformation === undefined ? [] : [describeServer(message.serverInformation)]),
      ].join(", ");
    case "cookie":
      return `Cookie of ${message.cookie.length} octets`;
    case "cookieEcho":
      return `Cookie Echo of ${message.cookie.length} octets`;
    case "businessCard":
      return `Business Card: ${pool(message)}${elements(message)}`;
    case "error":
      return `Error${because(message)}`;
  }
}

function pool({ poolHandle }: { readonly poolHandle: Uint8Array }): string {
  return showText(poolHandle);
}

function element({ elementId }: { readonly elementId: number }): string {
  return `element ${describeId(elementId)}`;
}

/** `: RoundRobin, 2 elements $11223344 $55667788`; nothing when there are none. */
function elements(message: HandleResolutionResponse | BusinessCard): string {
  const { policy, elements } = message;
  const parts = policy === undefined ? [] : [describePolicy(policy)];
  if (elements.length > 0) {
    const ids = elements.map(({ elementId }) => describeId(elementId));
    parts.push(`${elements.length} element${elements.length === 1 ? "" : "s"} ${ids.join(" ")}`);
  }
  return parts.length === 0 ? "" : `: ${parts.join(", ")}`;
}

function because({ error }: { readonly error?: OperationError | undefined }): string {
  return error === undefined ? "" : `: ${describeError(error)}`;
}
