import type { AssociationId, DownReason, ErrorCause, PathChanged } from "../net.ts";
import type { AssociationParts } from "./association_parts.ts";
import type { MessageSink } from "./delivery.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Host } from "./party.ts";
import type { Path } from "./path.ts";
import type { PathListener } from "./supervision.ts";

/** What the user of an association hears; `sendFailed` and what else is about sending comes from sending.ts. */
export class AssociationEvents implements MessageSink, PathListener {
  readonly #parts: AssociationParts;
  readonly #host: Host;
  readonly #endpoint: Endpoint;
  readonly #id: AssociationId;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
    this.#host = parts.host;
    this.#endpoint = parts.endpoint;
    this.#id = parts.id;
  }

  deliver(
    stream: number,
    ssn: number,
    tsn: number,
    ppid: number,
    unordered: boolean,
    data: Uint8Array,
  ): void {
    this.#host.emit(this.#endpoint, {
      type: "message",
      association: this.#id,
      stream,
      ssn,
      tsn,
      ppid,
      unordered,
      data,
    });
  }

  pathChanged(path: Path, change: PathChanged["change"]): void {
    const { address } = path;
    this.#host.emit(this.#endpoint, { type: "path", association: this.#id, address, change });
    if (change === "confirmed") this.#parts.dynamic?.confirmed(path);
  }

  heartbeatAnswered({ address }: Path, roundTripMs: number): void {
    this.#host.emit(this.#endpoint, { type: "heartbeatAck", association: this.#id, address, roundTripMs });
  }

  /** The association is established. */
  up(): void {
    const { association, paths, outbound, inbound, seed, settings, authentication } = this.#parts;
    this.#host.emit(this.#endpoint, {
      type: "up",
      association: this.#id,
      request: association.request,
      peerAddresses: paths.list.map((path) => path.address),
      peerPort: association.peerPort,
      outboundStreams: outbound.streams.count,
      inboundStreams: inbound.streams.count,
    });
    const { adaptation: indication } = seed;
    if (indication !== undefined) {
      this.#host.emit(this.#endpoint, { type: "adaptation", association: this.#id, indication });
    }
    if (settings.authentication && authentication === undefined) this.keyChanged("no-authentication", 0);
  }

  restarted(): void {
    this.#host.emit(this.#endpoint, { type: "restarted", association: this.#id });
  }

  /** What waited for room has failed with the association before, so there is room. */
  writable(): void {
    this.#host.emit(this.#endpoint, { type: "writable", association: this.#id });
  }

  peerShutdown(): void {
    this.#host.emit(this.#endpoint, { type: "peerShutdown", association: this.#id });
  }

  remoteError(cause: ErrorCause): void {
    this.#host.emit(this.#endpoint, { type: "remoteError", association: this.#id, cause });
  }

  keyChanged(indication: "new-key" | "free-key" | "no-authentication", keyId: number): void {
    this.#host.emit(this.#endpoint, { type: "authentication", association: this.#id, indication, keyId });
  }

  /** Tells of keys that were deactivated and have sent their last message (RFC 6458 §6.1.8). */
  freeKeys(): void {
    const { authentication, outbound } = this.#parts;
    const free = authentication?.keys.takeFree((keyId) => outbound.usesKey(keyId));
    for (const keyId of free ?? []) this.keyChanged("free-key", keyId);
  }

  down(reason: DownReason, origin: "local" | "peer", cause: ErrorCause | undefined): void {
    const { request } = this.#parts.association;
    this.#host.emit(this.#endpoint, {
      type: "down",
      association: this.#id,
      request,
      reason,
      origin,
      cause,
    });
  }
}
