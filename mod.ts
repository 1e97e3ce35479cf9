/**
 * `rsp`: SCTP and Reliable Server Pooling (RFC 5351-5356) in TypeScript on Deno. This module is the library side of
 * the toolkit, for tests, tools and other programs. It has two floors.
 *
 * Pools that run, with promises and `await using`: {@linkcode PoolSession} for a pool's user,
 * {@linkcode PoolElement} for a server in a pool, {@linkcode PoolClient} for several sessions, {@linkcode PoolRegistrar}.
 *
 * @example A pool, a server in it, and its user
 * ```ts
 * import { PoolElement, PoolRegistrar, PoolSession } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * await using registrar = await PoolRegistrar.start({ local: "127.0.0.1", announce: "off" });
 * const options = { registrars: [registrar.address], announce: "off" } as const;
 * await using _server = await PoolElement.serve("UpperPool", async (session) => {
 *   for await (const { text } of session) await session.send(text.toUpperCase());
 * }, options);
 * await using session = await PoolSession.open("UpperPool", options);
 * assert.equal((await session.request("hello")).text, "HELLO");
 * ```
 *
 * Below, the protocols. Nothing there opens a socket, reads a clock or keeps a timer. Codecs turn octets into values and
 * back. Everything that has a state is a {@linkcode Machine}: inputs and the time go in, effects come out, and a driver of
 * yours carries the effects out. From the ground up:
 *
 * - octets: {@linkcode Reader}, {@linkcode Writer}
 * - messages: {@linkcode readAsap}, {@linkcode writeAsap}, {@linkcode readEnrp}, {@linkcode writeEnrp}
 * - SCTP: {@linkcode SctpStack}
 * - pools: {@linkcode Handlespace}
 * - machines: {@linkcode Registrar}, {@linkcode ServiceHost}, {@linkcode SessionClient}, {@linkcode HandlespaceReader}
 * - status reports to a monitor: {@linkcode Reporter}, {@linkcode readComponentReport}
 * - an application: {@linkcode FractalServer}, {@linkcode FractalClient}, {@linkcode computePoints}
 *
 * @example An ASAP message there and back
 * ```ts
 * import { encodeText, readAsap, writeAsap } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 *
 * const octets = writeAsap({ type: "handleResolution", poolHandle: encodeText("EchoPool"), items: 1 });
 * const message = readAsap(octets);
 * assert.ok(message.type === "handleResolution");
 * assert.equal(message.items, 1);
 * ```
 *
 * @example Two SCTP stacks set up an association, without a network in between
 * ```ts
 * import { SctpStack } from "@rsp/rsp";
 * import type { PacketTransmit, StackEnvironment } from "@rsp/rsp";
 * import assert from "node:assert/strict";
 * import { createHmac, randomFillSync } from "node:crypto";
 *
 * function stackAt(address: string): SctpStack {
 *   const environment: StackEnvironment = {
 *     random: (octets) => randomFillSync(octets),
 *     mac: (key, data) => createHmac("sha256", key).update(data).digest(),
 *     route: () => ({ source: address, mtu: 1500 }),
 *     localAddresses: () => [address],
 *     raw: true,
 *   };
 *   return new SctpStack(environment);
 * }
 *
 * const client = stackAt("10.1.0.1");
 * const server = stackAt("10.1.0.2");
 * client.open(1, { port: 40000 }, 0);
 * server.open(1, { port: 4711, listen: true }, 0);
 * client.execute(1, { type: "connect", request: 1, addresses: ["10.1.0.2"], port: 4711, encapsulationPort: 0 }, 0);
 *
 * // A driver's work: fetch packets until there are none, and hand each to the other side.
 * const buffer = new Uint8Array(65535);
 * const transmit: PacketTransmit = { length: 0, source: undefined, destination: "", udpPort: 0, localPort: 0 };
 * for (let round = 0; round < 4; round++) {
 *   for (const [from, to, source] of [[client, server, "10.1.0.1"], [server, client, "10.1.0.2"]] as const) {
 *     while (from.pollTransmit(buffer, transmit, 0)) {
 *       const packet = buffer.slice(0, transmit.length);
 *       to.receive(packet, { source, destination: transmit.destination, udpPort: transmit.udpPort }, 0);
 *     }
 *     to.endOfBatch(0);
 *   }
 * }
 * assert.ok(client.drain().some(({ event }) => event.type === "up" && event.request === 1));
 * assert.ok(server.drain().some(({ event }) => event.type === "up"));
 * ```
 *
 * @module
 */

