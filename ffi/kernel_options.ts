/**
 * Socket options of an endpoint on kernel SCTP: which socket an option belongs to, and the options that are not one
 * structure of the kernel.
 *
 * @module
 */
import {
  type IpAddress,
  type PartialReliability,
  SOCKET_OPTIONS,
  SocketOptionError,
  type SocketOptionName,
  type SocketOptionTarget,
  type SocketOptionValue,
} from "../protocol/net.ts";
import { errno } from "./errno.ts";
import { NotificationType, ReliabilityPolicy, SctpOption } from "./kernel_abi.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import type { KernelLife } from "./kernel_life.ts";
import { optionError, readOption, writeOption } from "./kernel_option_access.ts";
import type { KernelTarget } from "./kernel_option_codec.ts";
import { OPTION_LAYOUTS } from "./kernel_option_layout.ts";
import { subscribe } from "./kernel_setup.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";
import { readStatistics } from "./kernel_statistics.ts";
import { Protocol } from "./structs.ts";

/** Fields of the option `event`, and the kernel's names of them. */
const EVENTS: Readonly<Record<string, keyof typeof NotificationType>> = {
  association: "associationChange",
  address: "peerAddressChange",
  remote_error: "remoteError",
  shutdown: "shutdown",
  partial_delivery: "partialDelivery",
  adaptation: "adaptation",
  authentication: "authentication",
  sender_dry: "senderDry",
  stream_reset: "streamReset",
  assoc_reset: "associationReset",
  stream_change: "streamChange",
  send_failed: "sendFailedEvent",
};
/** Without these the transport does not know what goes on. */
const NEEDED_EVENTS: ReadonlySet<string> = new Set([
  "association",
  "address",
  "shutdown",
  "partial_delivery",
  "send_failed",
]);

/** Where an option is read or set. */
interface Place {
  readonly socket: KernelSocket;
  readonly target: KernelTarget;
  readonly association: KernelAssociation | undefined;
}

/** Options of one endpoint. */
export class KernelOptions {
  /** When messages of associations to come are given up that do not say it themselves. */
  reliability: PartialReliability | undefined;
  readonly #sockets: KernelSockets;
  readonly #life: KernelLife;
  readonly #port: number;
  /** What was set for associations to come; a one-to-one endpoint has a new socket for each that it starts. */
  readonly #history = new Map<SocketOptionName, [SocketOptionValue, KernelTarget]>();

  /** @param port the endpoint's SCTP port */
  constructor(sockets: KernelSockets, life: KernelLife, port: number) {
    this.#sockets = sockets;
    this.#life = life;
    this.#port = port;
  }

