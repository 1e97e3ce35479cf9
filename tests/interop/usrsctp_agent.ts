/**
 * usrsctp (libusrsctp.so.2, 0.9.5) as an agent of the interoperation tests; see `agent_protocol.ts`. Non-blocking
 * sockets and polling, since nothing else is safe with it. Its only argument is its UDP port for encapsulation.
 */
import { Errno, errno } from "../../ffi/errno.ts";
import { leaseLibc } from "../../ffi/libc.ts";
import { encodeSockaddr, readSockaddrAddress } from "../../ffi/sockaddr.ts";
import type {
  UsrsctpFields,
  UsrsctpMessage,
  UsrsctpOption,
  UsrsctpOrder,
  UsrsctpReport,
} from "./agent_protocol.ts";
import { messageOf, PPID, sameOctets } from "./peer_protocol.ts";
import { TextLineStream } from "./text_lines.ts";
import { USRSCTP_LIBRARY, USRSCTP_SYMBOLS } from "./usrsctp_library.ts";

const usrsctp = Deno.dlopen(USRSCTP_LIBRARY, USRSCTP_SYMBOLS).symbols;
leaseLibc(); // for errno, which usrsctp sets like any library

const SOCK_STREAM = 1, IPPROTO_SCTP = 132, SOL_SOCKET = 1, SO_SNDBUF = 7, SO_RCVBUF = 8, SHUT_WR = 1;
const MSG_NOTIFICATION = 0x2000, MSG_EOR = 0x80, SCTP_UNORDERED = 0x400;
const SCTP_NODELAY = 4, SCTP_EVENT = 0x1e, SCTP_RECVRCVINFO = 0x1f;
const SCTP_SENDV_SPA = 4, SNDINFO_VALID = 1, PRINFO_VALID = 2, AUTHINFO_VALID = 4;
const BINDX_ADD = 0x8001, BINDX_REMOVE = 0x8002;
const BUFFER_BYTES = 1 << 20;
const POLL_MS = 2;

interface Notification {
  readonly name: string;
  read(view: DataView, bytes: number): UsrsctpFields;
}

/** Notifications by number: those that the tests read, and how to read them. */
const NOTIFICATIONS: ReadonlyMap<number, Notification> = new Map(
  Object.entries<Notification>({
    1: {
      name: "ASSOC_CHANGE",
      read: (view, bytes) => ({
        state: u16(view, 8),
        outbound: u16(view, 12),
        inbound: u16(view, 14),
        supports: new Uint8Array(view.buffer).slice(20, bytes).toHex(),
      }),
    },
    2: {
      name: "PEER_ADDR_CHANGE",
      read: (view) => ({ address: readSockaddrAddress(view, 8) ?? "", state: view.getUint32(136, true) }),
    },
    3: { name: "REMOTE_ERROR", read: (view) => ({ error: view.getUint16(8) }) },
    5: { name: "SHUTDOWN_EVENT", read: () => ({}) },
    6: { name: "ADAPTATION_INDICATION", read: (view) => ({ indication: view.getUint32(8, true) }) },
    7: { name: "PARTIAL_DELIVERY_EVENT", read: (view) => ({ stream: view.getUint32(12, true) }) },
    8: {
      name: "AUTHENTICATION_EVENT",
      read: (view) => ({ key: u16(view, 8), indication: view.getUint32(12, true) }),
    },
    9: { name: "STREAM_RESET_EVENT", read: (view, bytes) => ({ streams: numbersFrom(view, 12, bytes) }) },
    12: {
      name: "ASSOC_RESET_EVENT",
      read: (view) => ({ local: view.getUint32(12, true), remote: view.getUint32(16, true) }),
    },
    13: {
      name: "STREAM_CHANGE_EVENT",
      read: (view) => ({ inbound: u16(view, 12), outbound: u16(view, 14) }),
    },
    14: {
      name: "SEND_FAILED_EVENT",
      read: (view, bytes) => ({ stream: u16(view, 12), length: bytes - 32 }),
    },
  }).map(([type, notification]) => [Number(type), notification]),
);

function u16(view: DataView, offset: number): number {
  return view.getUint16(offset, true);
}

function numbersFrom(view: DataView, offset: number, bytes: number): number[] {
  return Array.from({ length: (bytes - offset) / 2 }, (_, i) => u16(view, offset + 2 * i));
}