// Pools that run: sessions, elements and a registrar with promises and `await using`.
export {
  ElementSession,
  PoolClient,
  PoolElement,
  PoolError,
  PoolMessage,
  PoolRegistrar,
  PoolSession,
} from "./cmd/library/mod.ts";
export type {
  ElementSessionEvent,
  EncapsulationChoice,
  PoolClientOptions,
  PoolCookie,
  PoolElementOptions,
  PoolErrorReason,
  PoolFailover,
  PoolLogEntry,
  PoolMessageEvent,
  PoolOptions,
  PoolRegistrarOptions,
  PoolService,
  PoolSessionEvent,
  PoolSessionOptions,
  RequestMessageOptions,
  SendOptions,
  TransportChoice,
} from "./cmd/library/mod.ts";

// Octets.
export {
  assert,
  DecodeError,
  encodeText,
  hexDump,
  InvariantError,
  Reader,
  showText,
  StateError,
  Writer,
} from "./protocol/wire/mod.ts";
export type { DecodeReason } from "./protocol/wire/mod.ts";

// Machines and what they say of the network.
export { earliest, Outbox, Prng, TimerQueue } from "./protocol/machine.ts";
export type { Machine } from "./protocol/machine.ts";
export {
  addressScope,
  BASIC_SOCKET_OPTIONS,
  EXTENSION_SOCKET_OPTIONS,
  findSocketOption,
  formatIpAddress,
  formatTransportAddress,
  formatTransportAddresses,
  ipAddressOctets,
  isIpv4,
  isLoopback,
  parseIpAddress,
  Ppid,
  scopeRank,
  SOCKET_OPTION_WORDS,
  SOCKET_OPTIONS,
  socketOption,
  SocketOptionError,
  transportAddresses,
} from "./protocol/net.ts";
export type {
  AdaptationIndicated,
  AddressScope,
  AddStreamsCommand,
  AssociationDown,
  AssociationEvent,
  AssociationExtensions,
  AssociationId,
  AssociationReset,
  AssociationStatistics,
  AssociationStatus,
  AssociationUp,
  AuthenticationChanged,
  CapturedPacket,
  ConnectCommand,
  DownReason,
  Endpoint,
  EndpointOpened,
  EndpointOptions,
  ErrorCause,
  EventHandler,
  HeartbeatAnswered,
  Instant,
  IpAddress,
  MessageReceived,
  NetworkEffect,
  NetworkInput,
  PacketError,
  PacketMeta,
  PacketObserver,
  PacketTransmit,
  PartialReliability,
  PathChanged,
  PathState,
  PathStatus,
  ReconfigurationOutcome,
  RemoteError,
  ResetStreamsCommand,
  Route,
  RtoTimes,
  SendCommand,
  SendFailed,
  SendFailure,
  SocketOptionDescription,
  SocketOptionField,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  SocketOptionWords,
  StreamsAdded,
  StreamsReset,
  Transport,
  TransportAddress,
  TransportCommand,
  TransportEvent,
} from "./protocol/net.ts";

// SCTP.
export { encapsulationPort, SctpStack } from "./protocol/sctp/mod.ts";
export type { StackCounters, StackEnvironment, StackEvent } from "./protocol/sctp/mod.ts";

