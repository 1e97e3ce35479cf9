/**
 * The sockets of one endpoint of kernel SCTP: the one that has the port, and one for each association that was peeled
 * off; which associations use them, and what the poller is to look for.
 *
 * @module
 */
import type { KernelAssociation } from "./kernel_association.ts";
import type { KernelSocket } from "./kernel_socket.ts";
import { type Poller, sharedPoller, type Watch } from "./poller.ts";

interface SocketState {
  readonly watch: Watch;
  /** Associations that use the socket. */
  readonly users: Set<KernelAssociation>;
}

const NOBODY: ReadonlySet<KernelAssociation> = new Set();

/** Sockets, their users and the poller's interest in them. */
export class KernelSockets {
  /** The socket that holds the port. */
  readonly main: KernelSocket;
  readonly #receiveBuffer: number;
  readonly #onReady: (socket: KernelSocket) => void;
  readonly #poller: Poller = sharedPoller();
  readonly #states = new Map<KernelSocket, SocketState>();
  #holdsBack = true;

  /**
   * Takes over a socket and starts to watch it.
   *
   * @param receiveBuffer octets of an association that its user may leave unconsumed before reading pauses
   * @param onReady called when a socket can be read, or written where that was waited for
   */
  constructor(main: KernelSocket, receiveBuffer: number, onReady: (socket: KernelSocket) => void) {
    this.main = main;
    this.#receiveBuffer = receiveBuffer;
    this.#onReady = onReady;
    this.#watch(main);
  }

  /** Associations that use a socket; none when it was dropped. */
  users(socket: KernelSocket): ReadonlySet<KernelAssociation> {
    return this.#states.get(socket)?.users ?? NOBODY;
  }

  /** Starts to watch a socket and makes it an association's own. */
  move(association: KernelAssociation, socket: KernelSocket): void {
    this.#states.get(association.socket)?.users.delete(association);
    association.socket = socket;
    this.#watch(socket).users.add(association);
  }

  /** An association starts to use its socket. */
  join(association: KernelAssociation): void {
    this.#states.get(association.socket)?.users.add(association);
  }

  /** An association is over: its own socket is closed. */
  leave(association: KernelAssociation): void {
    this.#states.get(association.socket)?.users.delete(association);
    if (association.socket !== this.main) this.#drop(association.socket);
  }

  /** Whether reading pauses since a user has not consumed what came. */
  isHeldBack(socket: KernelSocket): boolean {
    if (!this.#holdsBack) return false;
    for (const user of this.users(socket)) if (user.unconsumed > this.#receiveBuffer) return true;
    return false;
  }

  /** Reads everything from now on, however little is consumed: else the end of an association would not be seen. */
  holdNothingBack(): void {
    this.#holdsBack = false;
    for (const socket of this.#states.keys()) this.updateInterest(socket);
  }

  /** Tells the poller what to look for after something has changed. */
  updateInterest(socket: KernelSocket): void {
    const state = this.#states.get(socket);
    if (state === undefined) return;
    let write = false;
    for (const user of state.users) write ||= user.blocked && !user.sendingOver && user.ending !== "abort";
    state.watch.update({ read: !this.isHeldBack(socket), write });
  }

  /** Closes all sockets. Resolves when the poller has let go of them. */
  async close(): Promise<void> {
    for (const socket of [...this.#states.keys()]) this.#drop(socket);
    await this.#poller.settled();
  }

  #watch(socket: KernelSocket): SocketState {
    const watch = this.#poller.watch(socket.fd, { read: true, write: false }, () => this.#onReady(socket));
    const state = { watch, users: new Set<KernelAssociation>() };
    this.#states.set(socket, state);
    return state;
  }

  #drop(socket: KernelSocket): void {
    this.#states.get(socket)?.watch.close();
    this.#states.delete(socket);
    socket.close();
  }
}
