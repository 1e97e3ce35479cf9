/**
 * What an association is made of, in the order in which the parts need each other, and what they ask of it: to send a
 * control chunk, to be called again, to end. Parts know each other only through this, so that each can be read alone.
 */
import type { AssociationId, DownReason, ErrorCause, Instant, TransportEvent } from "../net.ts";
import type { Association } from "./association.ts";
import { AssociationEvents } from "./association_events.ts";
import { AssociationInvariants } from "./association_invariants.ts";
import type { AssociationSeed } from "./association_seed.ts";
import { AssociationCounts } from "./association_statistics.ts";
import { Authentication } from "./authentication.ts";
import { AutoClose } from "./auto_close.ts";
import { CauseCode, makeAbort, makeError, textCause } from "./causes.ts";
import { ControlQueue } from "./control_queue.ts";
import { CookieEcho } from "./cookie_echo.ts";
import { DATA_FORMAT, I_DATA_FORMAT } from "./data_format.ts";
import type { DataFormat } from "./data_format.ts";
import { DynamicAddresses } from "./dynamic_addresses.ts";
import type { Endpoint } from "./endpoint.ts";
import { ErrorBudget } from "./error_budget.ts";
import { Inbound } from "./inbound.ts";
import type { EndpointSettings } from "./options.ts";
import { Outbound } from "./outbound.ts";
import { PacketBuilder } from "./packet_builder.ts";
import type { PacketSources } from "./packet_builder.ts";
import type { Host } from "./party.ts";
import { Path } from "./path.ts";
import type { Target } from "./path.ts";
import { PathMtu } from "./path_mtu.ts";
import type { PathMtuOwner } from "./path_mtu.ts";
import { PathSet } from "./path_set.ts";
import { Progress } from "./progress.ts";
import { Reconfiguration } from "./reconfiguration.ts";
import { SackSchedule } from "./sack_schedule.ts";
import { Sending } from "./sending.ts";
import type { SendingOwner } from "./sending.ts";
import { Shutdown } from "./shutdown.ts";
import type { ShutdownOwner } from "./shutdown.ts";
import { Supervision } from "./supervision.ts";

/** The parts of one association. */
export class AssociationParts implements PacketSources, PathMtuOwner, SendingOwner, ShutdownOwner {
  readonly association: Association;
  readonly host: Host;
  readonly endpoint: Endpoint;
  readonly id: AssociationId;
  /** The tags and TSNs it was made with, and what both sides agreed on. */
  readonly seed: AssociationSeed;
  /** The association's own: socket options change them. */
  readonly settings: EndpointSettings;
  readonly counts: AssociationCounts = new AssociationCounts();
  /** DATA or I-DATA. */
  readonly format: DataFormat;
  readonly events: AssociationEvents;
  /** What is authenticated, and how; undefined = nothing (RFC 4895). */
  readonly authentication: Authentication | undefined;
  readonly paths: PathSet;
  readonly control: ControlQueue = new ControlQueue();
  readonly outbound: Outbound;
  readonly sending: Sending;
  readonly inbound: Inbound;
  readonly sacks: SackSchedule;
  readonly supervision: Supervision;
  readonly pathMtu: PathMtu;
  readonly builder: PacketBuilder;
  readonly cookieEcho: CookieEcho;
  readonly shutdown: Shutdown;
  readonly autoClose: AutoClose;
  readonly progress: Progress;
  /** Changes of addresses; undefined = there are none (RFC 5061). */
  readonly dynamic: DynamicAddresses | undefined;
  readonly invariants: AssociationInvariants;
  /** Changes of streams (RFC 6525); undefined = there have not been any yet. */
  reconfiguration: Reconfiguration | undefined = undefined;
  readonly #errors = new ErrorBudget();

  /** @param association what has an identity, but no parts yet */
  constructor(association: Association, host: Host, seed: AssociationSeed) {
    const { endpoint } = association;
    const settings = { ...(seed.settings ?? endpoint.settings) };
    this.association = association;
    this.host = host;
    this.endpoint = endpoint;
    this.id = seed.id;
    this.seed = seed;
    this.settings = settings;
    this.format = seed.extensions.interleaving ? I_DATA_FORMAT : DATA_FORMAT;
    this.events = new AssociationEvents(this);
    const keys = seed.keys ?? endpoint.authentication.keys;
    this.authentication = seed.authentication &&
      new Authentication(seed.authentication, keys.copy(), host.environment);
    this.paths = makePaths(endpoint, seed, settings);
    this.outbound = this.#makeOutbound();
    this.sending = new Sending(this);
    this.inbound = new Inbound({
      initialTsn: seed.peerTsn,
      streams: seed.inboundStreams,
      interleaved: this.format.interleaved,
      limits: settings,
      sink: this.events,
      counters: host.counters,
    });
    this.sacks = new SackSchedule(settings, this.paths.primary);
    this.supervision = new Supervision(this.paths, settings, host, this.control, this.events);
    this.pathMtu = new PathMtu(this);
    this.builder = new PacketBuilder(endpoint.port, seed.peerPort, host.counters, this);
    this.cookieEcho = new CookieEcho(this);
    this.shutdown = new Shutdown(this);
    this.autoClose = new AutoClose(this);
    this.progress = new Progress(this);
    this.dynamic = seed.extensions.dynamicAddresses ? new DynamicAddresses(this, seed) : undefined;
    this.invariants = new AssociationInvariants(this);
    this.builder.measureFragments();
  }