// Parameters and messages of ASAP and ENRP.
export {
  CauseCode,
  describeError,
  describePolicy,
  describeTransport,
  errorFor,
  fractionFromWire,
  fractionToWire,
  inconsistentPolicyError,
  inconsistentTransportError,
  isAdaptive,
  isSamePolicy,
  MAX_POOL_HANDLE_LENGTH,
  MAX_TRANSPORT_ADDRESSES,
  operationError,
  ParameterType,
  PeChecksum,
  policyField,
  policyName,
  PolicyType,
  poolPolicyOf,
  unrecognizedParameters,
} from "./protocol/param/mod.ts";
export type {
  DccpTransport,
  ErrorCauseParameter,
  KnownPolicy,
  OpaqueTransport,
  OperationError,
  PolicyField,
  PolicyName,
  PolicyParameter,
  PoolElement as PoolElementParameter,
  PoolHandle,
  SctpTransport,
  ServerInformation,
  TcpTransport,
  TransportBase,
  TransportParameter,
  TransportUse,
  UdpTransport,
  UnknownPolicy,
  WithDistance,
  WithLoad,
  WithLoadAndDistance,
  WithLoadDegradation,
  WithWeight,
} from "./protocol/param/mod.ts";
export { AsapType, describeAsap, readAsap, writeAsap } from "./protocol/asap/mod.ts";
export type {
  AboutElement,
  AboutPool,
  AsapBase,
  AsapError,
  AsapMessage,
  BusinessCard,
  Cookie,
  CookieEcho,
  Deregistration,
  DeregistrationResponse,
  EndpointKeepAlive,
  EndpointKeepAliveAck,
  EndpointUnreachable,
  HandleResolution,
  HandleResolutionResponse,
  Registration,
  RegistrationResponse,
  ServerAnnounce,
} from "./protocol/asap/mod.ts";
export { describeEnrp, EnrpType, readEnrp, writeEnrp } from "./protocol/enrp/mod.ts";
export type {
  EnrpBase,
  EnrpError,
  EnrpMessage,
  HandleTableRequest,
  HandleTableResponse,
  HandleUpdate,
  InitTakeover,
  InitTakeoverAck,
  ListRequest,
  ListResponse,
  PoolEntry,
  Presence,
  TakeoverServer,
} from "./protocol/enrp/mod.ts";

// Pools.
export { findPolicy, policies } from "./protocol/policy/mod.ts";
export type { Policy, Selectable, Selection, SelectionState } from "./protocol/policy/mod.ts";
export { Handlespace, poolKey } from "./protocol/handlespace/mod.ts";
export type {
  ElementEntry,
  ElementPlace,
  HandlespaceLimits,
  Pool,
  RegisterResult,
} from "./protocol/handlespace/mod.ts";

// The registrar.
export { MessageTap, Peer, PeerList, Registrar, RFC_TIMES, RSPLIB_TIMES } from "./protocol/registrar/mod.ts";
export type {
  MessageReport,
  MinimumScope,
  PeerDownReason,
  RegistrarEffect,
  RegistrarInput,
  RegistrarLimits,
  RegistrarOptions,
  RegistrarReport,
  RegistrarStatistics,
  RegistrarTimes,
  RemovalReason,
  StaticPeer,
} from "./protocol/registrar/mod.ts";

// Pool elements and pool users: ASAP alone, and with sessions.
export { HandlespaceReader, renderState, stateObject } from "./protocol/dump/mod.ts";
export type {
  ElementObject,
  PeerObject,
  PeerView,
  PoolObject,
  ReaderEffect,
  ReaderInput,
  ReaderOptions,
  ReaderReport,
  RegistrarState,
  StateObject,
} from "./protocol/dump/mod.ts";
export { PoolMembership } from "./protocol/element/mod.ts";
export type {
  ElementReport,
  MembershipEffect,
  MembershipOptions,
  MembershipState,
} from "./protocol/element/mod.ts";
export { PoolUser } from "./protocol/user/mod.ts";
export type {
  HuntOptions,
  PoolUserOptions,
  RegistrarLinkReport,
  RequestOptions,
  UserEffect,
  UserEvent,
  UserReport,
} from "./protocol/user/mod.ts";
export {
  DATA_ENDPOINT,
  HUNT_ENDPOINT,
  isSessionEvent,
  ServiceHost,
  serviceHostEndpoints,
  SessionClient,
  sessionClientEndpoints,
} from "./protocol/session/mod.ts";
export type {
  ClientSessionReport,
  FailoverCommand,
  HostSessionReport,
  LifecycleInput,
  ServiceHostEffect,
  ServiceHostInput,
  ServiceHostOptions,
  ServiceHostReport,
  SessionAssociation,
  SessionClientEffect,
  SessionClientInput,
  SessionClientOptions,
  SessionClientReport,
  SessionClosed,
  SessionCommand,
  SessionCookie,
  SessionEvent,
  SessionEventBase,
  SessionFailover,
  SessionId,
  SessionLoss,
  SessionMessage,
  SessionOpened,
  SessionReport,
  SessionSend,
} from "./protocol/session/mod.ts";

// Applications.
export { ApplicationMachine, FailoverPause, ReplyFlow, SessionLimit } from "./protocol/app/mod.ts";
export type {
  Application,
  ApplicationEffect,
  ApplicationInput,
  ApplicationOutlet,
  ElementService,
  ReplyFlowReport,
  SessionLimitReport,
  Sessions,
} from "./protocol/app/mod.ts";

