/**
 * A session: one endpoint (more with `peeloff`), its associations, and what is shown of them.
 *
 * Theory of operation: the transport's events come in by {@linkcode Session.take}, change the table of associations, are
 * shown and go into the event log. Commands run one after another besides them and wait for entries of the log. Whatever
 * waits ends when the session ends, or when its own command is stopped.
 */
import type {
  AssociationId,
  Endpoint,
  EndpointOptions,
  IpAddress,
  Transport,
  TransportCommand,
  TransportEvent,
} from "../../protocol/net.ts";
import { formatTransportAddress } from "../../protocol/net.ts";
import type { Association } from "./associations.ts";
import { Associations } from "./associations.ts";
import { CommandError, DarnExitCode, SessionEnded } from "./command_error.ts";
import type { CaptureFile } from "../driver/capture_file.ts";
import type { Display } from "./display.ts";
import { EchoService } from "./echo.ts";
import { EventLog } from "./event_log.ts";
import type { Occurrence } from "./event_log.ts";
import { Jobs } from "./jobs.ts";
import { Pattern } from "./payload.ts";
import { describeDown, renderEvent } from "./render/event.ts";
import type { MessageView } from "./render/message.ts";
import type { StatisticsSample } from "./render/statistics.ts";
import { within } from "./waiting.ts";

/** A peer to set up associations to. */
export interface Peer {
  readonly addresses: readonly IpAddress[];
  readonly port: number;
  /** UDP port of the peer's encapsulation; undefined = the transport finds out. */
  readonly encapsulationPort?: number | undefined;
}

/** What a session is to be. */
export interface SessionSettings {
  /** For the endpoint that the session opens. */
  readonly endpoint: EndpointOptions;
  /** Peer of the first message; undefined = none was given. */
  readonly peer: Peer | undefined;
  /** Sends every message back. */
  readonly echo: boolean;
  /** Fails where the original would say EAGAIN. */
  readonly nonBlocking: boolean;
  /** The longest that anything is waited for; Infinity = for ever. */
  readonly waitMs: number;
  /** Ends the session with its last association. */
  readonly once: boolean;
  /** Local and remote host as the command line has them, for the prompt. */
  readonly localName: string;
  readonly remoteName: string;
}

/** How long SHUTDOWN may take at the end of the session. */
const END_LIMIT_MS = 5000;

/** Takes every message in the place of the display: poll mode only counts them. */
export type MessageSink = (association: Association, octets: number) => void;

/** One run of the tool. */
export class Session {
  readonly settings: SessionSettings;
  readonly display: Display;
  readonly transport: Transport;
  readonly associations: Associations = new Associations();
  readonly events: EventLog = new EventLog();
  readonly jobs: Jobs;
  readonly pattern: Pattern = new Pattern();
  /** The statistics that were shown last, by association number. */
  readonly samples: Map<number, StatisticsSample> = new Map();
  /** May be changed by the command `view`. */
  view: MessageView;
  /** Told after every event and every command: what the prompt says may have changed. */
  onChange: () => void = () => {};
  /** Messages are counted there and not shown. */
  messageSink: MessageSink | undefined;
  /** Ends packet capture. */
  capture: CaptureFile | undefined;
  readonly #endpoints: Endpoint[] = [];
  readonly #echo: EchoService | undefined;
  readonly #ending = new AbortController();
  readonly #connects = new Map<number, PromiseWithResolvers<Association>>();
  #lastRequest = 0;
  /** Messages were lost with their association, or the last SHUTDOWN was not completed. */
  #lost = false;
  /** Associations with messages that did not arrive before the end. */
  readonly #undelivered = new Set<AssociationId>();

  constructor(transport: Transport, settings: SessionSettings, display: Display, view: MessageView) {
    this.transport = transport;
    this.settings = settings;
    this.display = display;
    this.view = view;
    this.jobs = new Jobs(display, this.ended);
    this.#echo = settings.echo ? new EchoService() : undefined;
  }

  /** Aborted when the session is to end; its reason is {@linkcode SessionEnded}. */
  get ended(): AbortSignal {
    return this.#ending.signal;
  }

  /** The endpoint that was opened first. */
  get endpoint(): Endpoint {
    const [endpoint] = this.#endpoints;
    if (endpoint === undefined) throw new CommandError("there is no endpoint yet");
    return endpoint;
  }

  /** Opens an endpoint. @throws an error with `code` where the port or an address cannot be had */
  open(options: EndpointOptions = this.settings.endpoint): Endpoint {
    const endpoint: Endpoint = this.transport.open(
      this.#echo === undefined ? options : { ...options, manualReceive: true },
      (events) => this.#takeAll(events, endpoint),
    );
    this.#endpoints.push(endpoint);
    return endpoint;
  }

  /** `LHOST:LPORT-RHOST:RPORT Interactive mode> ` as in the original, with the association's number if there are several. */
  get prompt(): string {
    const current = this.associations.current;
    const { localName, remoteName } = this.settings;
    const local = formatTransportAddress({
      address: localName,
      port: current?.endpoint.port ?? this.endpoint.port,
    });
    const peer = current === undefined ? remoteName : formatTransportAddress({
      address: current.peerAddresses[0] ?? "?",
      port: current.peerPort,
    });
    const number = current !== undefined && this.associations.count > 1 ? ` #${current.number}` : "";
    return `${local}-${peer}${number} Interactive mode> `;
  }

