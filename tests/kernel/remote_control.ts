/**
 * What the host says to the guest's transport and what it hears of it: lines of JSON over TCP, since SCTP is what is under
 * test. Octets travel as `{"$octets": base64}`.
 */
import { Buffer } from "node:buffer";
import type {
  AssociationId,
  EndpointOptions,
  IpAddress,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";

/** TCP port of the guest's remote control; it is reached over the second network, whose cable is never pulled. */
export const REMOTE_PORT = 5002;

/** What an endpoint in the guest can be asked for; the answer comes as a reply. */
export type EndpointRequest =
  | { readonly type: "open"; readonly options: EndpointOptions }
  | { readonly type: "execute"; readonly command: TransportCommand }
  | { readonly type: "status" | "statistics"; readonly association: AssociationId }
  | { readonly type: "getOption"; readonly name: SocketOptionName; readonly target: SocketOptionTarget }
  | {
    readonly type: "setOption";
    readonly name: SocketOptionName;
    readonly value: SocketOptionValue;
    readonly target: SocketOptionTarget;
  }
  | { readonly type: "addAddress" | "removeAddress"; readonly address: IpAddress }
  | { readonly type: "setPeerPrimary"; readonly association: AssociationId; readonly address: IpAddress }
  | { readonly type: "close"; readonly lingerMs: number | undefined };

/** What the guest can be asked for. */
export type RemoteRequest =
  /** Something of an endpoint, which the host has given its number. */
  | { readonly type: "endpoint"; readonly endpoint: number; readonly request: EndpointRequest }
  /** Writes `net.sctp.NAME`; the reply is what it was before. */
  | { readonly type: "setting"; readonly name: string; readonly value: string }
  /** Starts a program, which the host has given its number. */
  | { readonly type: "start"; readonly program: number; readonly line: readonly string[] }
  /** Gives a program a line to read. */
  | { readonly type: "type"; readonly program: number; readonly line: string }
  | { readonly type: "signal"; readonly program: number; readonly signal: "SIGINT" | "SIGKILL" };

/** A request with the number that its reply will have. */
export interface NumberedRequest {
  readonly number: number;
  readonly request: RemoteRequest;
}

/** What the guest tells. */
export type RemoteReport =
  | { readonly type: "reply"; readonly number: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: "events"; readonly endpoint: number; readonly events: readonly TransportEvent[] }
  /** A program has printed something, on either output. */
  | { readonly type: "output"; readonly program: number; readonly text: string }
  | { readonly type: "ended"; readonly program: number; readonly code: number };

/** Writes whole lines of JSON, in order. */
export class LineWriter {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(stream: WritableStream<Uint8Array>) {
    this.#writer = stream.getWriter();
  }

  write(value: NumberedRequest | RemoteReport): void {
    const line = JSON.stringify(
      value,
      (_, part) => part instanceof Uint8Array ? { $octets: Buffer.from(part).toString("base64") } : part,
    );
    // A reader that has gone away shows at the other end of the connection, where lines are read.
    this.#writer.write(new TextEncoder().encode(`${line}\n`)).catch(() => {});
  }
}

/** Reads lines of JSON until the connection ends. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let rest: string[] = [];
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = text.split("\n");
    for (const [i, line] of lines.entries()) {
      rest.push(line);
      if (i === lines.length - 1) break;
      yield JSON.parse(
        rest.join(""),
        (_, part) =>
          typeof part?.$octets === "string" ? Uint8Array.from(Buffer.from(part.$octets, "base64")) : part,
      );
      rest = [];
    }
  }
}
