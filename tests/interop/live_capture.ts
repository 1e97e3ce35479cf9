/**
 * A capture that can be asked while it runs: the messages over SCTP that have passed, and waiting for one that is to
 * pass.
 */
import { type AsapMessage, readAsap } from "../../protocol/asap/mod.ts";
import { type EnrpMessage, readEnrp } from "../../protocol/enrp/mod.ts";
import { type IpAddress, Ppid } from "../../protocol/net.ts";
import { DecodeError } from "../../protocol/wire/mod.ts";
import { caughtUp } from "../caught_up.ts";
import { readPcap, sctpDataChunks } from "../pcap.ts";
import { within } from "./program.ts";

/** No packet may be longer. */
const SNAP_BYTES = "2048";
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
/** tcpdump starts and ends in less than this, in milliseconds, on a busy machine too. */
const LIMIT_MS = 60_000;

/** A user message of one packet; those in fragments are left out. */
export interface SeenMessage {
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly ppid: number;
  readonly data: Uint8Array;
  /** What it says, where it is valid ASAP. */
  readonly asap: AsapMessage | undefined;
  /** What it says, where it is valid ENRP. */
  readonly enrp: EnrpMessage | undefined;
}

/** See the module's description. Needs root and `tcpdump`. */
export class LiveCapture {
  readonly #child: Deno.ChildProcess;
  readonly #done: Promise<unknown>;
  readonly #listening: PromiseWithResolvers<true> = Promise.withResolvers();
  readonly #file: Uint8Array[] = [];
  readonly #messages: SeenMessage[] = [];
  readonly #known = new Set<string>();
  #rest: Uint8Array = new Uint8Array(0);
  #fileHeader: Uint8Array | undefined;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param command runs tcpdump, with a pcap file as its standard output */
  constructor(command: readonly string[]) {
    const [program = "", ...line] = command;
    const child = new Deno.Command(program, {
      args: line,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#done = Promise.all([this.#readProblems(child.stderr), this.#readFile(child.stdout), child.status]);
  }

  /** Starts to capture SCTP and UDP at an interface. */
  static async start(networkNamespace: string, device: string): Promise<LiveCapture> {
    const capture = new LiveCapture([
      ...["ip", "netns", "exec", networkNamespace],
      // Else it shows a packet up to a second late; and has room for 64 packets, when each could be the longest.
      ...["tcpdump", "-i", device, "--immediate-mode", "-s", SNAP_BYTES, "-B", "32768", "-U", "-w", "-"],
      "sctp or udp",
    ]);
    if (await within(LIMIT_MS, capture.#listening.promise) === undefined) {
      await capture.end();
      throw new Error(`tcpdump did not start within ${LIMIT_MS} ms`);
    }
    return capture;
  }

  /** Messages so far, each once, however often it was sent. */
  get messages(): readonly SeenMessage[] {
    return this.#messages;
  }

  /**
   * Waits until so many messages match.
   *
   * @param from how many of the first messages do not count
   * @returns the last of them, or undefined when that took too long
   */
  async sees(
    matches: (message: SeenMessage) => boolean,
    { count = 1, from = 0, limitMs }: {
      readonly count?: number;
      readonly from?: number;
      readonly limitMs: number;
    },
  ): Promise<SeenMessage | undefined> {
    const deadline = performance.now() + limitMs;
    for (let at = from, found = 0;;) {
      for (; at < this.#messages.length; at++) {
        if (matches(this.#messages[at]!) && ++found === count) return this.#messages[at];
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return undefined;
      await within(leftMs, this.#wake.promise);
    }
  }

  /** Ends the capture. Can be called again. @returns the pcap file's octets */
  async end(): Promise<Uint8Array> {
    await caughtUp(this.#child.pid);
    try {
      this.#child.kill("SIGINT");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    if (await within(LIMIT_MS, this.#done) === undefined) {
      this.#child.kill("SIGKILL");
      await this.#done;
    }
    return concatenate(this.#file);
  }

  async #readProblems(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    let said = "";
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("listening on")) this.#listening.resolve(true);
    }
    this.#listening.reject(new Error(`tcpdump: ${said}`));
    this.#listening.promise.catch(() => {}); // nobody waits for it any more
  }

  async #readFile(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const octets of stream) {
      this.#file.push(octets);
      this.#rest = concatenate([this.#rest, octets]);
      this.#readRecords();
    }
  }

  #readRecords(): void {
    if (this.#fileHeader === undefined) {
      if (this.#rest.length < FILE_HEADER_BYTES) return;
      this.#fileHeader = this.#rest.slice(0, FILE_HEADER_BYTES);
      this.#rest = this.#rest.subarray(FILE_HEADER_BYTES);
    }
    while (this.#rest.length >= RECORD_HEADER_BYTES) {
      const { buffer, byteOffset, byteLength } = this.#rest;
      const recordBytes = RECORD_HEADER_BYTES +
        new DataView(buffer, byteOffset, byteLength).getUint32(8, true);
      if (this.#rest.length < recordBytes) return;
      this.#readRecord(this.#fileHeader, this.#rest.subarray(0, recordBytes));
      this.#rest = this.#rest.subarray(recordBytes);
    }
  }

  #readRecord(fileHeader: Uint8Array, record: Uint8Array): void {
    for (const packet of readPcap(concatenate([fileHeader, record]))) {
      const { source, destination } = packet;
      for (const { first, last, flow, tsn, ppid, data } of sctpDataChunks([packet])) {
        const key = `${flow} ${tsn}`;
        if (!first || !last || this.#known.has(key)) continue;
        this.#known.add(key);
        const asap = ppid === Ppid.asap ? tryRead(readAsap, data) : undefined;
        const enrp = ppid === Ppid.enrp ? tryRead(readEnrp, data) : undefined;
        this.#messages.push({ source, destination, ppid, data, asap, enrp });
        const { resolve } = this.#wake;
        this.#wake = Promise.withResolvers();
        resolve();
      }
    }
  }
}

function tryRead<Message>(read: (data: Uint8Array) => Message, data: Uint8Array): Message | undefined {
  try {
    return read(data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
