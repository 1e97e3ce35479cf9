/**
 * Dynamic addresses of one association (RFC 5061): what either side adds, removes or prefers while it lives. The
 * requests of this side are in asconf_sender.ts, those of the peer in asconf_receiver.ts.
 */
import type { Instant, IpAddress, PacketMeta } from "../net.ts";
import { addressesForPeer } from "./addresses.ts";
import { AsconfReceiver } from "./asconf_receiver.ts";
import { AsconfSender } from "./asconf_sender.ts";
import type { AssociationParts } from "./association_parts.ts";
import type { AssociationSeed } from "./association_seed.ts";
import { LocalAddresses } from "./local_addresses.ts";
import type { Path } from "./path.ts";

/** Changes the addresses of one association. */
export class DynamicAddresses {
  readonly #parts: AssociationParts;
  readonly #local: LocalAddresses;
  readonly #sender: AsconfSender;
  readonly #receiver: AsconfReceiver;

  constructor(parts: AssociationParts, { listed = [], localTsn, peerTsn }: AssociationSeed) {
    this.#parts = parts;
    const { association: { peerAddresses }, paths } = parts;
    // The peer may know an address that cannot be listed, such as a link-local one, by the packets that come from there.
    const unlisted = paths.list.flatMap(({ source }) =>
      source === undefined || addressesForPeer([source], peerAddresses).length > 0 ? [] : [source]
    );
    this.#local = new LocalAddresses([...listed, ...unlisted]);
    const sourceTo = (destination: IpAddress, avoid: readonly IpAddress[]) =>
      this.#sourceTo(destination, avoid);
    this.#sender = new AsconfSender(parts, this.#local, localTsn, sourceTo, (now) => this.#answered(now));
    this.#receiver = new AsconfReceiver(parts, peerTsn);
  }

  /** When there is something to do. */
  get dueAt(): Instant {
    return this.#sender.dueAt;
  }

  /**
   * Addresses that packets of the association may come from; none = any will do. When all that the peer knows are about to
   * go, it is still these as long as the peer is being asked (F1). Where it is not, since an association that is shutting
   * down asks for nothing any more, or what there is cannot be told, the peer may know a packet by its tag.
   */
  get sources(): readonly IpAddress[] {
    const { sources, known } = this.#local;
    return sources.length > 0 || !this.#sender.busy ? sources : [...known];
  }

  /** Whether an address is one of this side's in the association. */
  has(address: IpAddress): boolean {
    return this.#local.has(address);
  }

  /** Whether this side gives an address up: an ABORT that comes there means the address, not the association (F4). */
  isLeaving(address: IpAddress): boolean {
    return this.#local.deleting.has(address);
  }

  /** Whether the peer has deleted an address. */
  hasDeleted(address: IpAddress): boolean {
    return this.#receiver.hasDeleted(address);
  }

  tick(now: Instant): void {
    this.#sender.tick(now);
  }

  onAsconf(chunk: Uint8Array, meta: PacketMeta, now: Instant): void {
    this.#receiver.receive(chunk, meta, now);
  }

  onAsconfAck(chunk: Uint8Array, now: Instant): void {
    this.#sender.acknowledged(chunk, now);
  }

  /** The peer says that it does not know ASCONF (A9). */
  refused(): void {
    this.#sender.giveUp();
  }

  /** A path of the peer was proved. */
  confirmed(path: Path): void {
    this.#receiver.confirmed(path);
  }

  /** The association is established. What has changed since the peer was told of this side's addresses goes out. */
  start(now: Instant): void {
    const { addresses, autoAsconf } = this.#parts.association.endpoint.settings;
    if (addresses.length > 0 || autoAsconf) this.hostChanged(now);
    else this.#sender.goOn(now);
  }

  /** The endpoint has an address more. */
  add(address: IpAddress, now: Instant): void {
    if (addressesForPeer([address], this.#parts.association.peerAddresses).length === 0) return;
    this.#sender.add(address);
    this.#sender.goOn(now);
  }

  /** The endpoint has lost an address. */
  remove(address: IpAddress, now: Instant): void {
    this.#sender.remove(address);
    this.#sender.goOn(now);
    this.#parts.association.renewRoutes();
  }

  /** The peer is asked to send to an address of ours in the first place. */
  setPeerPrimary(address: IpAddress, now: Instant): void {
    this.#sender.setPrimary(address);
    this.#sender.goOn(now);
  }

  /** The addresses of this host have changed, and the endpoint is bound to all of them; or those that it is bound to have. */
  hostChanged(now: Instant): void {
    const { association: { endpoint, peerAddresses } } = this.#parts;
    const present = endpoint.localAddresses();
    for (const address of addressesForPeer(present, peerAddresses)) this.#sender.add(address);
    for (const address of [...this.#local.known, ...this.#local.adding]) {
      if (!present.includes(address)) this.#sender.remove(address);
    }
    this.#sender.goOn(now);
    this.#parts.association.renewRoutes();
  }

  /**
   * Addresses have changed by the peer's consent. Where a path gets a new source because the old one is not there any more,
   * what is in flight was never sent: it goes again, now.
   */
  #answered(_now: Instant): void {
    const { association, paths, outbound } = this.#parts;
    const present = new Set(association.endpoint.localAddresses());
    const stranded = paths.list.filter(({ source }) => source !== undefined && !present.has(source));
    association.renewRoutes();
    for (const path of stranded) {
      if (path.source === undefined || !present.has(path.source)) continue;
      outbound.flight.markPath(path);
      outbound.abandonment.pathLost(path);
    }
    this.#parts.wake();
  }

  /** What the routing says, if it is not about to be deleted; else any address that the peer knows. */
  #sourceTo(destination: IpAddress, avoid: readonly IpAddress[]): IpAddress | undefined {
    const { endpoint } = this.#parts.association;
    const all = [...this.#local.known, ...this.#local.adding].filter((address) =>
      !avoid.includes(address) && !this.#local.deleting.has(address)
    );
    return endpoint.routeFrom(destination, all)?.source;
  }
}
