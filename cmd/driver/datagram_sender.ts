/** Datagrams to one place. */
import dgram from "node:dgram";
import type { Socket } from "node:dgram";
import { formatTransportAddress, isIpv4 } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";

/** A place that datagrams go to: a group or a host. */
export interface DatagramSink {
  /** Nothing is promised, as always with datagrams. */
  send(data: Uint8Array): void;
  /** Resolves when what was sent has left. Idempotent. */
  close(): Promise<void>;
}

/** Datagrams kept until the socket is ready and those before them have left: each takes a turn of the event loop. */
const MAX_WAITING = 64;

/** Where to, and who hears of trouble. */
export interface DatagramSenderOptions {
  readonly to: TransportAddress;
  /** Takes a sentence for people when datagrams cannot leave, and again when another thing is wrong. */
  readonly onProblem: (sentence: string) => void;
}

/** Opens a way to a place. */
export function openDatagramSender(options: DatagramSenderOptions): DatagramSink {
  return new DatagramSender(options);
}

class DatagramSender implements DatagramSink {
  readonly #options: DatagramSenderOptions;
  readonly #socket: Socket;
  /** What has not been handed to the kernel. */
  readonly #waiting: Uint8Array[] = [];
  #isReady = false;
  /** One is on its way to the kernel. Of several at a time the runtime would make up another order. */
  #isSending = false;
  #problem = "";
  readonly #idle = new Set<() => void>();
  #closed: Promise<void> | undefined;

  constructor(options: DatagramSenderOptions) {
    this.#options = options;
    const { address } = options.to;
    this.#socket = dgram.createSocket(isIpv4(address) ? "udp4" : "udp6");
    this.#socket.on("error", (error) => {
      this.#tell(error);
      this.#ready();
    });
    this.#socket.bind({ port: 0, address: isIpv4(address) ? "0.0.0.0" : "::" }, () => this.#ready());
  }

  send(data: Uint8Array): void {
    if (this.#closed !== undefined) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(data);
    this.#sendNext();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    while (!this.#isReady || this.#isSending || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => this.#idle.add(resolve));
    }
    await new Promise<void>((resolve) => {
      try {
        this.#socket.close(() => resolve());
      } catch { // an error closed it already
        resolve();
      }
    });
  }

  #ready(): void {
    this.#isReady = true;
    this.#sendNext();
    this.#wake();
  }

  #sendNext(): void {
    if (!this.#isReady || this.#isSending) return;
    const data = this.#waiting.shift();
    if (data === undefined) return;
    const { address, port } = this.#options.to;
    const onSent = (error: Error | null | undefined) => {
      if (error !== null && error !== undefined) this.#tell(error);
      this.#isSending = false;
      this.#sendNext();
      this.#wake();
    };
    this.#isSending = true;
    try {
      this.#socket.send(data, port, address, onSent);
    } catch (error) { // the socket could not be bound
      this.#waiting.length = 0;
      onSent(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #wake(): void {
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  #tell(error: Error): void {
    const sentence = `cannot send to ${formatTransportAddress(this.#options.to)}: ${error.message}`;
    if (sentence === this.#problem) return;
    this.#problem = sentence;
    this.#options.onProblem(sentence);
  }
}
