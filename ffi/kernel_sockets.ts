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
  /** Runs while a socket rests. */
  rest: ReturnType<typeof setTimeout> | undefined;
  /** Its association has ended with an error: no more comes than what the kernel keeps. */
  failed: boolean;
}

/**
 * A one-to-one socket whose peer has shut down can be read for ever, and tells of the end of the association by nothing
 * but a notification: it is left alone for so long, in milliseconds, before it is asked again. Rare: what this side has
 * still to send holds up the end.
 */
const REST_MS = 20;

const NOBODY: ReadonlySet<KernelAssociation> = new Set();

/** Sockets, their users and the poller's interest in them. */
export class KernelSockets {
  /** The socket that holds the port, or in an endpoint of one association, that association's. */
  readonly main: KernelSocket;
  /** Whether the main socket is that of an association. */
  readonly peeled: boolean;
  readonly #receiveBuffer: number;
  readonly #onReady: (socket: KernelSocket, readable: boolean) => void;
  readonly #poller: Poller = sharedPoller();
  readonly #states = new Map<KernelSocket, SocketState>();
  #holdsBack = true;

  /**
   * Takes over a socket and starts to watch it.
   *
   * @param peeled whether it is that of an association
   * @param receiveBuffer octets of an association that its user may leave unconsumed before reading pauses
   * @param onReady called when a socket can be read, or only written where that was waited for
   */
  constructor(
    main: KernelSocket,
    peeled: boolean,
    receiveBuffer: number,
    onReady: (socket: KernelSocket, readable: boolean) => void,
  ) {
    this.main = main;
    this.peeled = peeled;
    this.#receiveBuffer = receiveBuffer;
    this.#onReady = onReady;
    this.#watch(main);
  }

  /** All sockets, the main one first. */
  get all(): readonly KernelSocket[] {
    return [...this.#states.keys()];
  }

  /** Starts to watch a socket that was accepted, whose association is not known yet. */
  add(socket: KernelSocket): void {
    this.#watch(socket);
  }

  /** Closes a socket that nobody uses. */
  discard(socket: KernelSocket): void {
    if (socket !== this.main && this.users(socket).size === 0) this.#drop(socket);
  }

  /** Does not look at a socket for a while. */
  rest(socket: KernelSocket): void {
    const state = this.#states.get(socket);
    if (state === undefined || state.rest !== undefined) return;
    state.rest = setTimeout(() => {
      state.rest = undefined;
      this.updateInterest(socket);
      this.#onReady(socket, true);
    }, REST_MS);
    this.updateInterest(socket);
  }

  /** An association and its own socket go to another endpoint: they are not watched here any more. */
  release(association: KernelAssociation): void {
    this.#forget(association.socket);
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

  /** Whether a socket is that of one association, which no other ever uses. */
  isOwn(socket: KernelSocket): boolean {
    return socket !== this.main || this.peeled;
  }

  /** An association is over: its own socket is closed. */
  leave(association: KernelAssociation): void {
    this.#states.get(association.socket)?.users.delete(association);
    if (this.isOwn(association.socket)) this.#drop(association.socket);
  }

  /**
   * Whether reading pauses since a user has not consumed what came. One whose association is over, or as good as over, is
   * not waited for: it may never consume, and the notification of the end stands behind what came.
   */
  isHeldBack(socket: KernelSocket): boolean {
    const state = this.#states.get(socket);
    if (!this.#holdsBack || state === undefined || state.failed) return false;
    for (const user of state.users) if (user.unconsumed > this.#receiveBuffer && goesOn(user)) return true;
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
    for (const user of state.users) write ||= user.blocked && goesOn(user);
    const read = state.rest === undefined && !this.isHeldBack(socket);
    state.watch.update({ read, write });
  }

  /** Closes all sockets. Resolves when the poller has let go of them. */
  async close(): Promise<void> {
    for (const socket of [...this.#states.keys()]) this.#drop(socket);
    await this.#poller.settled();
  }

  #watch(socket: KernelSocket): SocketState {
    const watch = this.#poller.watch(socket.fd, { read: true, write: false }, ({ readable, error }) => {
      state.failed ||= error;
      this.#onReady(socket, readable || error);
    });
    const state: SocketState = { watch, users: new Set(), rest: undefined, failed: false };
    this.#states.set(socket, state);
    return state;
  }

  #drop(socket: KernelSocket): void {
    this.#forget(socket);
    socket.close();
  }

  #forget(socket: KernelSocket): void {
    const state = this.#states.get(socket);
    clearTimeout(state?.rest);
    state?.watch.close();
    this.#states.delete(socket);
  }
}

/** Whether the kernel still takes messages of an association, and its user wants that. */
function goesOn({ sendingOver, ending }: KernelAssociation): boolean {
  return !sendingOver && ending !== "abort";
}
