/**
 * The lives of the associations of one endpoint on kernel SCTP.
 *
 * | association | is left by |
 * |---|---|
 * | connecting: the kernel's ID is known, not yet told of | COMM_UP → up; CANT_STR_ASSOC or `abort` → down |
 * | up | SHUTDOWN_COMP, COMM_LOST → ended |
 * | ended: the kernel's last notifications are being read | queue of the socket empty → `down` is told |
 *
 * The kernel tells of failed messages after it told of the end, hence the third state. An association is peeled off to a
 * socket of its own once it is up; where there is no descriptor left it stays on the shared one.
 *
 * @module
 */
import {
  type AssociationDown,
  type AssociationId,
  type AssociationStatus,
  type ConnectCommand,
  isIpv4,
  type PartialReliability,
  SocketOptionError,
} from "../protocol/net.ts";
import type { EffectiveOptions } from "./effective_options.ts";
import { Errno, errnoName } from "./errno.ts";
import { FullBuffer } from "./full_buffer.ts";
import { keepDynamicAddresses } from "./kernel_addresses.ts";
import { KernelAssociation } from "./kernel_association.ts";
import { downOf, downOfAttempt, downOfLost, downOfShutdown } from "./kernel_down.ts";
import type { KernelEventQueue } from "./kernel_event_queue.ts";
import { withEncapsulation } from "./kernel_paths.ts";
import type { KernelSending } from "./kernel_sending.ts";
import { DEFAULTS, type KernelResources, openSibling, sendRoomOf } from "./kernel_setup.ts";
import { KernelSocket } from "./kernel_socket.ts";
import type { KernelSockets } from "./kernel_sockets.ts";
import { readStatus } from "./kernel_status.ts";
import type { AssociationChangeNotification } from "./notification.ts";

/**
 * The kernel counts about 250 octets of its own for each message against the receive buffer, but not against the window,
 * and discards what does not fit: a second lost for a retransmission time-out. So an association gets more buffer than
 * it has announced as window, four times as much: a window update is sent when a 16th of the doubled buffer has become
 * free, which then is half of the window.
 */
const MEMORY_FACTOR = 4;

/** Association IDs are unique in the process. */
let lastAssociationId = 0;

/** What the lives need of their endpoint. */
export interface LifeParts {
  readonly resources: KernelResources;
  readonly options: EffectiveOptions;
  /** Whether the endpoint can reach IPv6 addresses. */
  readonly ipv6: boolean;
  readonly sockets: KernelSockets;
  readonly events: KernelEventQueue;
  readonly sending: KernelSending;
  /** The endpoint's SCTP port. */
  readonly port: number;
  /** Sets on a new socket what the user has set on the endpoint. */
  readonly prepare: (socket: KernelSocket) => void;
  /** When messages of new associations are given up that do not say it themselves. */
  readonly reliability: () => PartialReliability | undefined;
}

/** All associations of an endpoint, from their start to their end. */
export class KernelLife {
  readonly #parts: LifeParts;
  readonly #byId = new Map<AssociationId, KernelAssociation>();
  readonly #byKernelId = new Map<number, KernelAssociation>();
  #closing = false;
  #onEmpty: (() => void) | undefined;

  constructor(parts: LifeParts) {
    this.#parts = parts;
  }

  /** An association that has not ended. */
  byId(id: AssociationId): KernelAssociation | undefined {
    const association = this.#byId.get(id);
    return association?.down === undefined ? association : undefined;
  }

  /** The association of a message or notification. */
  byKernelId(kernelId: number): KernelAssociation | undefined {
    return this.#byKernelId.get(kernelId);
  }

  // ----------------------------------------------------------------------------------------------- what the user asks

  /** Starts an association; if the kernel does not want to, `down` is told. */
  connect(command: ConnectCommand): void {
    const { resources: { library }, sockets: { main }, ipv6 } = this.#parts;
    const { request, port } = command;
    const usable = command.addresses.filter((address) => ipv6 || isIpv4(address));
    const targets = usable.map((address) => ({ address, port }));
    const impossible = this.#closing || this.#parts.sockets.peeled || targets.length === 0;
    const socket = impossible ? undefined : this.#connectingSocket();
    const kernelId = socket === undefined
      ? -Errno.EADDRNOTAVAIL
      : withEncapsulation(socket, command.encapsulationPort, () => library.connect(socket.fd, targets));
    if (socket === undefined || kernelId <= 0) {
      if (socket !== main) socket?.close();
      const association = ++lastAssociationId;
      const why = { reason: "refused", origin: "local", cause: undefined } as const;
      this.#parts.events.tell({ type: "down", association, request, ...why });
      return;
    }
    if (socket !== main) this.#parts.sockets.add(socket);
    const association = this.#register(kernelId, request, socket);
    association.peerPort = port;
    association.peerAddresses = usable;
  }