  /** @throws {SocketOptionError} */
  get(name: SocketOptionName, target: SocketOptionTarget): SocketOptionValue {
    if (SOCKET_OPTIONS[name].access === "write") {
      refuse("ENOPROTOOPT", `Cannot read ${name}: it can be set only`);
    }
    const place = this.#place("read", name, target);
    switch (name) {
      case "get_assoc_number":
        return { value: this.#life.established.length };
      case "get_assoc_id_list":
        return { ids: this.#life.established.map(({ id }) => id) };
      case "event":
        return readEvents(place);
      case "pr_assoc_status":
        return readAbandoned(place, name, SctpOption.prAssociationStatus);
      case "pr_stream_status":
        return readAbandoned(place, name, SctpOption.prStreamStatus);
      case "get_assoc_stats":
        return readStatistics(place.socket, place.target.kernelId);
      case "get_peer_addr_info":
        return readOption(place.socket, name, withPath(place));
      default:
        return readOption(place.socket, name, place.target);
    }
  }

  /** @throws {SocketOptionError} */
  set(name: SocketOptionName, value: SocketOptionValue, target: SocketOptionTarget): void {
    if (SOCKET_OPTIONS[name].access === "read") {
      refuse("ENOPROTOOPT", `Cannot set ${name}: it can be read only`);
    }
    const place = this.#place("set", name, target);
    const { association, socket } = place;
    const sockets = OPTION_LAYOUTS[name]?.live && association === undefined ? this.#sockets.all : [socket];
    for (const one of sockets) write(one, name, value, place.target);
    if (association === undefined) {
      this.#history.set(name, [{ ...this.#history.get(name)?.[0], ...value }, place.target]);
    }
    if (name === "default_prinfo") {
      const reliability = reliabilityOf(readOption(socket, name, place.target));
      if (association === undefined) this.reliability = reliability;
      else association.reliability = reliability;
    }
  }

  /** Sets on a new socket what was set on the endpoint. */
  prepare(socket: KernelSocket): void {
    for (const [name, [value, target]] of this.#history) write(socket, name, value, target);
  }

  #place(doing: "read" | "set", name: SocketOptionName, target: SocketOptionTarget): Place {
    const { association: id, address, stream } = target, layout = OPTION_LAYOUTS[name];
    if (id === undefined) {
      if (layout?.ofAssociation || name === "pr_assoc_status" || name === "pr_stream_status") {
        refuse("EINVAL", `Cannot ${doing} ${name} without an association`);
      }
      if (address !== undefined) refuse("EINVAL", `Cannot ${doing} ${name} of a path without an association`);
      return { socket: this.#sockets.main, target: { kernelId: 0, port: 0, stream }, association: undefined };
    }
    const association = this.#life.byId(id);
    if (association === undefined) {
      refuse("ENOTCONN", `Cannot ${doing} ${name}: there is no association ${id}`);
    }
    if (layout !== undefined && layout.id === undefined && layout.live === undefined) {
      refuse("EINVAL", `Cannot ${doing} ${name} of one association: it belongs to the endpoint`);
    }
    if (doing === "set" && layout?.negotiated) {
      refuse(
        "EINVAL",
        `Cannot set ${name} of an association: it is agreed upon at its start; set it for the endpoint`,
      );
    }
    if (address !== undefined && layout?.address === undefined) {
      refuse("EINVAL", `Cannot ${doing} ${name} of one path: it has none`);
    }
    // The one option whose address is of this side.
    const port = name === "set_peer_primary_addr" ? this.#port : association.peerPort;
    const { socket, kernelId } = association;
    return { socket, target: { kernelId, address, port, stream }, association };
  }
}

function write(
  socket: KernelSocket,
  name: SocketOptionName,
  value: SocketOptionValue,
  target: KernelTarget,
): void {
  if (name === "event") writeEvents(socket, value, target.kernelId);
  else writeOption(socket, name, value, target);
}

/** The primary path where none is named. */
function withPath({ socket, target }: Place): KernelTarget {
  if (target.address !== undefined) return target;
  return { ...target, address: readOption(socket, "status", target)["primary"] as IpAddress | undefined };
}

function readEvents({ socket, target }: Place): SocketOptionValue {
  const value: Record<string, boolean> = {};
  for (const [field, name] of Object.entries(EVENTS)) {
    const view = new DataView(new ArrayBuffer(8)); // struct sctp_event: id 0, type 4, on 6
    view.setInt32(0, target.kernelId, true);
    view.setUint16(4, NotificationType[name], true);
    value[field] = socket.get(Protocol.sctp, SctpOption.event, view) >= 0 && view.getUint8(6) !== 0;
  }
  return value;
}

function writeEvents(socket: KernelSocket, value: SocketOptionValue, kernelId: number): void {
  for (const [field, on] of Object.entries(value)) {
    if (on === undefined) continue;
    const name = EVENTS[field];
    if (name === undefined) {
      refuse("EINVAL", `Cannot set event.${field}: it has ${Object.keys(EVENTS).join(", ")}`);
    }
    if (on !== true && on !== 1 && NEEDED_EVENTS.has(field)) {
      refuse(
        "EINVAL",
        `Cannot switch event.${field} off: without it the transport does not know what goes on`,
      );
    }
    const number = subscribe(socket, name, on === true || on === 1, kernelId);
    if (number !== 0) throw optionError("set", "event", number);
  }
}

/** `struct sctp_prstatus`: id 0, stream 4, policy 6, unsent 8, sent 16. */
function readAbandoned({ socket, target }: Place, name: SocketOptionName, number: number): SocketOptionValue {
  const value: Record<string, number> = {};
  for (const [policy, code] of Object.entries(ReliabilityPolicy)) {
    const view = new DataView(new ArrayBuffer(24));
    view.setInt32(0, target.kernelId, true);
    view.setUint16(4, target.stream ?? 0, true);
    view.setUint16(6, code, true);
    if (socket.get(Protocol.sctp, number, view) < 0) throw optionError("read", name, errno());
    value[`${policy}_unsent`] = Number(view.getBigUint64(8, true));
    value[`${policy}_sent`] = Number(view.getBigUint64(16, true));
  }
  return value;
}

/** What `default_prinfo` says. The kernel does not look at it for messages with ancillary data, which all have here. */
function reliabilityOf(option: SocketOptionValue): PartialReliability | undefined {
  const value = Number(option["value"]);
  switch (option["policy"]) {
    case "ttl":
      return { policy: "ttl", lifetimeMs: value };
    case "rtx":
      return { policy: "rtx", retransmissions: value };
    case "prio":
      return { policy: "prio", priority: value };
    default:
      return undefined;
  }
}

function refuse(code: string, message: string): never {
  throw new SocketOptionError(code, message);
}
