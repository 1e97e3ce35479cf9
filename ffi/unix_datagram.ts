/**
 * Datagrams to Unix sockets, unix(7): what a service manager listens for.
 *
 * @module
 */
import { errno, SctpError } from "./errno.ts";
import { leaseLibc } from "./libc.ts";
import { SocketType } from "./structs.ts";

/** AF_UNIX */
const AF_UNIX = 1;
/** `sun_path` of `struct sockaddr_un`. */
const PATH_BYTES = 108;
/** `sun_family` before it. */
const FAMILY_BYTES = 2;

/**
 * Sends one datagram.
 *
 * @param path of the socket; `@` at its beginning stands for a name in the abstract namespace
 * @throws {RangeError} when the path is too long for a socket
 * @throws {SctpError} when nobody listens there, or may be sent to
 * @throws {LibraryError} when there is no C library
 */
export function sendUnixDatagram(path: string, data: Uint8Array<ArrayBuffer>): void {
  const address = socketAddress(path);
  using libc = leaseLibc();
  const { socket, connect, write, close } = libc.symbols;
  const fd = socket(AF_UNIX, SocketType.datagram | SocketType.closeOnExec, 0);
  if (fd < 0) throw new SctpError("socket", errno());
  try {
    if (connect(fd, address, address.length) < 0) throw new SctpError("connect", errno());
    if (write(fd, data, BigInt(data.length)) < 0) throw new SctpError("write", errno());
  } finally {
    close(fd);
  }
}

/** `struct sockaddr_un`: as long as the name, since an abstract one has no end of its own. */
function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length >= PATH_BYTES) {
    throw new RangeError(
      `Cannot send to the Unix socket "${path}": a name has 1 to ${PATH_BYTES - 1} octets`,
    );
  }
  if (name[0] === "@".charCodeAt(0)) name[0] = 0;
  const address = new Uint8Array(FAMILY_BYTES + name.length);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_UNIX; // in the machine's own order
  address.set(name, FAMILY_BYTES);
  return address;
}