  /** Asks the transport for something. */
  execute(association: Association, command: TransportCommand): void {
    association.endpoint.execute(command);
  }

  /**
   * Sets up an association.
   *
   * @throws {CommandError} when that fails
   */
  async connect(peer: Peer, signal: AbortSignal): Promise<Association> {
    const request = ++this.#lastRequest;
    const answer = Promise.withResolvers<Association>();
    this.#connects.set(request, answer);
    const { addresses, port, encapsulationPort } = peer;
    this.endpoint.execute({
      type: "connect",
      request,
      addresses,
      port,
      ...(encapsulationPort !== undefined && { encapsulationPort }),
    });
    const where = formatTransportAddress({ address: addresses[0] ?? "?", port });
    return await within(answer.promise, this.settings.waitMs, signal, `answer from ${where}`);
  }

  /**
   * The association that a command is about.
   *
   * @param number as typed; undefined = the current one
   * @throws {CommandError} when there is none
   */
  association(number?: number): Association {
    const association = number === undefined ? this.associations.current : this.associations.get(number);
    if (association !== undefined) return association;
    throw new CommandError(
      number === undefined ? "No association present yet" : `there is no association #${number}`,
    );
  }

  /** Waits for an event that is yet to come, or that came behind `from`. */
  async waitFor(
    what: string,
    matches: (occurrence: Occurrence) => boolean,
    signal: AbortSignal,
    { from = this.events.next, timeoutMs = this.settings.waitMs }: { from?: number; timeoutMs?: number } = {},
  ): Promise<Occurrence> {
    return await this.events.waitFor({ from, what, matches, timeoutMs, signal });
  }

  /** Gives an association an endpoint of its own. */
  peelOff(association: Association): Endpoint {
    const endpoint: Endpoint = association.endpoint.peelOff(
      association.id,
      (events) => this.#takeAll(events, endpoint),
    );
    this.#endpoints.push(endpoint);
    this.associations.change(association, { endpoint });
    return endpoint;
  }

  /** Notes messages that were handed to the transport. */
  countSent(association: Association, octets: number): void {
    const { sent } = association;
    this.associations.change(association, {
      sent: { messages: sent.messages + 1, octets: sent.octets + octets },
    });
  }

  /** Ends all that waits; {@linkcode close} does the rest. */
  end(): void {
    if (!this.ended.aborted) this.#ending.abort(new SessionEnded());
  }

  /**
   * Shuts every association down and closes the endpoints.
   *
   * @returns the exit code: whether all that was sent was acknowledged
   */
  async close(): Promise<number> {
    this.end();
    await this.jobs.finished();
    await Promise.all(this.associations.all.map((association) => this.#shutDown(association)));
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.close()));
    this.capture?.close();
    this.capture = undefined;
    return this.#lost ? DarnExitCode.association : DarnExitCode.done;
  }

  async #shutDown(association: Association): Promise<void> {
    this.execute(association, { type: "shutdown", association: association.id });
    const gone = new AbortController();
    try {
      const { event } = await this.waitFor("SHUTDOWN COMPLETE", isDown(association.number), gone.signal, {
        timeoutMs: END_LIMIT_MS,
      });
      if (event.type === "down" && event.reason !== "shutdown") this.#lost = true;
    } catch (error) { // the peer does not answer: the endpoint's closing aborts what is left
      this.#lost = true;
      this.display.error(error instanceof Error ? error.message : String(error));
    }
  }

  #takeAll(events: readonly TransportEvent[], endpoint: Endpoint): void {
    for (const event of events) this.#take(event, endpoint);
    this.onChange();
  }

  #take(event: TransportEvent, endpoint: Endpoint): void {
    const association = this.associations.take(event, endpoint);
    this.#echo?.take(event, association);
    if (event.type === "message" && this.messageSink !== undefined) {
      if (association !== undefined) this.messageSink(association, event.data.length);
      return;
    }
    const shown = renderEvent(event, association, this.view);
    this.display.event(shown);
    this.events.add({ event, association: association?.number, shown });
    if (event.type === "sendFailed" && (event.failure ?? "association-ended") === "association-ended") {
      this.#undelivered.add(event.association);
    }
    if (event.type === "up") this.#answer(event.request, association);
    if (event.type === "down") this.#takeDown(event, association);
  }

  #answer(request: number | undefined, association: Association | undefined): void {
    if (request === undefined || association === undefined) return;
    this.#connects.get(request)?.resolve(association);
    this.#connects.delete(request);
  }

  #takeDown(event: Extract<TransportEvent, { type: "down" }>, association: Association | undefined): void {
    if (event.request !== undefined) {
      const failure = new CommandError(describeDown(event), DarnExitCode.association);
      this.#connects.get(event.request)?.reject(failure);
      this.#connects.delete(event.request);
    }
    if (association === undefined) return;
    this.samples.delete(association.number);
    const isAborted = event.origin === "local" && event.reason === "aborted"; // who aborts does not want them to arrive
    if (this.#undelivered.delete(event.association) && !isAborted) this.#lost = true;
    if (this.associations.count > 0) return;
    this.display.event({ lines: ["No association is present now!!"], fields: { event: "none" } });
    if (this.settings.once) this.end();
  }
}

/** Matches the end of an association. */
export function isDown(number: number): (occurrence: Occurrence) => boolean {
  return ({ event, association }) => event.type === "down" && association === number;
}
