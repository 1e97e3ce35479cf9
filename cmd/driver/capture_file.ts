/**
 * Packet captures in files, for Wireshark.
 *
 * Packets are written when the turn of the event loop is over in which they passed: so a busy program writes many at
 * once, and a program that is killed leaves a readable file with all but the last few milliseconds. A reader at the
 * other end of a pipe may be slow or stop: then packets are left out, and the program goes on.
 */
import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from "node:fs";
import { arch, release, type } from "node:os";
import { Buffer } from "node:buffer";
import { captureHeader, captureRecord, ipPacket } from "../../protocol/capture/mod.ts";
import type { CapturedPacket, Transport } from "../../protocol/net.ts";
import { putChecksum } from "../../protocol/sctp/crc32c.ts";
import { fileProblem } from "./file_problem.ts";

/** A capture under way. */
export interface CaptureFile {
  /** Packets written, or about to be. */
  readonly packets: number;
  /** Packets left out since the reader of a pipe was too slow. */
  readonly leftOut: number;
  /** Writes what is left and closes the file. Idempotent. */
  close(): void;
}

/** What a capture tells of itself, and to whom it tells that it cannot go on. */
export interface CaptureFileOptions {
  /** Name of the program, for the file's head. Default `rsp`. */
  readonly program?: string;
  /** Takes a sentence when the file cannot be written any more; the capture is over then. */
  readonly onProblem?: (sentence: string) => void;
}

/** The capture cannot be opened. The message says why. */
export class CaptureError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "CaptureError";
  }
}

/** What a capture needs of a transport. */
export type CapturableTransport = Pick<Transport, "capture" | "description" | "kind">;

const STANDARD_OUTPUT = 1;

/** What waits for a slow reader of a pipe: some ten thousand full packets. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** How long a full pipe is left alone: after it took something, and after it took nothing. */
const RETRY_MS = 1, LONG_RETRY_MS = 50;

/**
 * A pipe takes as much as this whole or not at all (PIPE_BUF of POSIX). Of a longer write that a full pipe cuts short,
 * `writeSync` tells the error but not how much went through.
 */
const PIPE_PIECE_BYTES = 4096;

/** How long the end waits for a slow reader to take the rest. */
const PATIENCE_MS = 2000;

/**
 * Writes every packet that a transport sends or receives from now on into a pcapng file.
 *
 * @param path a file, which is written anew; a FIFO; or `-` for standard output (`… | wireshark -k -i -`)
 * @param transport whose packets; it need not have an endpoint yet
 * @throws {CaptureError} when the file cannot be opened or the transport cannot capture
 */
export function openCaptureFile(
  path: string,
  transport: CapturableTransport,
  options: CaptureFileOptions = {},
): CaptureFile {
  const sink = new CaptureSink(path, openForWriting(path), options);
  try {
    sink.start(transport, options.program ?? "rsp");
    return sink;
  } catch (error) {
    sink.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new CaptureError(`cannot capture packets into ${path}: ${reason}`, { cause: error });
  }
}

class CaptureSink implements CaptureFile {
  readonly #path: string;
  readonly #onProblem: (sentence: string) => void;
  #fd: number | undefined;
  readonly #pieceBytes: number;
  #tap: Disposable | undefined;
  /** Blocks to be written, in order; the first may be the rest of some. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #scheduled: ReturnType<typeof setImmediate> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Left out since the last packet that was kept. */
  #gap = 0;
  packets = 0;
  leftOut = 0;

  constructor(path: string, fd: number, { onProblem = () => {} }: CaptureFileOptions) {
    this.#path = path;
    this.#fd = fd;
    this.#pieceBytes = fstatSync(fd).isFIFO() ? PIPE_PIECE_BYTES : MAX_WAITING_BYTES;
    this.#onProblem = onProblem;
  }

