/**
 * usrsctp (libusrsctp.so.2, 0.9.5) as a peer of the interoperation tests; see `peer_protocol.ts`. In a process of its
 * own, since its threads only end with the process; non-blocking sockets and polling, since nothing else is safe with it.
 */
import { Errno, errno } from "../../ffi/errno.ts";
import { leaseLibc } from "../../ffi/libc.ts";
import { encodeSockaddr } from "../../ffi/sockaddr.ts";
import { messageOf, type PeerTask, readTask, report, sameOctets, streamOf } from "./peer_protocol.ts";
import { USRSCTP_LIBRARY, USRSCTP_SYMBOLS } from "./usrsctp_library.ts";

const usrsctp = Deno.dlopen(USRSCTP_LIBRARY, USRSCTP_SYMBOLS).symbols;
leaseLibc(); // for errno, which usrsctp sets like any library

const SOCK_STREAM = 1, IPPROTO_SCTP = 132, SOL_SOCKET = 1, SO_RCVBUF = 8, SO_SNDBUF = 7;
const SCTP_NODELAY = 4, SCTP_EVENT = 0x1e, SCTP_RECVRCVINFO = 0x1f, SCTP_REMOTE_UDP_ENCAPS_PORT = 0x24;
const SCTP_ASSOC_CHANGE = 1, COMM_UP = 1, MSG_NOTIFICATION = 0x2000, MSG_EOR = 0x80, SCTP_SENDV_SNDINFO = 1;
const POLL_MS = 2;

