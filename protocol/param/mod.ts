/** The parameters that ASAP and ENRP share (RFC 5354, RFC 5356). */
export { PeChecksum } from "./checksum.ts";
export {
  CauseCode,
  errorFor,
  inconsistentPolicyError,
  inconsistentTransportError,
  operationError,
  poolPolicyOf,
  unrecognizedParameters,
} from "./operation_error.ts";
export type { ErrorCauseParameter, OperationError } from "./operation_error.ts";
export { describeError, describePolicy, describeTransport } from "./describe.ts";
export { ParameterType } from "./parameter_type.ts";
export {
  fractionFromWire,
  fractionToWire,
  isAdaptive,
  isSamePolicy,
  policyField,
  policyName,
  PolicyType,
} from "./policy.ts";
export type {
  KnownPolicy,
  PolicyField,
  PolicyName,
  PolicyParameter,
  UnknownPolicy,
  WithDistance,
  WithLoad,
  WithLoadAndDistance,
  WithLoadDegradation,
  WithWeight,
} from "./policy.ts";
export type { PoolElement } from "./pool_element.ts";
export { MAX_POOL_HANDLE_LENGTH } from "./pool_handle.ts";
export type { PoolHandle } from "./pool_handle.ts";
export type { ServerInformation } from "./server_information.ts";
export { MAX_TRANSPORT_ADDRESSES } from "./transport.ts";
export type {
  DccpTransport,
  OpaqueTransport,
  SctpTransport,
  TcpTransport,
  TransportBase,
  TransportParameter,
  TransportUse,
  UdpTransport,
} from "./transport.ts";