function say(report: UsrsctpReport): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report)}\n`));
}

/** A call failed. */
class CallError extends Error {
  readonly errno: number;
  constructor(call: string) {
    const number = errno();
    super(`usrsctp_${call}: errno ${number}`);
    this.name = "CallError";
    this.errno = number;
  }
}

function check(call: string, result: number): void {
  if (result < 0) throw new CallError(call);
}

class Socket {
  readonly name: string;
  handle: Deno.PointerObject;
  /** Accepted associations take the place of the listening socket. */
  listens = false;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** Messages that are not whole yet: with interleaving there is one for each stream. */
  readonly #parts = new Map<string, Uint8Array[]>();
  readonly #notice: Uint8Array[] = [];
  readonly #waiting: UsrsctpMessage[] = [];
  #ended = false;

  constructor(name: string, handle: Deno.PointerObject) {
    this.name = name;
    this.handle = handle;
    check("set_non_blocking", usrsctp.usrsctp_set_non_blocking(handle, 1));
  }

  set(level: number, number: number, value: Uint8Array<ArrayBuffer>): void {
    check(
      `setsockopt ${number}`,
      usrsctp.usrsctp_setsockopt(this.handle, level, number, value, value.length),
    );
  }

  get({ number, value }: UsrsctpOption): string {
    const given = Uint8Array.fromHex(value), buffer = new Uint8Array(1024), length = new Uint32Array([1024]);
    buffer.set(given);
    check("getsockopt", usrsctp.usrsctp_getsockopt(this.handle, IPPROTO_SCTP, number, buffer, length));
    return buffer.subarray(given.length, length[0]).toHex();
  }

  poll(): void {
    if (this.listens) return this.#accept();
    while (!this.#ended && this.#readOnce());
    this.#flush();
  }

  send(message: UsrsctpMessage): void {
    this.#waiting.push(message);
    this.#flush();
  }

  #accept(): void {
    const handle = usrsctp.usrsctp_accept(this.handle, null, null);
    if (handle === null) return;
    this.listens = false; // the listening socket goes on without us
    this.handle = handle;
    check("set_non_blocking", usrsctp.usrsctp_set_non_blocking(handle, 1));
    this.set(IPPROTO_SCTP, SCTP_NODELAY, new Uint8Array([1, 0, 0, 0]));
    say({ type: "notice", socket: this.name, name: "ACCEPTED", fields: {} });
  }

  #readOnce(): boolean {
    const info = new DataView(new ArrayBuffer(64)), flags = new Int32Array(1);
    const length = Number(
      usrsctp.usrsctp_recvv(
        ...[this.handle, this.#buffer, BigInt(BUFFER_BYTES)] as const,
        ...[new Uint8Array(128), new Uint32Array([128])] as const,
        ...[info, new Uint32Array([64]), new Uint32Array(1), flags] as const,
      ),
    );
    if (length < 0 && (errno() === Errno.EAGAIN || errno() === Errno.ENOTCONN)) return false;
    if (length <= 0) {
      this.#ended = true;
      say({ type: "ended", socket: this.name });
      return false;
    }
    const part = this.#buffer.slice(0, length), last = (flags[0]! & MSG_EOR) !== 0;
    if ((flags[0]! & MSG_NOTIFICATION) !== 0) {
      this.#notice.push(part);
      if (last) this.#tellNotice(concatenate(this.#notice.splice(0)));
    } else this.#take(part, info, last);
    return true;
  }

  #take(part: Uint8Array, info: DataView, last: boolean): void {
    const stream = u16(info, 0), ssn = u16(info, 2), unordered = (u16(info, 4) & SCTP_UNORDERED) !== 0;
    const key = `${stream} ${ssn} ${unordered}`;
    const parts = this.#parts.get(key) ?? [];
    this.#parts.set(key, parts);
    parts.push(part);
    if (!last) return;
    this.#parts.delete(key);
    const data = concatenate(parts), { length } = data;
    const same = sameOctets(data, messageOf(length)), tsn = info.getUint32(12, true);
    say({ type: "message", socket: this.name, length, same, stream, ssn, tsn, unordered });
  }

  #tellNotice(octets: Uint8Array<ArrayBuffer>): void {
    const view = new DataView(octets.buffer), type = u16(view, 0);
    const known = NOTIFICATIONS.get(type);
    const fields = { flags: u16(view, 2), ...known?.read(view, octets.length) };
    say({ type: "notice", socket: this.name, name: known?.name ?? `notification ${type}`, fields });
  }

  #flush(): void {
    for (let message = this.#waiting[0]; message !== undefined; message = this.#waiting[0]) {
      const data = messageOf(message.length), info = sendvSpa(message);
      const sent = Number(
        usrsctp.usrsctp_sendv(this.handle, data, BigInt(data.length), null, 0, info, 32, SCTP_SENDV_SPA, 0),
      );
      if (sent < 0 && errno() === Errno.EAGAIN) return;
      this.#waiting.shift();
      check("sendv", sent);
    }
  }
}

/** `struct sctp_sendv_spa` */
function sendvSpa(
  { stream = 0, flags = 0, reliability, keyId }: UsrsctpMessage,
): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(32));
  let valid = SNDINFO_VALID;
  view.setUint16(4, stream, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, PPID); // in network order
  if (reliability !== undefined) {
    valid |= PRINFO_VALID;
    view.setUint16(20, reliability.policy, true);
    view.setUint32(24, reliability.value, true);
  }
  if (keyId !== undefined) {
    valid |= AUTHINFO_VALID;
    view.setUint16(28, keyId, true);
  }
  view.setUint32(0, valid, true);
  return view;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const sockets = new Map<string, Socket>();

function open(order: Extract<UsrsctpOrder, { do: "open" }>): void {
  const [address = "", ...more] = order.addresses, { port } = order, ipv6 = address.includes(":");
  const handle = usrsctp.usrsctp_socket(ipv6 ? 10 : 2, SOCK_STREAM, IPPROTO_SCTP, null, null, 0, null);
  if (handle === null) throw new CallError("socket");
  const socket = new Socket(order.socket, handle),
    size = new Uint8Array(new Uint32Array([BUFFER_BYTES]).buffer);
  socket.set(IPPROTO_SCTP, SCTP_NODELAY, new Uint8Array([1, 0, 0, 0]));
  socket.set(IPPROTO_SCTP, SCTP_RECVRCVINFO, new Uint8Array([1, 0, 0, 0]));
  for (const type of NOTIFICATIONS.keys()) {
    socket.set(IPPROTO_SCTP, SCTP_EVENT, new Uint8Array([0, 0, 0, 0, type, 0, 1, 0]));
  }
  socket.set(SOL_SOCKET, SO_RCVBUF, size);
  socket.set(SOL_SOCKET, SO_SNDBUF, size);
  for (const { number, value } of order.options) socket.set(IPPROTO_SCTP, number, Uint8Array.fromHex(value));
  if (more.length > 0 || address !== (ipv6 ? "::" : "0.0.0.0")) {
    for (const one of order.addresses) bindx(socket, { address: one, port, add: true });
  } else {
    const local = encodeSockaddr({ address, port });
    check("bind", usrsctp.usrsctp_bind(handle, local, local.length));
  }
  if (order.listen) {
    check("listen", usrsctp.usrsctp_listen(handle, 5));
    socket.listens = true;
  }
  sockets.set(order.socket, socket);
}

function bindx(
  socket: Socket,
  { address, port, add }: { address: string; port: number; add: boolean },
): void {
  const flag = add ? BINDX_ADD : BINDX_REMOVE;
  check("bindx", usrsctp.usrsctp_bindx(socket.handle, encodeSockaddr({ address, port }), 1, flag));
}

function obey(order: UsrsctpOrder): void {
  if (order.do === "open") return open(order);
  const socket = sockets.get(order.socket);
  if (socket === undefined) throw new Error(`no socket ${order.socket}`);
  switch (order.do) {
    case "connect": {
      socket.listens = false;
      const peer = encodeSockaddr({ address: order.address, port: order.port });
      if (usrsctp.usrsctp_connect(socket.handle, peer, peer.length) < 0 && errno() !== Errno.EINPROGRESS) {
        throw new CallError("connect");
      }
      return;
    }
    case "option":
      return socket.set(IPPROTO_SCTP, order.option.number, Uint8Array.fromHex(order.option.value));
    case "read":
      return say({ type: "option", socket: order.socket, value: socket.get(order.option) });
    case "send":
      return socket.send(order);
    case "bindx":
      return bindx(socket, { address: order.address, port: 0, add: order.add });
    case "shutdown":
      return check("shutdown", usrsctp.usrsctp_shutdown(socket.handle, SHUT_WR));
    case "close":
      usrsctp.usrsctp_close(socket.handle);
      sockets.delete(order.socket);
  }
}

function tryIt(what: () => void): number {
  try {
    what();
    return 0;
  } catch (error) {
    say({ type: "failed", why: String(error) });
    return error instanceof CallError ? error.errno : -1;
  }
}

if (import.meta.main) {
  usrsctp.usrsctp_init(Number(Deno.args[0]), null, null);
  usrsctp.usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
  setInterval(() => {
    for (const socket of sockets.values()) tryIt(() => socket.poll());
  }, POLL_MS);
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream());
  for await (const line of lines) {
    const number = tryIt(() => obey(JSON.parse(line)));
    say({ type: "done", errno: number });
  }
  Deno.exit(0); // the library's threads never end
}
