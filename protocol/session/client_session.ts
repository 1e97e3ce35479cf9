import type { PoolHandle } from "../param/pool_handle.ts";
import type { Connection } from "./connections.ts";
import type { ElementSearch } from "./element_searches.ts";
import type { SessionId } from "./types.ts";

/**
 * Where a session of a pool user stands:
 *
 *     seeking --found--> connecting --up--> up --down--> necessary --failover--> seeking
 *        ^------failure------/               \--failover--> seeking
 *                                             \--closeSession--> closing --down--> (gone)
 */
export type SessionState = "seeking" | "connecting" | "up" | "necessary" | "closing";

/** A session of a pool user. */
export interface ClientSession {
  readonly session: SessionId;
  readonly poolHandle: PoolHandle;
  readonly search: ElementSearch;
  state: SessionState;
  connection: Connection<ClientSession> | undefined;
  /** The element in use, or the last one; 0 = none yet. */
  elementId: number;
  /** The newest cookie. */
  cookie: Uint8Array | undefined;
  /** Whether `sessionOpened` was said. */
  opened: boolean;
  /** Whether the element has done something for the application on the present association. */
  fruitful: boolean;
}

/** A session that looks for its first element. */
export function newClientSession(search: ElementSearch): ClientSession {
  const { session, poolHandle } = search;
  return {
    session,
    poolHandle,
    search,
    state: "seeking",
    connection: undefined,
    elementId: 0,
    cookie: undefined,
    opened: false,
    fruitful: false,
  };
}