  start(transport: CapturableTransport, program: string): void {
    this.#put(captureHeader({
      program,
      operatingSystem: `${type()} ${release()} ${arch()}`,
      interfaceName: `rsp-${transport.kind}`,
      interfaceDescription: transport.description,
      comment:
        "SCTP packets of one process. Where it does not see their IP and UDP headers they are made up of what it " +
        "knows: addresses, ports, lengths and checksums are right.",
    }));
    this.#write(); // at once, so that a full disk is told of while somebody looks
    this.#tap = transport.capture((packet) => this.#record(packet));
  }

  close(): void {
    if (this.#fd === undefined) return;
    this.#stop();
    this.#flush();
    const patience = performance.now() + PATIENCE_MS;
    for (let before = Infinity; this.#waitingBytes > 0 && performance.now() < patience;) {
      const delayMs = this.#waitingBytes < before ? RETRY_MS : LONG_RETRY_MS;
      before = this.#waitingBytes;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
      this.#flush();
    }
    this.#release();
  }

  #record(packet: CapturedPacket): void {
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      this.leftOut++;
      this.#gap++;
      return;
    }
    const comment = this.#gap === 0
      ? undefined
      : `${this.#gap} packets before this one were left out: the reader was slow`;
    this.#gap = 0;
    this.packets++;
    const epochMs = performance.timeOrigin + performance.now();
    this.#put(
      captureRecord({ packet: ipPacket(finished(packet)), epochMs, direction: packet.direction, comment }),
    );
    if (this.#retry !== undefined) return;
    this.#scheduled ??= setImmediate(() => {
      this.#scheduled = undefined;
      this.#flush();
    });
  }

  #put(block: Uint8Array): void {
    this.#waiting.push(block);
    this.#waitingBytes += block.length;
  }

  /** Writes what waits, as far as the file takes it. */
  #flush(): void {
    try {
      this.#write();
    } catch (error) {
      this.#stop();
      this.#release();
      const reason = codeOf(error) === "EPIPE" ? "nobody reads it any more" : fileProblem(error);
      this.#onProblem(`the capture ${this.#path} ends here: ${reason}`);
    }
  }

  #write(): void {
    if (this.#fd === undefined || this.#waitingBytes === 0) return;
    let rest: Uint8Array = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    const all = rest;
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest.subarray(0, this.#pieceBytes)));
    } catch (error) {
      if (codeOf(error) !== "EAGAIN") throw error;
      this.#tryAgain(rest === all ? LONG_RETRY_MS : RETRY_MS);
    }
    this.#waiting = rest.length === 0 ? [] : [rest];
    this.#waitingBytes = rest.length;
  }

  #tryAgain(delayMs: number): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#flush();
    }, delayMs);
  }

  /** Takes no more packets. */
  #stop(): void {
    this.#tap?.[Symbol.dispose]();
    this.#tap = undefined;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
  }

  #release(): void {
    if (this.#retry !== undefined) clearTimeout(this.#retry);
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#fd !== undefined && this.#fd !== STANDARD_OUTPUT) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** The packet with the checksum that it would have on a wire. */
function finished(packet: CapturedPacket): CapturedPacket {
  if (packet.checksumPending !== true) return packet;
  const sctp = packet.sctp.slice();
  putChecksum(new DataView(sctp.buffer), 0, sctp.length);
  return { ...packet, sctp };
}

/** Opens a file anew, or a pipe so that writing never waits for its reader. */
function openForWriting(path: string): number {
  try {
    if (path === "-") return openStandardOutput();
    // Opened for reading too, a FIFO needs no reader yet, and what is written until one comes is kept.
    if (isFifo(path)) return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    return openSync(path, "w");
  } catch (error) {
    if (error instanceof CaptureError) throw error;
    throw new CaptureError(`cannot open ${path} for captured packets: ${fileProblem(error)}`, {
      cause: error,
    });
  }
}

function openStandardOutput(): number {
  if (Deno.stdout.isTerminal()) {
    throw new CaptureError(
      "captured packets are not for a terminal: send them to a file or a pipe, as in `… | wireshark -k -i -`",
    );
  }
  if (!fstatSync(STANDARD_OUTPUT).isFIFO()) return STANDARD_OUTPUT;
  // Opened once more, the pipe gets a mode of its own: standard output itself stays as whoever shares it wants it.
  return openSync("/dev/stdout", constants.O_WRONLY | constants.O_NONBLOCK);
}

function isFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
