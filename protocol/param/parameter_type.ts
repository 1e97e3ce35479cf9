/** Parameter types of ASAP and ENRP (RFC 5354 §3, and the handle resolution option of draft-dreibholz-rserpool-asap-hropt). */
export const ParameterType = {
  ipv4Address: 0x0001,
  ipv6Address: 0x0002,
  dccpTransport: 0x0003,
  sctpTransport: 0x0004,
  tcpTransport: 0x0005,
  udpTransport: 0x0006,
  udpLiteTransport: 0x0007,
  memberSelectionPolicy: 0x0008,
  poolHandle: 0x0009,
  poolElement: 0x000a,
  serverInformation: 0x000b,
  operationError: 0x000c,
  cookie: 0x000d,
  peIdentifier: 0x000e,
  peChecksum: 0x000f,
  opaqueTransport: 0x0010,
  handleResolutionOption: 0x803f,
} as const;

/** One of the parameter types that this program knows. */
export type ParameterType = typeof ParameterType[keyof typeof ParameterType];

const KNOWN: ReadonlySet<number> = new Set(Object.values(ParameterType));

/** Whether this program knows the parameter type; the others are treated by their action bits. */
export function isKnownParameter(type: number): boolean {
  return KNOWN.has(type);
}

/** What to do with a parameter of unknown type: its two highest bits say so (RFC 5354 §3). */
export type UnknownParameterAction = "stop" | "stop-and-report" | "skip" | "skip-and-report";

/** The action bits of a parameter type. */
export function unknownParameterAction(type: number): UnknownParameterAction {
  switch (type >>> 14) {
    case 0:
      return "stop";
    case 1:
      return "stop-and-report";
    case 2:
      return "skip";
    default:
      return "skip-and-report";
  }
}