// The Ping Pong Service.
export {
  MAX_PING_DATA,
  MAX_UNANSWERED_PINGS,
  PingPongClient,
  PingPongServer,
  PingPongType,
  readPingPong,
  readPingPongCookie,
  writePingPong,
  writePingPongCookie,
} from "./protocol/app/pingpong/mod.ts";
export type {
  Ping,
  PingPongClientEffect,
  PingPongClientOptions,
  PingPongClientReport,
  PingPongCookie,
  PingPongElement,
  PingPongMessage,
  PingPongServerOptions,
  PingPongServerReport,
  PingPongStatistics,
  Pong,
  RoundTrips,
} from "./protocol/app/pingpong/mod.ts";

// The Fractal Generator Service.
export {
  COLOUR_COUNT,
  colourOf,
  computePoints,
  FractalAlgorithm,
  FractalClient,
  FractalServer,
  hsvToRgb,
  markedValue,
  MAX_DATA_POINTS,
  MAX_FRACTAL_ITERATIONS,
  MAX_FRACTAL_SIZE,
  partition,
  readFractal,
  readFractalCookie,
  subParameter,
  TEST_PATTERN,
  writeFractal,
  writeFractalCookie,
} from "./protocol/app/fractal/mod.ts";
export type {
  CancelInput,
  ColourMarks,
  ComputeEffect,
  ComputeInput,
  ComputeJob,
  ElementStatistics,
  FractalClientEffect,
  FractalClientInput,
  FractalClientOptions,
  FractalClientReport,
  FractalCookie,
  FractalData,
  FractalEnd,
  FractalMessage,
  FractalParameter,
  FractalPoints,
  FractalServerEffect,
  FractalServerInput,
  FractalServerOptions,
  FractalServerReport,
  ImageInput,
  ImageStatistics,
  Rectangle,
} from "./protocol/app/fractal/mod.ts";

// The CalcApp service.
export {
  CalcAppClient,
  CalcAppServer,
  MAX_JOB_SIZE,
  readCalcApp,
  readCalcAppCookie,
  writeCalcApp,
  writeCalcAppCookie,
} from "./protocol/app/calcapp/mod.ts";
export type {
  ArrivalOptions,
  CalcAppClientInput,
  CalcAppClientOptions,
  CalcAppClientReport,
  CalcAppComplete,
  CalcAppCookie,
  CalcAppMessage,
  CalcAppRequest,
  CalcAppServerOptions,
  CalcAppServerReport,
  CalcAppSignal,
  JobRecord,
} from "./protocol/app/calcapp/mod.ts";

// The scripting service.
export {
  describeJobStatus,
  JobStatus,
  MAX_SCRIPTING_DATA,
  MAX_SCRIPTING_INFO,
  NotReadyReason,
  readScripting,
  ScriptingClient,
  ScriptingServer,
  writeScripting,
} from "./protocol/app/scripting/mod.ts";
export type {
  EnvironmentFailure,
  EnvironmentHash,
  EnvironmentMessage,
  FileMessage,
  JobEnded,
  JobFile,
  JobId,
  JobPlace,
  JobPrinted,
  JobResult,
  KeepAliveAckMessage,
  KeepAliveMessage,
  NotReadyMessage,
  PrintChannel,
  PrintMessage,
  ReadyMessage,
  ScriptingClientEffect,
  ScriptingClientInput,
  ScriptingClientOptions,
  ScriptingClientReport,
  ScriptingMessage,
  ScriptingServerEffect,
  ScriptingServerInput,
  ScriptingServerOptions,
  ScriptingServerReport,
  StatusMessage,
} from "./protocol/app/scripting/mod.ts";

// Status reports (CSP).
export {
  ComponentGroup,
  componentGroupOf,
  componentId,
  componentLabel,
  componentLocation,
  componentObjectOf,
  CSP_PORT,
  describeComponent,
  elementStatus,
  MAX_CSP_ASSOCIATIONS,
  Monitor,
  readComponentReport,
  RegistrarContact,
  registrarStatus,
  Reporter,
  UserStatus,
  writeComponentReport,
} from "./protocol/csp/mod.ts";
export type {
  Component,
  ComponentAssociation,
  ComponentColumns,
  ComponentId,
  ComponentReport,
  ComponentStatus,
  MonitorEffect,
  MonitorInput,
  MonitorOptions,
  MonitorReport,
  MonitorStatistics,
  ReporterEffect,
  ReporterInput,
  ReporterOptions,
} from "./protocol/csp/mod.ts";
