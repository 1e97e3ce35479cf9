/**
 * Parameters as one line of text for people: logs, reports, displays.
 *
 * @module
 */
import { formatTransportAddress } from "../net.ts";
import { showText } from "../wire/text.ts";
import { CauseCode, type OperationError } from "./operation_error.ts";
import { fractionFromWire, type PolicyParameter } from "./policy.ts";
import type { PoolElement } from "./pool_element.ts";
import type { ServerInformation } from "./server_information.ts";
import type { TransportParameter } from "./transport.ts";

/** An ID as RSPLIB's programs show it: `$11223344`. */
export function describeId(identifier: number): string {
  return `$${identifier.toString(16).padStart(8, "0")}`;
}

/** An ID as options take it: `0x11223344`. */
export function showId(identifier: number): string {
  return `0x${identifier.toString(16).padStart(8, "0")}`;
}

/** `sctp 10.1.0.1:4711, 10.2.0.1:4711 (data+control)` */
export function describeTransport(transport: TransportParameter): string {
  if (transport.protocol === "opaque") return `opaque ${showText(transport.value)}`;
  const { protocol, port, use, addresses } = transport;
  const where = addresses.map((address) => formatTransportAddress({ address, port })).join(", ");
  return `${protocol} ${where} (${use})`;
}

/** `LeastUsedDegradation (load 25.0%, loadDegradation 10.0%)` */
export function describePolicy(policy: PolicyParameter): string {
  if (policy.name === "unknown") return `policy 0x${policy.type.toString(16)}`;
  const { name, type: _, ...fields } = policy;
  const shown = Object.entries(fields).map(([field, value]) =>
    /^load|Dpf$/.test(field) ? `${field} ${(100 * fractionFromWire(value)).toFixed(1)}%` : `${field} ${value}`
  );
  return shown.length === 0 ? name : `${name} (${shown.join(", ")})`;
}

/** ID, transport, policy. */
export function describeElement(element: PoolElement): string {
  const { elementId, userTransport, policy } = element;
  return `element ${describeId(elementId)} at ${describeTransport(userTransport)}, ${describePolicy(policy)}`;
}

/** ID and transport. */
export function describeServer({ registrarId, transport }: ServerInformation): string {
  return `registrar ${describeId(registrarId)} at ${describeTransport(transport)}`;
}

const CAUSE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(CauseCode).map(([name, code]) => [code, inWords(name)]),
);

/** `unknown pool handle (0x9)`; several causes joined by "; ". */
export function describeError(error: OperationError): string {
  const describeCause = (code: number) =>
    `${CAUSE_NAMES.get(code) ?? "unknown cause"} (0x${code.toString(16)})`;
  return error.map(({ code }) => describeCause(code)).join("; ");
}

/** "unknownPoolHandle" → "unknown pool handle" */
function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