  /** The socket that starts an association: in the one-to-one style, its own. */
  #connectingSocket(): KernelSocket | undefined {
    const { resources, options, port, sockets, prepare } = this.#parts;
    if (!sockets.main.oneToOne) return sockets.main;
    try {
      const socket = openSibling(resources, options, port, sockets.all);
      prepare(socket);
      return socket;
    } catch {
      return undefined; // no descriptor left, or the address is gone
    }
  }

  /** Ends an association when everything is sent. */
  shutdown(association: KernelAssociation): void {
    if (association.ending !== "no") return;
    association.ending = "shutdown";
    if (association.up) this.#parts.sending.schedule(association);
    else this.abort(association, undefined); // nothing was sent, and the peer knows of nothing to shut down
  }

  /** Ends an association at once. */
  abort(association: KernelAssociation, reason: string | undefined): void {
    if (association.ending === "abort") return;
    association.ending = "abort";
    const info = new TextEncoder().encode(reason ?? "");
    association.socket.end(association.kernelId, "abort", info);
    this.#parts.sockets.updateInterest(association.socket);
    // A one-to-many socket tells of CANT_STR_ASSOC without saying whose it is; a one-to-one socket sends ABORT when it is
    // closed, and can tell nothing then.
    if (!association.up || association.socket.oneToOne) {
      this.finish(association, downOf(association, "aborted", "local", undefined));
    }
  }

  /** Takes no new associations, and shuts down those that are there. */
  shutdownAll(): void {
    this.#closing = true;
    for (const association of [...this.#byId.values()]) {
      if (association.up) this.shutdown(association);
      else this.abort(association, undefined);
    }
  }

  /** Aborts those that are still there. */
  abortAll(): void {
    for (const association of [...this.#byId.values()]) this.abort(association, undefined);
  }

  /** Tells that all are aborted, whatever the kernel does. */
  finishAll(): void {
    for (const association of [...this.#byId.values()]) {
      this.finish(association, downOf(association, "aborted", "local", undefined));
    }
  }

  /** Resolves when no association is left, or after some milliseconds. */
  async empty(limitMs: number): Promise<void> {
    if (this.#byId.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }

  // --------------------------------------------------------------------------------------------- what the kernel tells

  /**
   * Takes SCTP_ASSOC_CHANGE.
   *
   * @param socket where it came
   */
  onChange(change: AssociationChangeNotification, socket: KernelSocket): void {
    const { options, events, sockets } = this.#parts;
    const shared = socket === sockets.main && !sockets.peeled;
    const own = shared ? undefined : [...sockets.users(socket)][0];
    const association = this.#byKernelId.get(change.kernelId) ?? own;
    if (change.state === "up") {
      this.#onUp(association ?? this.#register(change.kernelId, undefined, socket), change);
    } else if (change.state === "cannotStart") {
      for (const failed of association === undefined ? this.#deadAttempts() : [association]) {
        failed.down ??= downOfAttempt(failed, change, options);
      }
    } else if (association !== undefined) {
      switch (change.state) {
        case "restart":
          association.restart();
          events.tellOf(association, { type: "restarted", association: association.id });
          break;
        case "shutdownComplete":
          association.down = downOfShutdown(association);
          break;
        case "lost":
          association.down = downOfLost(association, change, options);
          break;
        default:
          change.state satisfies never;
      }
    }
  }

  /** The kernel has ended an association, or never will: tells what is left of it. */
  finish(association: KernelAssociation, down: AssociationDown): void {
    const { sending, events, sockets } = this.#parts;
    association.down = down;
    this.#byId.delete(association.id);
    if (this.#byKernelId.get(association.kernelId) === association) {
      this.#byKernelId.delete(association.kernelId);
    }
    sending.giveUp(association);
    events.tell(down);
    sockets.leave(association);
    if (this.#byId.size === 0) this.#onEmpty?.();
  }

  /**
   * A one-to-one socket has had an error or come to its end: finds out whether its association is over without a
   * notification that says so.
   *
   * @returns whether it is over
   */
  check(socket: KernelSocket): boolean {
    const { resources: { library }, sockets } = this.#parts;
    for (const association of sockets.users(socket)) {
      if (association.down !== undefined) continue;
      if (readStatus(library, association) !== undefined) return false;
      association.down = association.up
        ? downOfShutdown(association)
        : downOf(association, "refused", "peer", undefined);
    }
    return true;
  }

  /** What the kernel says of an association now. */
  status(association: KernelAssociation): AssociationStatus | undefined {
    return readStatus(this.#parts.resources.library, association);
  }

  /** The peer has told of addresses that it has now, or not any more. */
  readPeerAddresses(association: KernelAssociation): void {
    const peers = this.#parts.resources.library.peerAddresses(association.socket.fd, association.kernelId);
    if (peers.length > 0) association.peerAddresses = peers.map(({ address }) => address);
  }

  /** All associations that are up. */
  get established(): readonly KernelAssociation[] {
    return [...this.#byId.values()].filter(({ up, down }) => up && down === undefined);
  }

  // ----------------------------------------------------------------------------------------------------- from and to others

  /**
   * Gives an association to another endpoint, with a descriptor of its own.
   *
   * @throws {SocketOptionError} when there is none
   */
  release(association: KernelAssociation): void {
    const { sockets, sending } = this.#parts;
    if (association.socket === sockets.main) {
      this.#peelOffNow(association);
      this.#limitSending(association);
    }
    this.#byId.delete(association.id);
    this.#byKernelId.delete(association.kernelId);
    sending.forget(association);
    sockets.release(association);
    if (this.#byId.size === 0) this.#onEmpty?.();
  }

  /** Takes an association that another endpoint gave away, whose socket is this one's main. */
  adopt(association: KernelAssociation): void {
    const { sockets, sending } = this.#parts;
    this.#byId.set(association.id, association);
    this.#byKernelId.set(association.kernelId, association);
    sockets.join(association);
    if (association.blocked) sockets.updateInterest(association.socket);
    else if (association.waiting > 0 || association.ending === "shutdown") sending.schedule(association);
  }

  #register(kernelId: number, request: number | undefined, socket: KernelSocket): KernelAssociation {
    const { sockets, reliability } = this.#parts;
    const id = ++lastAssociationId;
    const association = new KernelAssociation(id, kernelId, request, socket, performance.now());
    association.reliability = reliability();
    this.#byId.set(id, association);
    this.#byKernelId.set(kernelId, association);
    sockets.join(association);
    return association;
  }

  #onUp(association: KernelAssociation, change: AssociationChangeNotification): void {
    if (association.up) return;
    const { resources: { library }, events, sending } = this.#parts;
    const peers = library.peerAddresses(association.socket.fd, association.kernelId);
    if (peers.length > 0) {
      association.peerPort = peers[0]!.port;
      association.peerAddresses = peers.map((peer) => peer.address);
    }
    association.up = true;
    const { id, request, peerAddresses, peerPort } = association;
    const { outboundStreams, inboundStreams } = change;
    events.tell({
      type: "up",
      association: id,
      request,
      peerAddresses,
      peerPort,
      outboundStreams,
      inboundStreams,
    });
    for (const event of association.early) events.tell(event);
    association.early = [];
    this.#giveSocket(association);
    if (this.#closing) this.shutdown(association);
    else if (association.waiting > 0) sending.schedule(association);
  }

  /** A socket of its own where there is one to be had, and with it buffers of its own. */
  #giveSocket(association: KernelAssociation): void {
    const { resources: { peelOff }, options, sockets } = this.#parts;
    if (association.socket === sockets.main) {
      if (!peelOff) return;
      try {
        this.#peelOffNow(association);
      } catch {
        return; // no descriptor left
      }
    }
    keepDynamicAddresses(sockets.main, association.socket);
    association.socket.setReceiveBuffer(MEMORY_FACTOR * (options.receiveBuffer ?? DEFAULTS.receiveBuffer));
    this.#limitSending(association);
  }

  /** What waits in a buffer of its own is to drain within a time, where that is wanted. */
  #limitSending(association: KernelAssociation): void {
    const room = sendRoomOf(this.#parts.options);
    if (room === undefined) return;
    association.socket.setSendBuffer(room.octets);
    association.fullBuffer = new FullBuffer(room);
  }

  #peelOffNow(association: KernelAssociation): void {
    const { resources: { library, libc }, sockets } = this.#parts;
    const fd = library.peelOff(sockets.main.fd, association.kernelId);
    if (fd < 0) {
      const code = errnoName(-fd);
      throw new SocketOptionError(
        code,
        `Cannot give association ${association.id} a socket of its own (${code})`,
      );
    }
    sockets.move(association, new KernelSocket(libc.symbols, fd));
  }

  /** Connects that the kernel does not know any more: CANT_STR_ASSOC of Linux bears no ID. */
  #deadAttempts(): KernelAssociation[] {
    const { library } = this.#parts.resources;
    return [...this.#byId.values()].filter((association) =>
      !association.up && readStatus(library, association) === undefined
    );
  }
}