  #makeOutbound(): Outbound {
    const { seed, settings } = this;
    const outbound = new Outbound({
      paths: this.paths,
      settings,
      counters: this.host.counters,
      counts: this.counts,
      lentOctets: this.host.lentOctets,
      format: this.format,
      initialTsn: seed.localTsn,
      streams: seed.outboundStreams,
      peerWindow: seed.peerWindow,
      onAbandoned: (message, sent) => this.sending.abandoned(message, sent),
    });
    if (settings.scheduler !== "fcfs") outbound.backlog.setScheduler(settings.scheduler);
    return outbound;
  }

  /** Whether the peer takes part in partial reliability (RFC 3758). */
  get partialReliability(): boolean {
    return this.seed.extensions.partialReliability;
  }

  /** Changes of streams, from now on. */
  reconfigure(): Reconfiguration {
    return this.reconfiguration ??= new Reconfiguration(this);
  }

  // ------------------------------------------------------------------------------------- what parts ask for: sending

  /** There may be something to send. */
  wake(): void {
    this.host.wake(this.association);
  }

  /** Sends a control chunk. */
  send(chunk: Uint8Array, target: Target): void {
    if (!this.control.push(chunk, target)) this.host.counters.limited++;
    this.wake();
  }

  /** Sends a control chunk in the place of one of the same type that still waits. */
  sendLatest(chunk: Uint8Array, target: Target): void {
    this.control.removeType(chunk[0]!);
    this.send(chunk, target);
  }

  /** Chunks of the handshake go to an unconfirmed address with a HEARTBEAT that verifies it in the same packet (§5.4). */
  sendToVerify(chunks: readonly Uint8Array[], path: Path, now: Instant): void {
    for (const chunk of chunks) this.sendLatest(chunk, path.confirmed ? path : path.alone);
    if (!path.confirmed) this.supervision.probe(path, now, path.alone);
  }

  /** Sends an ERROR, as long as there are not too many. */
  sendError(cause: ErrorCause, now: Instant): void {
    if (this.#errors.spend(now)) this.send(makeError(cause), this.paths.forData());
    else this.host.counters.limited++;
  }

  /** Sends a last packet, which outlives the association. */
  reply(chunk: Uint8Array): void {
    this.counts.packetsSent++;
    this.counts.controlChunksSent++;
    const chunks = this.authentication?.protect(chunk) ?? [chunk];
    const { peerPort, peerTag } = this.association;
    this.host.reply(this.endpoint, this.paths.forData(), peerPort, peerTag, chunks);
  }

  /** A SACK goes out with the next packet. */
  acknowledge(): void {
    this.sacks.due = true;
    this.wake();
  }

  // ----------------------------------------------------------------------------------- what parts ask for: the rest

  /** A timer of the association is due then. */
  arm(dueAt: Instant): void {
    if (dueAt < this.association.scheduledAt) this.host.schedule(this.association, dueAt);
  }

  emit(event: TransportEvent): void {
    this.host.emit(this.endpoint, event);
  }

  /**
   * A control chunk was not answered in time.
   *
   * @returns false when that was once too often, and the association has ended
   */
  unanswered(path: Path): boolean {
    path.timeout.backOff();
    this.supervision.countError(path);
    if (!this.supervision.failed) return true;
    this.end("timeout", "local", undefined);
    return false;
  }

  /** Path MTUs or the longest segment have changed. */
  measureFragments(): void {
    this.builder.measureFragments();
    if (this.association.state !== "cookie-echoed") this.wake(); // a smaller chunk may fit into the peer's window
  }

  /** Prefers a path for data, if it is confirmed. */
  setPrimary(path: Path): void {
    if (path === this.paths.primary || !path.confirmed) return;
    this.paths.primary = path;
    this.events.pathChanged(path, "made-primary");
    this.wake();
  }

  /** The TSNs of this side have begun anew. */
  forgetAcknowledgements(): void {
    this.invariants.restart();
  }

  /** The peer has broken the protocol: ABORT. */
  violation(text: string): void {
    this.abort(textCause(CauseCode.protocolViolation, text));
  }

  /** Ends the association with an ABORT. */
  abort(cause: ErrorCause): void {
    this.reply(makeAbort(0, cause));
    this.end("aborted", "local", cause);
  }

  /** Ends the association. */
  end(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    this.association.end(reason, origin, cause);
  }
}

/** The paths to the peer. A seed has at least one address: that which the packet came from, which proves it. */
function makePaths(endpoint: Endpoint, seed: AssociationSeed, settings: EndpointSettings): PathSet {
  const [first, ...others] = seed.addresses.map((address, index) =>
    new Path(index, address, seed.encapsulationPort, endpoint.route(address), settings)
  );
  first!.confirmed = true;
  const paths = new PathSet(first!);
  paths.list.push(...others);
  return paths;
}
