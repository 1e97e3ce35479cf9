/** Serves a registrar's numbers to Prometheus over HTTP. */
import { formatTransportAddress } from "../../protocol/net.ts";
import type { TransportAddress } from "../../protocol/net.ts";

/** The metrics cannot be served. The message is for people. */
export class MetricsError extends Error {
  /** As system errors have it: {@linkcode transportFailure} tells such errors without a stack trace. */
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = "MetricsError";
    this.code = code;
  }
}

/** Metrics that are served. */
export interface MetricsServer extends AsyncDisposable {
  /** Where, with the port in use. */
  readonly address: TransportAddress;
}

const TEXT_FORMAT = { "content-type": "text/plain; version=0.0.4; charset=utf-8" };

/**
 * Serves `/metrics` at an address.
 *
 * @param address port 0 = any
 * @param text makes the text anew for each request
 * @throws {MetricsError} when the address cannot be had
 */
export function serveMetrics(address: TransportAddress, text: () => string): MetricsServer {
  const end = new AbortController();
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve(
      { hostname: address.address, port: address.port, signal: end.signal, onListen: () => {} },
      (request) => answer(request, text),
    );
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const code = "code" in error ? String(error.code) : error.name;
    const why = error instanceof Deno.errors.AddrInUse
      ? "the port is in use by another program"
      : error.message;
    throw new MetricsError(`cannot serve metrics at ${formatTransportAddress(address)}: ${why}`, code);
  }
  return {
    address: { ...address, port: server.addr.port },
    async [Symbol.asyncDispose]() {
      // Who does not end a request, or does not read the answer, must not keep the registrar: connections end now.
      end.abort();
      await server.finished;
    },
  };
}

function answer(request: Request, text: () => string): Response {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("only GET is served here\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  if (pathname === "/metrics") return new Response(text(), { headers: TEXT_FORMAT });
  if (pathname === "/") return new Response("the metrics of this registrar are at /metrics\n");
  return new Response("there is only /metrics here\n", { status: 404 });
}