class PeerSocket {
  readonly #handle: Deno.PointerObject;
  readonly #parts: Uint8Array[] = [];
  readonly #waiting: {
    readonly data: Uint8Array<ArrayBuffer>;
    readonly stream: number;
    readonly ppid: number;
  }[] = [];
  up = false;
  ended = false;

  constructor(handle: Deno.PointerObject) {
    this.#handle = handle;
    check("set_non_blocking", usrsctp.usrsctp_set_non_blocking(handle, 1));
  }

  get handle(): Deno.PointerObject {
    return this.#handle;
  }

  option(level: number, name: number, value: Uint8Array<ArrayBuffer>): void {
    check(`setsockopt ${name}`, usrsctp.usrsctp_setsockopt(this.#handle, level, name, value, value.length));
  }

  /** Reads all that is there. */
  read(onMessage: (data: Uint8Array<ArrayBuffer>, stream: number, ppid: number) => void): void {
    const buffer = new Uint8Array(65536),
      from = new Uint8Array(128),
      info = new DataView(new ArrayBuffer(64));
    for (;;) {
      const flags = new Int32Array(1), fromLength = new Uint32Array([128]);
      const infoLength = new Uint32Array([64]), infoType = new Uint32Array(1);
      const length = Number(
        usrsctp.usrsctp_recvv(
          this.#handle,
          buffer,
          65536n,
          from,
          fromLength,
          info,
          infoLength,
          infoType,
          flags,
        ),
      );
      if (length < 0) {
        if (errno() === Errno.EAGAIN || errno() === Errno.ENOTCONN && !this.up) return;
        this.ended = true;
        return;
      }
      if (length === 0) {
        this.ended = true;
        return;
      }
      if ((flags[0]! & MSG_NOTIFICATION) !== 0) {
        const view = new DataView(buffer.buffer);
        if (view.getUint16(0, true) === SCTP_ASSOC_CHANGE) {
          if (view.getUint16(8, true) === COMM_UP) {
            this.up = true;
            report({ type: "up", peerAddresses: [] });
          } else this.ended = true;
        }
        continue;
      }
      this.#parts.push(buffer.slice(0, length));
      if ((flags[0]! & MSG_EOR) === 0) continue;
      const data = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
      let offset = 0;
      for (const part of this.#parts.splice(0)) {
        data.set(part, offset);
        offset += part.length;
      }
      onMessage(data, info.getUint16(0, true), info.getUint32(8)); // rcv_sid, rcv_ppid in network order
    }
  }

  send(data: Uint8Array<ArrayBuffer>, stream: number, ppid: number): void {
    this.#waiting.push({ data, stream, ppid });
    this.flush();
  }

  flush(): void {
    for (let message = this.#waiting[0]; message !== undefined; message = this.#waiting[0]) {
      const info = new DataView(new ArrayBuffer(16));
      info.setUint16(0, message.stream, true);
      info.setUint32(4, message.ppid);
      const { data } = message;
      const sent = Number(
        usrsctp.usrsctp_sendv(
          this.#handle,
          data,
          BigInt(data.length),
          null,
          0,
          info,
          16,
          SCTP_SENDV_SNDINFO,
          0,
        ),
      );
      if (sent < 0 && errno() === Errno.EAGAIN) return;
      check("sendv", sent);
      this.#waiting.shift();
    }
  }

  shutdown(): void {
    check("shutdown", usrsctp.usrsctp_shutdown(this.#handle, 1)); // SHUT_WR
  }
}

function openSocket(task: PeerTask): PeerSocket {
  const family = task.ipv6 ? 10 : 2;
  const handle = usrsctp.usrsctp_socket(family, SOCK_STREAM, IPPROTO_SCTP, null, null, 0, null);
  if (handle === null) throw new Error(`usrsctp_socket: errno ${errno()}`);
  const socket = new PeerSocket(handle);
  configure(socket);
  const local = encodeSockaddr({ address: task.ipv6 ? "::" : "0.0.0.0", port: task.port });
  check("bind", usrsctp.usrsctp_bind(handle, local, local.length));
  return socket;
}

function configure(socket: PeerSocket): void {
  const one = new Uint8Array([1, 0, 0, 0]), buffer = new Uint8Array(new Uint32Array([1 << 20]).buffer);
  socket.option(IPPROTO_SCTP, SCTP_NODELAY, one);
  socket.option(IPPROTO_SCTP, SCTP_RECVRCVINFO, one);
  socket.option(IPPROTO_SCTP, SCTP_EVENT, new Uint8Array([0, 0, 0, 0, SCTP_ASSOC_CHANGE, 0, 1, 0]));
  socket.option(SOL_SOCKET, SO_RCVBUF, buffer);
  socket.option(SOL_SOCKET, SO_SNDBUF, buffer);
}

function setEncapsulation(socket: PeerSocket, task: PeerTask): void {
  const encapsulation = new DataView(new ArrayBuffer(136)); // struct sctp_udpencaps
  encapsulation.setUint16(0, task.ipv6 ? 10 : 2, true);
  encapsulation.setUint16(132, task.encapsulationPort ?? 0);
  socket.option(IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, new Uint8Array(encapsulation.buffer));
}

async function serve(task: PeerTask): Promise<void> {
  const listener = openSocket(task);
  check("listen", usrsctp.usrsctp_listen(listener.handle, 5));
  report({ type: "ready" });
  let accepted: Deno.PointerValue = null;
  while (accepted === null) {
    await pause();
    accepted = usrsctp.usrsctp_accept(listener.handle, null, null);
  }
  const socket = new PeerSocket(accepted);
  socket.option(IPPROTO_SCTP, SCTP_NODELAY, new Uint8Array([1, 0, 0, 0]));
  while (!socket.ended) {
    socket.read((data, stream, ppid) => socket.send(data, stream, ppid));
    socket.flush();
    await pause();
  }
  report({ type: "down", reason: "shutdown" });
}

async function ask(task: PeerTask): Promise<void> {
  const socket = openSocket(task);
  if ((task.encapsulationPort ?? 0) !== 0) setEncapsulation(socket, task);
  const peer = encodeSockaddr({ address: task.addresses[0]!, port: task.peerPort });
  if (usrsctp.usrsctp_connect(socket.handle, peer, peer.length) < 0 && errno() !== Errno.EINPROGRESS) {
    throw new Error(`usrsctp_connect: errno ${errno()}`);
  }
  while (!socket.up && !socket.ended) { // a message sent before COMM_UP may stay where it is
    socket.read(() => {});
    await pause();
  }
  for (const length of task.sizes) {
    const { stream, ppid } = streamOf(length);
    socket.send(messageOf(length), stream, ppid);
    let back: Uint8Array | undefined;
    while (back === undefined && !socket.ended) {
      socket.read((data, backStream, backPpid) => {
        back = data;
        const same = sameOctets(data, messageOf(length)) && backStream === stream && backPpid === ppid;
        if (!same) report({ type: "failed", why: `message of ${length} octets came back otherwise` });
        else report({ type: "echoed", length });
      });
      socket.flush();
      await pause();
    }
  }
  const graceful = !socket.ended;
  if (graceful) socket.shutdown();
  while (!socket.ended) {
    socket.read(() => {});
    await pause();
  }
  report({ type: "down", reason: graceful ? "shutdown" : "aborted" });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

function check(call: string, result: number): void {
  if (result < 0) throw new Error(`usrsctp_${call}: errno ${errno()}`);
}

if (import.meta.main) {
  const task = readTask();
  usrsctp.usrsctp_init(task.udpPort, null, null);
  usrsctp.usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
  try {
    await (task.role === "server" ? serve(task) : ask(task));
    await new Promise((resolve) => setTimeout(resolve, 1000)); // its threads may have a last packet to send
  } catch (error) {
    report({ type: "failed", why: String(error) });
  }
  Deno.exit(0); // the library's threads never end
}
