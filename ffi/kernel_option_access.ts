/**
 * Reads and sets one option of one socket of kernel SCTP, and says in words why the kernel refuses.
 *
 * @module
 */
import {
  SOCKET_OPTIONS,
  SocketOptionError,
  type SocketOptionName,
  type SocketOptionValue,
} from "../protocol/net.ts";
import { Errno, errno, errnoMeaning, errnoName } from "./errno.ts";
import { PathFlag } from "./kernel_abi.ts";
import {
  decodeOption,
  encodeOption,
  encodeQuestion,
  type KernelTarget,
  layoutOf,
} from "./kernel_option_codec.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import { Protocol, SocketOption } from "./structs.ts";

/** Associations to come. */
export const FUTURE: KernelTarget = { kernelId: 0, port: 0 };

/** spp_flags in struct sctp_paddrparams. */
const PATH_FLAGS_AT = 146;

/**
 * Reads an option.
 *
 * @throws {SocketOptionError} when the kernel has nothing to say
 */
export function readOption(
  socket: KernelSocket,
  name: SocketOptionName,
  target: KernelTarget = FUTURE,
): SocketOptionValue {
  return decodeOption(name, ask(socket, name, target));
}

/**
 * Sets an option; what is not given keeps its value.
 *
 * @throws {SocketOptionError} when the value or the target is refused
 */
export function writeOption(
  socket: KernelSocket,
  name: SocketOptionName,
  value: SocketOptionValue,
  target: KernelTarget = FUTURE,
): void {
  if (name === "peer_addr_params") {
    writePathParameters(socket, value, target);
    return;
  }
  const layout = layoutOf(name);
  const all = Object.keys(layout.fields).every((field) => value[field] !== undefined);
  const partial = !all && layout.zeroKeeps === undefined && SOCKET_OPTIONS[name].access === "read-write";
  const before = partial ? ask(socket, name, target) : encodeQuestion(layout, target);
  put(socket, name, encodeOption(name, value, before, target.port));
}

/**
 * An error in a sentence: what the kernel said, and what can be done about it.
 *
 * @param doing "read" or "set"
 */
export function optionError(doing: string, name: SocketOptionName, number: number): SocketOptionError {
  const code = errnoName(number);
  const why = hint(name, number) ?? errnoMeaning(number) ?? "the kernel refuses";
  return new SocketOptionError(code, `Cannot ${doing} ${name}: ${why} (${code})`);
}

/** Value of a setting of this network namespace, `net.sctp.NAME`; undefined when it cannot be read. */
export function sctpSetting(name: string): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/sys/net/sctp/${name}`).trim();
  } catch {
    return undefined;
  }
}

/** Why an association has no dynamic addresses, as far as this side can see. */
export function whyNoDynamicAddresses(): string {
  const off = ["addip_enable", "auth_enable"].filter((name) => sctpSetting(name) === "0");
  const here = off.length === 0 ? "" : `, or sysctl -w ${off.map((name) => `net.sctp.${name}=1`).join(" ")}`;
  return "the association has no dynamic addresses: before it is set up, both sides need asconf_supported and " +
    `auth_supported${here}`;
}

const AUTHENTICATION: ReadonlySet<SocketOptionName> = new Set(
  [
    "auth_chunk",
    "hmac_ident",
    "auth_key",
    "auth_active_key",
    "auth_delete_key",
    "auth_deactivate_key",
    "peer_auth_chunks",
    "local_auth_chunks",
  ] as const,
);

function hint(name: SocketOptionName, number: number): string | undefined {
  if (number === Errno.ENOPROTOOPT) return "this kernel does not have it";
  if (number === Errno.EACCES && AUTHENTICATION.has(name)) {
    return "authentication is off: set auth_supported before the association is set up, or sysctl -w net.sctp.auth_enable=1";
  }
  if (name === "set_peer_primary_addr") {
    if (number === Errno.EPERM) return whyNoDynamicAddresses();
    if (number === Errno.EADDRNOTAVAIL) return "it is not an address of this endpoint";
  }
  if (name === "interleaving_supported" && number === Errno.EPERM) {
    return sctpSetting("intl_enable") === "0"
      ? "the kernel's settings forbid it: sysctl -w net.sctp.intl_enable=1"
      : "it needs fragment_interleave";
  }
  if (name === "autoclose" && number === Errno.EOPNOTSUPP) {
    return "the kernel does this for one-to-many sockets only";
  }
  if (name === "reuse_port" && number === Errno.EFAULT) return "the port is bound already";
  return undefined;
}

function ask(socket: KernelSocket, name: SocketOptionName, target: KernelTarget): DataView<ArrayBuffer> {
  const view = encodeQuestion(layoutOf(name), target);
  const { level, number } = SOCKET_OPTIONS[name];
  const length = socket.get(level === "sctp" ? Protocol.sctp : SocketOption.level, number, view);
  if (length < 0) throw optionError("read", name, errno());
  return view;
}

function put(socket: KernelSocket, name: SocketOptionName, view: DataView): void {
  if (name === "sndbuf") {
    socket.setSendBuffer(view.getInt32(0, true));
    return;
  }
  if (name === "rcvbuf") {
    socket.setReceiveBuffer(view.getInt32(0, true));
    return;
  }
  const { level, number } = SOCKET_OPTIONS[name];
  const error = socket.set(level === "sctp" ? Protocol.sctp : SocketOption.level, number, view);
  if (error !== 0) throw optionError("set", name, error);
}

/** The kernel takes each field of struct sctp_paddrparams only with a flag that says so, and an interval only with "on". */
function writePathParameters(socket: KernelSocket, value: SocketOptionValue, target: KernelTarget): void {
  const name = "peer_addr_params";
  const view = encodeOption(name, value, encodeQuestion(layoutOf(name), target), target.port);
  const now = readOption(socket, name, target);
  const { hbinterval, heartbeat = now["heartbeat"], pathmtu, pmtud, sackdelay } = value;
  const delayed = value["sackdelay_enabled"] ?? (Number(sackdelay ?? 0) > 0 ? true : undefined);
  if (pathmtu !== undefined && isOn(pmtud ?? now["pmtud"])) {
    throw new SocketOptionError(
      "EINVAL",
      `Cannot set ${name}.pathmtu while the path MTU is discovered: set pmtud off`,
    );
  }
  let flags = 0;
  if (hbinterval !== undefined || (value["heartbeat"] !== undefined && isOn(heartbeat))) {
    flags |= PathFlag.heartbeatEnable | (hbinterval === 0 ? PathFlag.heartbeatTimeIsZero : 0);
  }
  if (pmtud !== undefined || pathmtu !== undefined) {
    flags |= isOn(pmtud) ? PathFlag.mtuDiscoveryEnable : PathFlag.mtuDiscoveryDisable;
  }
  if (delayed !== undefined) {
    flags |= isOn(delayed) ? PathFlag.sackDelayEnable : PathFlag.sackDelayDisable;
  }
  if (value["ipv6_flowlabel"] !== undefined) flags |= PathFlag.flowLabel;
  if (value["dscp"] !== undefined) flags |= PathFlag.dscp;
  view.setUint32(PATH_FLAGS_AT, flags, true);
  put(socket, name, view);
  if (isOn(heartbeat) || (value["heartbeat"] === undefined && hbinterval === undefined)) return;
  const disable = encodeQuestion(layoutOf(name), target);
  disable.setUint32(PATH_FLAGS_AT, PathFlag.heartbeatDisable, true);
  put(socket, name, disable);
}

function isOn(value: SocketOptionValue[string]): boolean {
  return value === true || value === 1;
}
