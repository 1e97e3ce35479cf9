/**
 * An endpoint on kernel SCTP.
 *
 * Theory of operation: one one-to-many socket (RFC 6458 §3) holds the port, listens, and starts associations. As soon as
 * an association is up it is peeled off to a descriptor of its own, because Linux lets all associations of a socket
 * share its buffers: a peer that does not read would block all others, and a reader that holds back one association
 * would hold back all. Where there is no descriptor left the association stays on the shared socket and works, with
 * those limits. In the one-to-one style every association has a socket of its own (SOCK_STREAM) from the start; the one
 * that holds the port takes those of peers, or does nothing but to hold it.
 *
 * The parts, each in the file of its name:
 *
 * | part | knows |
 * |---|---|
 * | {@linkcode KernelLife} | which associations there are; connecting, up, ended |
 * | {@linkcode KernelReceiving} | what the kernel's messages and notifications mean |
 * | {@linkcode KernelSending} | what waits to be sent |
 * | {@linkcode KernelSockets} | who uses which descriptor, and what the poller is to look for |
 * | {@linkcode KernelOptions} | which socket an option belongs to |
 * | {@linkcode KernelEventQueue} | what the user is told, and when |
 *
 * @module
 */
import { isIpv4, SocketOptionError } from "../protocol/net.ts";
import type {
  AssociationId,
  AssociationStatistics,
  AssociationStatus,
  Endpoint,
  EventHandler,
  IpAddress,
  SocketOptionName,
  SocketOptionTarget,
  SocketOptionValue,
  TransportCommand,
} from "../protocol/net.ts";
import type { EffectiveOptions } from "./effective_options.ts";
import { bindAddress, unbindAddress } from "./kernel_addresses.ts";
import type { KernelAssociation } from "./kernel_association.ts";
import { KernelEventQueue } from "./kernel_event_queue.ts";
import { KernelHeartbeats } from "./kernel_heartbeat.ts";
import { KernelLife } from "./kernel_life.ts";
import { KernelOptions } from "./kernel_options.ts";
import { requestHeartbeats, setPrimaryPath } from "./kernel_paths.ts";
import { type ReconfigurationCommand, reconfigure } from "./kernel_reconfiguration.ts";
import { KernelReceiving } from "./kernel_receiving.ts";
import { KernelSending } from "./kernel_sending.ts";
import { type BoundSocket, DEFAULTS, type KernelResources } from "./kernel_setup.ts";
import { KernelSockets } from "./kernel_sockets.ts";
import { statisticsOf } from "./kernel_statistics.ts";

/** After `close` has sent ABORTs, so long for the kernel to say that it did, in milliseconds. */
const ABORT_GRACE_MS = 1000;

/** Who keeps the endpoints of a transport. */
export interface EndpointKeeper {
  /** An endpoint is there that the transport did not open itself. */
  opened(endpoint: KernelEndpoint): void;
  /** An endpoint holds nothing any more. Called once. */
  closed(endpoint: KernelEndpoint): void;
}

/** See the module's description. Made by the transport's `open`. */
export class KernelEndpoint implements Endpoint {
  readonly port: number;
  readonly #resources: KernelResources;
  readonly #options: EffectiveOptions;
  readonly #keeper: EndpointKeeper;
  readonly #sockets: KernelSockets;
  readonly #events: KernelEventQueue;
  readonly #sending: KernelSending;
  readonly #life: KernelLife;
  readonly #receiving: KernelReceiving;
  readonly #socketOptions: KernelOptions;
  readonly #heartbeats: KernelHeartbeats;
  #addresses: readonly IpAddress[];
  #closing: Promise<void> | undefined;
  #closed = false;

