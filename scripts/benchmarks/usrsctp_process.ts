/**
 * usrsctp (libusrsctp.so.2, 0.9.5) as sender and receiver of the comparison, in a process of its own since its threads
 * only end with the process. Non-blocking sockets drained in turn: the fastest that FFI and this library do together.
 * Each library call moves one message; its threads do the packets.
 */
import { Errno, errno } from "../../ffi/errno.ts";
import { leaseLibc } from "../../ffi/libc.ts";
import { encodeSockaddr } from "../../ffi/sockaddr.ts";
import { USRSCTP_LIBRARY, USRSCTP_SYMBOLS } from "../../tests/interop/usrsctp_library.ts";

/** What to do, given as JSON in the only argument. */
export interface UsrsctpTask {
  readonly role: "receive" | "send";
  readonly udpPort: number;
  readonly peerUdpPort: number;
  readonly port: number;
  readonly size: number;
  readonly seconds: number;
  /** Octets of the socket buffers. */
  readonly buffer: number;
}

const usrsctp = Deno.dlopen(USRSCTP_LIBRARY, USRSCTP_SYMBOLS).symbols;
const { symbols: libc } = leaseLibc(); // for errno, which usrsctp sets like any library

const SOCK_STREAM = 1, IPPROTO_SCTP = 132, SOL_SOCKET = 1, SO_SNDBUF = 7, SO_RCVBUF = 8;
const SCTP_NODELAY = 4, SCTP_REMOTE_UDP_ENCAPS_PORT = 0x24;
const MSG_EOR = 0x80, SCTP_SENDV_SNDINFO = 1, EVENT_WRITE = 2;

function say(line: Readonly<Record<string, string | number>>): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

function check(call: string, result: number): void {
  if (result < 0) throw new Error(`usrsctp_${call}: errno ${errno()}`);
}

function openSocket({ port, role, buffer }: UsrsctpTask): Deno.PointerObject {
  const handle = usrsctp.usrsctp_socket(2, SOCK_STREAM, IPPROTO_SCTP, null, null, 0, null);
  if (handle === null) throw new Error(`usrsctp_socket: errno ${errno()}`);
  configure(handle, buffer);
  const local = encodeSockaddr({ address: "0.0.0.0", port: role === "receive" ? port : 0 });
  check("bind", usrsctp.usrsctp_bind(handle, local, local.length));
  return handle;
}

function configure(handle: Deno.PointerObject, buffer: number): void {
  const set = (level: number, name: number, value: number) => {
    const octets = new Uint8Array(new Uint32Array([value]).buffer);
    check("setsockopt", usrsctp.usrsctp_setsockopt(handle, level, name, octets, 4));
  };
  check("set_non_blocking", usrsctp.usrsctp_set_non_blocking(handle, 1));
  set(IPPROTO_SCTP, SCTP_NODELAY, 1);
  set(SOL_SOCKET, SO_SNDBUF, buffer);
  set(SOL_SOCKET, SO_RCVBUF, buffer);
}

/** Lets the library's threads and the other process have the processor, without sleeping. */
function pause(): Promise<void> {
  libc.sched_yield();
  return new Promise((resolve) => setImmediate(resolve));
}

async function receive(task: UsrsctpTask): Promise<void> {
  const listener = openSocket(task);
  check("listen", usrsctp.usrsctp_listen(listener, 5));
  say({ type: "ready" });
  let handle: Deno.PointerValue = null;
  while ((handle = usrsctp.usrsctp_accept(listener, null, null)) === null) await pause();
  configure(handle, task.buffer);
  const buffer = new Uint8Array(65536),
    flags = new Int32Array(1),
    zero = new Uint32Array(1),
    none = new Uint8Array(64);
  let messages = 0, octets = 0, firstAt = 0, lastAt = 0;
  for (let over = false; !over;) {
    for (;;) {
      flags[0] = zero[0] = 0;
      const length = usrsctp.usrsctp_recvv(handle, buffer, 65536n, null, null, none, zero, zero, flags);
      if (length > 0) {
        octets += length;
        if ((flags[0] & MSG_EOR) !== 0) messages++;
        continue;
      }
      over = length === 0 || errno() !== Errno.EAGAIN;
      break;
    }
    const now = performance.now();
    if (octets > 0 && firstAt === 0) firstAt = now;
    if (!over) lastAt = now;
    await pause();
  }
  say({ type: "received", messages, octets, ms: lastAt - firstAt });
}

async function send(task: UsrsctpTask): Promise<void> {
  const handle = openSocket(task);
  const encapsulation = new DataView(new ArrayBuffer(136)); // struct sctp_udpencaps
  encapsulation.setUint16(0, 2, true);
  encapsulation.setUint16(132, task.peerUdpPort);
  const octets = new Uint8Array(encapsulation.buffer);
  check(
    "setsockopt",
    usrsctp.usrsctp_setsockopt(handle, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, octets, 136),
  );
  const peer = encodeSockaddr({ address: "127.0.0.1", port: task.port });
  if (usrsctp.usrsctp_connect(handle, peer, peer.length) < 0 && errno() !== Errno.EINPROGRESS) {
    check("connect", -1);
  }
  while ((usrsctp.usrsctp_get_events(handle) & EVENT_WRITE) === 0) await pause();
  await new Promise((resolve) => setTimeout(resolve, 200)); // it says so before the association is up
  const data = new Uint8Array(task.size).fill(0x42), info = new Uint8Array(16), length = BigInt(task.size);
  const until = performance.now() + task.seconds * 1000;
  while (performance.now() < until) {
    for (let i = 0; i < 256; i++) {
      const sent = usrsctp.usrsctp_sendv(handle, data, length, null, 0, info, 16, SCTP_SENDV_SNDINFO, 0);
      if (sent > 0) continue;
      if (errno() !== Errno.EAGAIN) check("sendv", -1);
      await pause();
      break;
    }
  }
  check("shutdown", usrsctp.usrsctp_shutdown(handle, 1)); // SHUT_WR
  say({ type: "sent" });
  await Deno.stdin.read(new Uint8Array(1)); // until the receiver has all
}

if (import.meta.main) {
  const task: UsrsctpTask = JSON.parse(Deno.args[0]!);
  usrsctp.usrsctp_init(task.udpPort, null, null);
  usrsctp.usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
  await (task.role === "receive" ? receive(task) : send(task));
  Deno.exit(0); // the library's threads never end
}
