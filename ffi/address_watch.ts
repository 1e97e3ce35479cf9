/**
 * Notices when this host gets or loses addresses or routes: a netlink socket that the one poller watches. Nothing is asked
 * and nothing is read out of its messages; that there is one says enough. It sleeps as long as nothing changes.
 *
 * @module
 */
import type { LibcLease } from "./libc.ts";
import { sharedPoller, type Watch } from "./poller.ts";
import { SocketType } from "./structs.ts";

/** linux/netlink.h */
const AF_NETLINK = 16, NETLINK_ROUTE = 0;

/** linux/rtnetlink.h: addresses and routes of both families. */
const GROUPS = 0x10 | 0x40 | 0x100 | 0x400;

/** `struct sockaddr_nl`: family, padding, port (0 = the kernel gives one), groups. */
const SOCKADDR_NL_BYTES = 12;

/** Messages read at a time: one that does not fit is cut, which does no harm. */
const BUFFER_BYTES = 8192;

/** Reads in a row; what is left is told again by the poller. */
const READS_PER_TURN = 64;

/** Watches the addresses of this host. */
export class AddressWatch {
  readonly #libc: LibcLease;
  readonly #fd: number;
  readonly #watch: Watch | undefined;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #open = true;

  /**
   * Starts watching. Where netlink is forbidden, changes are found out by the paths that fail.
   *
   * @param libc a lease that outlives the watch
   * @param onChange called from the event loop, once for a burst of changes
   */
  constructor(libc: LibcLease, onChange: () => void) {
    this.#libc = libc;
    const { socket, bind, close } = libc.symbols;
    this.#fd = socket(
      AF_NETLINK,
      SocketType.raw | SocketType.nonBlocking | SocketType.closeOnExec,
      NETLINK_ROUTE,
    );
    if (this.#fd < 0) return;
    const name = new DataView(new ArrayBuffer(SOCKADDR_NL_BYTES));
    name.setUint16(0, AF_NETLINK, true);
    name.setUint32(8, GROUPS, true);
    if (bind(this.#fd, name, SOCKADDR_NL_BYTES) < 0) {
      close(this.#fd);
      return;
    }
    try {
      this.#watch = sharedPoller().watch(this.#fd, { read: true, write: false }, () => {
        this.#drain();
        if (this.#open) onChange();
      });
    } catch (error) {
      close(this.#fd);
      throw error;
    }
  }

  /** Empties the socket; when it has overflowed, the error that says so is taken off it, too. */
  #drain(): void {
    for (let i = 0; i < READS_PER_TURN; i++) {
      if (this.#libc.symbols.read(this.#fd, this.#buffer, BigInt(BUFFER_BYTES)) <= 0) return;
    }
  }

  /** Ends the watch. Idempotent. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    if (this.#watch === undefined) return;
    this.#watch.close();
    this.#libc.symbols.close(this.#fd);
  }
}
