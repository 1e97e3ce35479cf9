/**
 * An endpoint on kernel SCTP.
 *
 * Theory of operation: one one-to-many socket (RFC 6458 §3) holds the port, listens, and starts associations. As soon as
 * an association is up it is peeled off to a descriptor of its own, because Linux lets all associations of a socket
 * share its buffers: a peer that does not read would block all others, and a reader that holds back one association
 * would hold back all. Where there is no descriptor left the association stays on the shared socket and works, with
 * those limits.
 *
 * The parts, each in the file of its name:
 *
 * | part | knows |
 * |---|---|
 * | {@linkcode KernelLife} | which associations there are; connecting, up, ended |
 * | {@linkcode KernelReceiving} | what the kernel's messages and notifications mean |
 * | {@linkcode KernelSending} | what waits to be sent |
 * | {@linkcode KernelSockets} | who uses which descriptor, and what the poller is to look for |
 * | {@linkcode KernelEventQueue} | what the user is told, and when |
 *
 * @module
 */
import type {
  AssociationId,
  AssociationStatus,
  Endpoint,
  EndpointOptions,
  EventHandler,
  IpAddress,
  TransportCommand,
} from "../protocol/net.ts";
import { KernelEventQueue } from "./kernel_event_queue.ts";
import { KernelLife } from "./kernel_life.ts";
import { requestHeartbeat, setPrimaryPath } from "./kernel_paths.ts";
import { KernelReceiving } from "./kernel_receiving.ts";
import { KernelSending } from "./kernel_sending.ts";
import { DEFAULTS, type KernelResources, openBoundSocket } from "./kernel_setup.ts";
import { KernelSockets } from "./kernel_sockets.ts";
import { readStatus } from "./kernel_status.ts";

/** After `close` has sent ABORTs, so long for the kernel to say that it did, in milliseconds. */
const ABORT_GRACE_MS = 1000;

/** See the module's description. Made by the transport's `open`. */
export class KernelEndpoint implements Endpoint {
  readonly port: number;
  readonly addresses: readonly IpAddress[];
  readonly #resources: KernelResources;
  readonly #onClosed: () => void;
  readonly #sockets: KernelSockets;
  readonly #events: KernelEventQueue;
  readonly #sending: KernelSending;
  readonly #life: KernelLife;
  readonly #receiving: KernelReceiving;
  #closing: Promise<void> | undefined;
  #closed = false;

  /**
   * Opens a socket and binds it.
   *
   * @param onClosed called once, when the endpoint holds nothing any more
   * @throws {SctpError} when the port is in use, an address is not one of this host, …
   */
  constructor(
    resources: KernelResources,
    options: EndpointOptions,
    onEvents: EventHandler,
    onClosed: () => void,
  ) {
    this.#resources = resources;
    this.#onClosed = onClosed;
    const { socket, ipv6, port, addresses } = openBoundSocket(resources, options);
    this.port = port;
    this.addresses = addresses;
    const maxMessage = options.maxMessage ?? DEFAULTS.maxMessage;
    const receiveBuffer = options.receiveBuffer ?? DEFAULTS.receiveBuffer;
    const sockets = new KernelSockets(socket, receiveBuffer, (ready) => this.#receiving.onReady(ready));
    const events = new KernelEventQueue(onEvents, () => this.#sending.flushScheduled());
    const sending = new KernelSending(sockets, events, maxMessage);
    const life = new KernelLife({ resources, options, ipv6, sockets, events, sending });
    const manual = options.manualReceive ?? false;
    this.#sockets = sockets;
    this.#events = events;
    this.#sending = sending;
    this.#life = life;
    this.#receiving = new KernelReceiving({ sockets, events, sending, life, maxMessage, manual });
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
        requestHeartbeat(association, command.address);
        break;
      case "consumed":
        this.#receiving.consumed(association, command.octets);
        break;
      default:
        command satisfies never;
    }
  }

  status(id: AssociationId): AssociationStatus | undefined {
    const association = this.#life.byId(id);
    return association && readStatus(this.#resources.library, association);
  }

  close(lingerMs: number = DEFAULTS.lingerMs): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs: number): Promise<void> {
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
    this.#onClosed();
  }
}
