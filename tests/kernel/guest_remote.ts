/** The guest's end of the remote control: kernel SCTP and programs, as the host tells. */
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import type { Endpoint, Transport } from "../../protocol/net.ts";
import {
  type EndpointRequest,
  LineWriter,
  type NumberedRequest,
  readLines,
  REMOTE_PORT,
  type RemoteReport,
  type RemoteRequest,
} from "./remote_control.ts";

/**
 * Listens for the host; dispose of it, and nobody is served any more.
 *
 * @param onSign called with each sign of life of the host
 */
export function serveRemote(onSign: () => void): Disposable {
  const listener = Deno.listen({ hostname: "::", port: REMOTE_PORT });
  void (async () => {
    for await (const connection of listener) {
      void new RemoteServer(connection).serve(onSign);
    }
  })();
  return { [Symbol.dispose]: () => listener.close() };
}

/** One connection of the host: all that it opens and starts ends with it. */
class RemoteServer {
  readonly #transport: Transport = openKernelTransport();
  readonly #endpoints = new Map<number, Endpoint>();
  readonly #programs = new Map<number, GuestProgram>();
  readonly #connection: Deno.TcpConn;
  readonly #writer: LineWriter;

  constructor(connection: Deno.TcpConn) {
    connection.setNoDelay();
    this.#connection = connection;
    this.#writer = new LineWriter(connection.writable);
  }

  async serve(onSign: () => void): Promise<void> {
    try {
      for await (const line of readLines(this.#connection.readable)) {
        onSign();
        const { number, request } = line as NumberedRequest;
        void this.#answer(number, request);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    } finally {
      for (const program of this.#programs.values()) program.signal("SIGKILL");
      await this.#transport.close();
    }
  }

  async #answer(number: number, request: RemoteRequest): Promise<void> {
    try {
      this.#report({ type: "reply", number, value: await this.#obey(request) });
    } catch (error) {
      this.#report({ type: "reply", number, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #report(report: RemoteReport): void {
    this.#writer.write(report);
  }

  #obey(request: RemoteRequest): unknown {
    switch (request.type) {
      case "endpoint":
        return this.#askEndpoint(request.endpoint, request.request);
      case "setting": {
        const file = `/proc/sys/net/sctp/${request.name}`;
        const before = Deno.readTextFileSync(file).trim();
        Deno.writeTextFileSync(file, request.value);
        return before;
      }
      case "start": {
        const { program: number, line } = request;
        this.#programs.set(number, new GuestProgram(number, line, (report) => this.#report(report)));
        return;
      }
      case "type":
        return this.#programs.get(request.program)?.type(request.line);
      case "signal":
        return this.#programs.get(request.program)?.signal(request.signal);
    }
  }

  #askEndpoint(number: number, request: EndpointRequest): unknown {
    if (request.type === "open") {
      const endpoint = this.#transport.open(
        request.options,
        (events) => this.#report({ type: "events", endpoint: number, events }),
      );
      this.#endpoints.set(number, endpoint);
      return endpoint.port;
    }
    const endpoint = this.#endpoints.get(number);
    if (endpoint === undefined) throw new Error(`there is no endpoint ${number}`);
    switch (request.type) {
      case "execute":
        return endpoint.execute(request.command);
      case "status":
        return endpoint.status(request.association);
      case "statistics":
        return endpoint.statistics(request.association);
      case "getOption":
        return endpoint.getOption(request.name, request.target);
      case "setOption":
        return endpoint.setOption(request.name, request.value, request.target);
      case "addAddress":
        return endpoint.addAddress(request.address);
      case "removeAddress":
        return endpoint.removeAddress(request.address);
      case "setPeerPrimary":
        return endpoint.setPeerPrimary(request.association, request.address);
      case "close":
        return endpoint.close(request.lingerMs);
    }
  }
}

/** A program of the guest. */
class GuestProgram {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #running = true;

  constructor(
    number: number,
    [name = "", ...words]: readonly string[],
    report: (report: RemoteReport) => void,
  ) {
    const process = new Deno.Command(name, { args: words, stdin: "piped", stdout: "piped", stderr: "piped" })
      .spawn();
    this.#process = process;
    this.#writer = process.stdin.getWriter();
    const read = async (stream: ReadableStream<Uint8Array>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        report({ type: "output", program: number, text });
      }
    };
    void (async () => {
      await Promise.all([read(process.stdout), read(process.stderr)]);
      const { code } = await process.status;
      this.#running = false;
      report({ type: "ended", program: number, code });
    })();
  }

  async type(line: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
  }

  signal(signal: Deno.Signal): void {
    if (this.#running) this.#process.kill(signal);
  }
}