  /**
   * Takes over a socket.
   *
   * @param bound as {@linkcode openBoundSocket} gives it, or that of an association which is peeled off
   */
  constructor(
    resources: KernelResources,
    options: EffectiveOptions,
    bound: BoundSocket,
    onEvents: EventHandler,
    keeper: EndpointKeeper,
  ) {
    this.#resources = resources;
    this.#options = options;
    this.#keeper = keeper;
    const { socket, ipv6, port, addresses, peeled = false } = bound;
    this.port = port;
    this.#addresses = addresses;
    const maxMessage = options.maxMessage ?? DEFAULTS.maxMessage;
    const receiveBuffer = options.receiveBuffer ?? DEFAULTS.receiveBuffer;
    const sockets = new KernelSockets(
      socket,
      peeled,
      receiveBuffer,
      (ready, readable) => this.#receiving.onReady(ready, readable),
    );
    const events = new KernelEventQueue(onEvents, () => this.#sending.flushScheduled());
    const sending = new KernelSending(sockets, events, maxMessage);
    const life = new KernelLife({
      resources,
      options,
      ipv6,
      port,
      sockets,
      events,
      sending,
      prepare: (socket) => this.#socketOptions.prepare(socket),
      reliability: () => this.#socketOptions.reliability,
    });
    const manual = options.manualReceive ?? false;
    this.#sockets = sockets;
    this.#events = events;
    this.#sending = sending;
    this.#life = life;
    this.#receiving = new KernelReceiving({ sockets, events, sending, life, maxMessage, manual });
    this.#socketOptions = new KernelOptions(sockets, life, port);
    this.#heartbeats = new KernelHeartbeats(port, (event) => events.tell(event));
  }

  get addresses(): readonly IpAddress[] {
    return this.#addresses;
  }

  execute(command: TransportCommand): void {
    if (this.#closed) return;
    if (command.type === "connect") {
      this.#life.connect(command);
      return;
    }
    const association = this.#life.byId(command.association);
    if (association === undefined) return;
    switch (command.type) {
      case "send":
        this.#sending.send(association, command);
        break;
      case "shutdown":
        this.#life.shutdown(association);
        break;
      case "abort":
        this.#life.abort(association, command.reason);
        break;
      case "setPrimary":
        setPrimaryPath(association, command.address);
        break;
      case "heartbeat":
        this.#requestHeartbeat(association, command.address);
        break;
      case "consumed":
        this.#receiving.consumed(association, command.octets);
        break;
      case "resetStreams":
      case "resetAssociation":
      case "addStreams":
        this.#reconfigure(association, command);
        break;
      default:
        command satisfies never;
    }
  }

  status(id: AssociationId): AssociationStatus | undefined {
    const association = this.#life.byId(id);
    return association && this.#life.status(association);
  }

  statistics(id: AssociationId): AssociationStatistics | undefined {
    if (this.#life.byId(id) === undefined) return undefined;
    return statisticsOf(this.getOption("get_assoc_stats", { association: id }));
  }

  getOption(name: SocketOptionName, target: SocketOptionTarget = {}): SocketOptionValue {
    return this.#socketOptions.get(name, target);
  }

  setOption(name: SocketOptionName, value: SocketOptionValue, target: SocketOptionTarget = {}): void {
    this.#socketOptions.set(name, value, target);
  }

  addAddress(address: IpAddress): void {
    bindAddress(this.#resources.library, this.#sockets, { address, port: this.port });
    this.#readAddresses();
  }

  removeAddress(address: IpAddress): void {
    unbindAddress(this.#resources.library, this.#sockets, { address, port: this.port });
    this.#readAddresses();
  }

  setPeerPrimary(association: AssociationId, address: IpAddress): void {
    this.setOption("set_peer_primary_addr", { address }, { association });
  }

  peelOff(id: AssociationId, onEvents: EventHandler): Endpoint {
    const association = this.#life.byId(id);
    if (association === undefined || !association.up) {
      throw new SocketOptionError("ENOTCONN", `Cannot peel association ${id} off: there is none`);
    }
    this.#life.release(association);
    const { library } = this.#resources, { socket, kernelId } = association;
    const addresses = library.localAddresses(socket.fd, kernelId).map(({ address }) => address);
    const options = { ...this.#options, listen: false, addresses };
    const ipv6 = addresses.some((address) => !isIpv4(address));
    const bound = { socket, ipv6, port: this.port, addresses, peeled: true };
    const endpoint = new KernelEndpoint(this.#resources, options, bound, onEvents, this.#keeper);
    this.#keeper.opened(endpoint);
    endpoint.#life.adopt(association);
    for (const event of this.#events.take(id)) endpoint.#events.tell(event);
    return endpoint;
  }

  #requestHeartbeat(association: KernelAssociation, address: IpAddress | undefined): void {
    if (!association.up) return;
    const addresses = address === undefined ? association.peerAddresses : [address];
    this.#heartbeats.expect(association, addresses);
    requestHeartbeats(association, addresses);
  }

  #reconfigure(association: KernelAssociation, command: ReconfigurationCommand): void {
    const streams = this.#life.status(association) ?? { inboundStreams: 0, outboundStreams: 0 };
    for (const event of reconfigure(association, command, streams)) this.#events.tellOf(association, event);
  }

  #readAddresses(): void {
    const listed = this.#resources.library.localAddresses(this.#sockets.main.fd, 0);
    this.#addresses = listed.map(({ address }) => address);
  }

  close(lingerMs: number = DEFAULTS.lingerMs): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs: number): Promise<void> {
    this.#heartbeats.close();
    this.#sockets.main.listen(0);
    this.#life.shutdownAll();
    this.#sockets.holdNothingBack();
    await this.#life.empty(lingerMs);
    this.#life.abortAll();
    await this.#life.empty(ABORT_GRACE_MS);
    this.#life.finishAll();
    const settled = this.#sockets.close();
    await undefined; // what is scheduled is delivered before this resolves
    this.#events.deliver();
    this.#closed = true;
    this.#events.close();
    await settled;
    this.#keeper.closed(this);
  }
}
