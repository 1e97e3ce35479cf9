/**
 * One end of an association over the embedded transport, as a program for the PCs of the laboratory. What it is to do
 * stands as JSON in its only argument; what happens it says in plain lines that a test waits for.
 *
 * A sender sends numbered messages, a receiver checks that they come whole, once and in order. SIGUSR1 ends what has no
 * end of its own: a sender shuts its association down.
 */
import { type EmbeddedTransport, openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import type { AssociationId, Endpoint, EndpointOptions, TransportEvent } from "../../protocol/net.ts";

/** What a peer is to do. */
export interface SctpPeerTask {
  readonly role: "send" | "receive";
  /** Plain SCTP over IP. Default "auto". */
  readonly raw?: "auto" | "on" | "off";
  /** Octets of the sockets' buffers. Default: the driver's. */
  readonly socketBuffer?: number;
  /** Own SCTP port. Default: an ephemeral one. */
  readonly port?: number;
  /** Sender: addresses and SCTP port of the receiver. */
  readonly addresses?: readonly string[];
  readonly peerPort?: number;
  /** Sender: sends only when so many paths are active. Default 1. */
  readonly paths?: number;
  /** Sender: how many messages; then it shuts the association down. Default: as many as there is time for. */
  readonly messages?: number;
  /** Sender: messages at a time. Default 10. */
  readonly burst?: number;
  /** Sender: milliseconds between bursts; 0 = as fast as the transport takes them. Default 5. */
  readonly intervalMs?: number;
  /** Octets of the longest message. Default 1600, a little more than a packet. */
  readonly longest?: number;
  readonly options?: EndpointOptions;
}

/** Sender and receiver both know what message `number` is: its number, then octets that follow from it. */
export function numberedMessage(number: number, longest: number): Uint8Array {
  const length = 4 + Math.imul(number, 2654435761) % Math.max(1, longest - 3);
  const data = new Uint8Array(Math.max(4, Math.abs(length)));
  for (let i = 4; i < data.length; i++) data[i] = number + i * 7;
  new DataView(data.buffer).setUint32(0, number);
  return data;
}

const LONGEST = 1600;
const PPID = 0x52535000; // nobody's: tshark shows the payload as data

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function sayState(event: TransportEvent): void {
  if (event.type === "path") say(`path ${event.address} ${event.change}`);
  else if (event.type === "restarted" || event.type === "sendFailed") say(`trouble: ${event.type}`);
  else if (event.type === "remoteError") say(`trouble: remote error ${event.cause.code}`);
}

/** Octets of heap in use after a collection; only with `--expose-gc`. */
function heapOctets(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  return Deno.memoryUsage().heapUsed;
}

/** What tells of harm done by strangers, in one line. */
function sayCounters(transport: EmbeddedTransport): void {
  const { counters, sendStalls } = transport;
  say(`counters ${JSON.stringify({ ...counters, sendStalls, heapOctets: heapOctets() })}`);
}

/** Checks numbered messages of one association. */
class Checker {
  readonly #longest: number;
  #next = 0;
  #wrong = 0;
  #lastAt = 0;
  #gapMs = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  take(data: Uint8Array): void {
    const now = performance.now();
    if (this.#next > 0) this.#gapMs = Math.max(this.#gapMs, now - this.#lastAt);
    this.#lastAt = now;
    const expected = numberedMessage(this.#next, this.#longest);
    const same = data.length === expected.length && data.every((octet, i) => octet === expected[i]);
    if (!same && ++this.#wrong <= 10) {
      const number = data.length < 4 ? -1 : new DataView(data.buffer, data.byteOffset).getUint32(0);
      say(`trouble: message ${number} of ${data.length} octets came instead of ${this.#next}`);
    }
    this.#next++;
    if (this.#next % 1000 === 0) say(`received ${this.#next}`);
  }

  summary(): string {
    return `received in all ${this.#next}, wrong ${this.#wrong}, longest gap ${Math.round(this.#gapMs)} ms`;
  }
}

function receive(task: SctpPeerTask): void {
  const transport = openTransport(task);
  const checkers = new Map<AssociationId, Checker>();
  const endpoint = transport.open({ ...task.options, port: task.port ?? 0, listen: true }, (events) => {
    for (const event of events) {
      sayState(event);
      if (event.type === "up") {
        checkers.set(event.association, new Checker(task.longest ?? LONGEST));
        say(`up ${event.peerAddresses.toSorted().join(" ")}`);
      } else if (event.type === "message") {
        checkers.get(event.association)?.take(event.data);
      } else if (event.type === "down") {
        say(checkers.get(event.association)?.summary() ?? "");
        sayCounters(transport);
        say(`down ${event.reason}`);
        checkers.delete(event.association);
        close();
      }
    }
  });
  const tell = () => sayCounters(transport);
  const close = () => {
    Deno.removeSignalListener("SIGUSR1", tell);
    transport.close();
  };
  Deno.addSignalListener("SIGUSR1", tell);
  say(`ready on port ${endpoint.port}: ${transport.description}`);
}

function send(task: SctpPeerTask): void {
  const { paths = 1, messages = Infinity, burst = 10, intervalMs = 5, longest = LONGEST } = task;
  const transport = openTransport(task);
  let blocked = false, over = false, sent = 0, startedAt = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  const endpoint: Endpoint = transport.open({ ...task.options, port: task.port ?? 0 }, (events) => {
    for (const event of events) {
      sayState(event);
      if (event.type === "blocked") blocked = true;
      else if (event.type === "writable") {
        blocked = false;
        if (intervalMs === 0) pump(event.association);
      } else if (event.type === "up") {
        say(`up after ${Math.round(performance.now() - startedAt)} ms`);
        begin(event.association);
      } else if (event.type === "path") begin(event.association);
      else if (event.type === "down") {
        sayCounters(transport);
        say(`down ${event.reason}`);
        over = true;
        clearInterval(timer);
        Deno.removeSignalListener("SIGUSR1", end);
        transport.close();
      }
    }
  });
  let association: AssociationId | undefined;
  /** Starts the transfer as soon as there are enough paths. */
  const begin = (id: AssociationId) => {
    const active = endpoint.status(id)?.paths.filter(({ state }) => state === "active") ?? [];
    if (association !== undefined || active.length < paths) return;
    association = id;
    const pairs = active.map(({ localAddress, address }) => `${localAddress}>${address}`).toSorted();
    const [primary] = active.filter((path) => path.primary);
    say(`paths ${pairs.join(" ")} primary ${primary?.address} encapsulation ${primary?.encapsulationPort}`);
    if (intervalMs === 0) pump(id);
    else timer = setInterval(() => pump(id), intervalMs);
  };
  const pump = (id: AssociationId) => {
    for (let i = 0; i < burst && !blocked && !over && sent < messages; i++) {
      const data = numberedMessage(sent++, longest);
      endpoint.execute({ type: "send", association: id, data, ppid: PPID });
      if (sent % 1000 === 0) say(`sent ${sent}`);
    }
    if (sent >= messages) end();
    else if (intervalMs === 0 && !blocked && !over) setImmediate(() => pump(id));
  };
  const end = () => {
    if (over || association === undefined) return;
    over = true;
    clearInterval(timer);
    say(`sent in all ${sent}`);
    endpoint.execute({ type: "shutdown", association });
  };
  Deno.addSignalListener("SIGUSR1", end);
  say(`connects: ${transport.description}`);
  startedAt = performance.now();
  endpoint.execute({
    type: "connect",
    request: 1,
    addresses: task.addresses ?? [],
    port: task.peerPort ?? 0,
    // A receiver that is late would be tried over UDP, too, and might be faster to answer that.
    ...(task.raw === "on" && { encapsulationPort: 0 }),
  });
}

function openTransport({ raw = "auto", socketBuffer }: SctpPeerTask): EmbeddedTransport {
  return openEmbeddedTransport({ raw, ...(socketBuffer !== undefined && { socketBuffer }) });
}

if (import.meta.main) {
  const task: SctpPeerTask = JSON.parse(Deno.args[0] ?? "{}");
  if (task.role === "send") send(task);
  else receive(task);
}
