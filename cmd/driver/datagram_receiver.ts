/** Datagrams from anybody. */
import dgram from "node:dgram";
import type { Socket } from "node:dgram";
import { openDatagramSocket } from "../../ffi/datagram_io.ts";
import { LibraryError, SctpError } from "../../ffi/errno.ts";
import { formatTransportAddress, isIpv4, parseIpAddress } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";

/** What the kernel keeps for a program that is busy: some thousand reports that come at once. */
const RECEIVE_BUFFER = 4 << 20;

/** A socket that hears. */
export interface DatagramReceiver extends AsyncDisposable {
  /** Where it hears. */
  readonly at: TransportAddress;
}

/** Where to hear, and who is told. */
export interface DatagramReceiverOptions {
  /** `::` hears IPv4, too. */
  readonly at: TransportAddress;
  /** Takes a datagram. Borrowed: its memory is used again after the call. */
  readonly onDatagram: (source: TransportAddress, data: Uint8Array) => void;
  /** Takes a sentence for people when nothing can be heard any more. */
  readonly onProblem: (sentence: string) => void;
}

/**
 * Opens a socket.
 *
 * @throws {PlaceTaken} when it cannot be had
 */
export async function openDatagramReceiver(options: DatagramReceiverOptions): Promise<DatagramReceiver> {
  const { at, onDatagram } = options;
  try {
    const socket = openDatagramSocket({ at, onDatagram, receiveBuffer: RECEIVE_BUFFER });
    return { at: socket.at, [Symbol.asyncDispose]: () => socket.close() };
  } catch (error) {
    if (error instanceof SctpError) throw new PlaceTaken(at, error);
    if (!(error instanceof LibraryError)) throw error;
    return await openPortably(options); // the same, for more work
  }
}

async function openPortably(
  { at, onDatagram, onProblem }: DatagramReceiverOptions,
): Promise<DatagramReceiver> {
  const socket = dgram.createSocket({ type: isIpv4(at.address) ? "udp4" : "udp6" });
  socket.on("message", (data, from) => {
    const address = parseIpAddress(from.address);
    if (address !== undefined) onDatagram({ address, port: from.port }, data);
  });
  const { port } = await bind(socket, at);
  socket.on("error", (error) => onProblem(`cannot hear at ${formatTransportAddress(at)}: ${error.message}`));
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
  } catch { /* the system's own size is good for hundreds of components */ }
  return {
    at: { address: at.address, port },
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** A socket cannot be had; the message is a sentence for people. */
export class PlaceTaken extends Error {
  /** Another program has it. */
  readonly isInUse: boolean;

  constructor(at: TransportAddress, cause: Error) {
    const where = `UDP port ${at.port} of ${at.address}`;
    const isInUse = "code" in cause ? cause.code === "EADDRINUSE" : /in use/i.test(cause.message);
    super(
      isInUse
        ? `another program holds ${where}: \`ss -lunp\` shows it`
        : `cannot open ${where}: ${cause.message}`,
      { cause },
    );
    this.name = "PlaceTaken";
    this.isInUse = isInUse;
  }
}

function bind(socket: Socket, at: TransportAddress): Promise<{ readonly port: number }> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(new PlaceTaken(at, error));
    socket.once("error", onError);
    socket.bind(at.port, at.address, () => {
      socket.off("error", onError);
      resolve(socket.address());
    });
  });
}
