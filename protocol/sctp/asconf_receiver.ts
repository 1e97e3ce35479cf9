/**
 * The peer's requests to change its addresses (RFC 5061 §5.2, §5.3, §5.4). Only authenticated ones get here. Each ASCONF
 * is carried out once: when it comes again, its answer had been lost, and goes out once more.
 */
import { isWildcard } from "../net.ts";
import type { ErrorCause, Instant, IpAddress, PacketMeta } from "../net.ts";
import { usablePeerAddresses } from "./addresses.ts";
import { readAsconf, writeAsconfAck } from "./asconf_chunk.ts";
import type { AsconfResponse, ReceivedRequest } from "./asconf_chunk.ts";
import type { AssociationParts } from "./association_parts.ts";
import { CauseCode } from "./causes.ts";
import { MAX_CACHED_ASCONF_ACKS, MAX_DELETED_ADDRESSES, MAX_PEER_ADDRESSES } from "./limits.ts";
import type { Path } from "./path.ts";
import { PeerPaths } from "./peer_paths.ts";
import { tsnAdd } from "./serial.ts";

/** Takes the ASCONFs of one peer. */
export class AsconfReceiver {
  readonly #parts: AssociationParts;
  readonly #peerPaths: PeerPaths;
  readonly #answers = new Map<number, Uint8Array>();
  readonly #deleted = new Set<IpAddress>();
  #nextSerial: number;
  /** Becomes the primary path as soon as it is confirmed. */
  #wantedPrimary: Path | undefined;

  /** @param initialTsn the peer's, where its sequence numbers start, too */
  constructor(parts: AssociationParts, initialTsn: number) {
    this.#parts = parts;
    this.#peerPaths = new PeerPaths(parts);
    this.#nextSerial = initialTsn;
  }

  /** Whether the peer has deleted an address: what still comes from there is out of the blue (F13). */
  hasDeleted(address: IpAddress): boolean {
    return this.#deleted.has(address);
  }

  /** A path has answered a HEARTBEAT for the first time. */
  confirmed(path: Path): void {
    if (path !== this.#wantedPrimary) return;
    this.#wantedPrimary = undefined;
    this.#parts.setPrimary(path);
  }

  /**
   * Takes an ASCONF. Its answer goes to where it came from (E6).
   *
   * @param chunk header and value
   * @throws {DecodeError} when it cannot be read
   */
  receive(chunk: Uint8Array, meta: PacketMeta, now: Instant): void {
    const { serial, requests } = readAsconf(chunk);
    let answer = this.#answers.get(serial);
    if (serial === this.#nextSerial) {
      this.#nextSerial = tsnAdd(serial, 1);
      answer = writeAsconfAck(serial, this.#carryOut(requests, meta, now));
      this.#remember(serial, answer);
    }
    if (answer === undefined) return; // stale, or from nowhere (E2, E5)
    const { paths, association } = this.#parts;
    this.#parts.send(answer, paths.find(meta.source) ?? association.endpoint.targetOf(meta));
  }

  #remember(serial: number, answer: Uint8Array): void {
    this.#answers.set(serial, answer);
    for (const old of this.#answers.keys()) {
      if (this.#answers.size <= MAX_CACHED_ASCONF_ACKS) break;
      this.#answers.delete(old);
    }
  }

  /** In their order (V1). Once an add or delete has failed, all behind it in the same chunk fail (F11). */
  #carryOut(
    requests: readonly (ReceivedRequest | AsconfResponse)[],
    meta: PacketMeta,
    now: Instant,
  ): AsconfResponse[] {
    let refusing = false;
    return requests.map((request) => {
      if (!("kind" in request)) return request;
      const { correlationId, kind, whole } = request;
      let code: number | undefined;
      if (kind === "setPrimary") code = this.#setPrimary(request, meta);
      else if (refusing) code = CauseCode.resourceShortage;
      else code = kind === "add" ? this.#add(request, meta, now) : this.#delete(request, meta);
      if (code !== undefined && kind !== "setPrimary") refusing = true;
      const cause: ErrorCause | undefined = code === undefined ? undefined : { code, info: whole };
      return { correlationId, cause };
    });
  }

  /** @returns the code of the error; undefined = done */
  #add(request: ReceivedRequest, meta: PacketMeta, now: Instant): number | undefined {
    const { association, paths } = this.#parts;
    const address = meant(request.address, meta);
    if (paths.find(address) !== undefined) return undefined;
    const { endpoint, peerPort } = association;
    if (
      address !== meta.source &&
      !usablePeerAddresses(meta.source, [address], endpoint.localAddresses()).includes(address)
    ) {
      return CauseCode.unresolvableAddress;
    }
    const other = endpoint.byAddress(address, peerPort);
    if (other !== undefined && other !== association) return CauseCode.noAuthorization;
    if (paths.list.length >= MAX_PEER_ADDRESSES) return CauseCode.resourceShortage;
    this.#deleted.delete(address);
    this.#peerPaths.add(
      address,
      address === meta.source ? meta.udpPort : paths.primary.encapsulationPort,
      now,
    );
    return undefined;
  }

  #delete(request: ReceivedRequest, meta: PacketMeta): number | undefined {
    const { paths } = this.#parts;
    const source = paths.find(meta.source);
    if (isWildcard(request.address)) { // all but the source (§4.2.2)
      if (source === undefined) return CauseCode.deleteLastAddress;
      for (const path of paths.list.filter((other) => other !== source)) this.#drop(path);
      return undefined;
    }
    const path = paths.find(request.address);
    if (path === undefined) return undefined; // it is as the peer wants it
    if (paths.list.length === 1) return CauseCode.deleteLastAddress; // F7
    if (path === source) return CauseCode.deleteSourceAddress; // F8
    this.#drop(path);
    return undefined;
  }

  #drop(path: Path): void {
    if (path === this.#wantedPrimary) this.#wantedPrimary = undefined;
    this.#deleted.add(path.address);
    for (const oldest of this.#deleted) {
      if (this.#deleted.size <= MAX_DELETED_ADDRESSES) break;
      this.#deleted.delete(oldest);
    }
    this.#peerPaths.remove(path);
  }

  /** Advice, which is followed when the path is there, and proved (§5.4). */
  #setPrimary(request: ReceivedRequest, meta: PacketMeta): number | undefined {
    const path = this.#parts.paths.find(meant(request.address, meta));
    if (path === undefined) return CauseCode.unresolvableAddress;
    if (path.confirmed) this.#parts.setPrimary(path);
    else this.#wantedPrimary = path;
    return undefined;
  }
}

/** The unspecified addresses stand for the packet's source. */
function meant(address: IpAddress, meta: PacketMeta): IpAddress {
  return isWildcard(address) ? meta.source : address;
}
