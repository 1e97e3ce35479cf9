import { writeEnrp } from "../enrp/mod.ts";
import type { Presence } from "../enrp/mod.ts";
import type { Handlespace } from "../handlespace/mod.ts";
import { TimerQueue } from "../machine.ts";
import type { Prng } from "../machine.ts";
import { isLoopback } from "../net.ts";
import type { EndpointOpened, Instant } from "../net.ts";
import { shownAddresses } from "./peer_addresses.ts";
import type { PeerLinks } from "./peer_links.ts";
import type { Peer, PeerList } from "./peer_list.ts";
import type { RegistrarStatistics } from "./statistics.ts";

/** Presences come at the interval ±12.5 %, as RSPLIB's, so that registrars started together drift apart. */
const JITTER = 0.125;

/** What the presences need of the registrar around them. */
export interface PresencesContext {
  readonly registrarId: number;
  readonly presenceIntervalMs: number;
  readonly random: Prng;
  readonly handlespace: Handlespace;
  readonly peers: PeerList;
  readonly links: PeerLinks;
  readonly statistics: RegistrarStatistics;
  /** Sends a datagram to the group of presences. */
  readonly multicast: (data: Uint8Array) => void;
}

/** Tells the others that we live, and the checksum of what we own (RFC 5353 §2.1, §3.4.2, §3.6.1). */
export class Presences {
  readonly #context: PresencesContext;
  readonly #timers = new TimerQueue<"presence">();
  #place: { readonly port: number; readonly addresses: EndpointOpened["addresses"] } = {
    port: 0,
    addresses: [],
  };

  /** @param context the registrar around them */
  constructor(context: PresencesContext) {
    this.#context = context;
  }

  /** The endpoint of ENRP is open: presences tell where it is. */
  opened(endpoint: EndpointOpened): void {
    this.#place = endpoint;
  }

  /** Starts the cycle with a presence to everybody. */
  start(now: Instant): void {
    const { presenceIntervalMs, random } = this.#context;
    this.tellAll();
    const jitter = 1 + JITTER * (2 * random.uniform() - 1);
    this.#timers.set("presence", now + presenceIntervalMs * jitter);
  }

  /** Ends the cycle. */
  stop(): void {
    this.#timers.clear("presence");
  }

  /** Tells everybody: the group, and each peer, the static ones whose ID is not known included. */
  tellAll(): void {
    const { peers, links, multicast, statistics } = this.#context;
    statistics.presencesSent++;
    multicast(writeEnrp(this.message(undefined, false, false)));
    for (const peer of peers) links.greet(peer, false);
  }

  /** Tells one peer, if there is an association that takes it. */
  tell(peer: Peer, replyRequired: boolean): void {
    const { links, statistics } = this.#context;
    const octets = writeEnrp(this.message(peer, replyRequired, peer.addresses.some(isLoopback)));
    if (links.sendNow(peer, octets)) statistics.presencesSent++;
  }

  /**
   * Our presence of this moment.
   *
   * @param peer undefined = everybody
   */
  message(peer: Peer | undefined, replyRequired: boolean, overLoopback: boolean): Presence {
    const { registrarId, handlespace } = this.#context;
    const { port, addresses: own } = this.#place;
    const addresses = shownAddresses(own, overLoopback);
    return {
      type: "presence",
      senderId: registrarId,
      receiverId: peer?.registrarId ?? 0,
      replyRequired,
      checksum: handlespace.checksum(registrarId),
      serverInformation: { registrarId, transport: { protocol: "sctp", port, use: "data", addresses } },
    };
  }

  /** Runs what is due. */
  tick(now: Instant): void {
    if (this.#timers.takeDue(now) !== undefined) this.start(now);
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }
}
