/**
 * The MTU of the paths of an association: ICMP messages (RFC 9260 §8.5.2, §10; RFC 8899 §4.6), probes (packetization layer
 * path MTU discovery, RFC 8899 §5 and §6.2), and black holes, where long packets vanish without a word.
 *
 * A probe is a HEARTBEAT with a PAD chunk (RFC 4820) behind it, alone in a packet of the size in question that nobody may
 * fragment. Its loss says nothing of congestion, and only its answer changes anything.
 *
 * | state | probe | answered | not answered, MAX_PROBES times |
 * |---|---|---|---|
 * | base | base size | searching | error: the smallest MTU there is |
 * | searching | the most there could be, then halves of what is left | MTU = size, go on | size is too much, go on |
 * | complete | the MTU itself each interval; after the raise timer: searching | | black hole: base |
 * | error | base size each interval | searching | |
 *
 * With probing switched off (interval 0) nothing is sent as long as the MTU is that of the route. When an ICMP message or a
 * black hole has lowered it, the search runs all the same: at once after a black hole, else when the raise timer expires.
 * So it rises again when the path allows it, and no data is risked to find out.
 *
 * A black hole shows itself by T3: twice in a row it takes a long packet with it, no long packet is acknowledged meanwhile,
 * but something short is: a HEARTBEAT goes to every path whose T3 expires.
 */
import type { Instant } from "../net.ts";
import { ChunkType } from "./chunk.ts";
import type { ControlQueue } from "./control_queue.ts";
import { answersHeartbeat, makeHeartbeat, makeNonce } from "./heartbeat_chunk.ts";
import { MIN_BASE_PACKET_OCTETS } from "./limits.ts";
import { COMMON_HEADER_OCTETS } from "./packet.ts";
import type { Host } from "./party.ts";
import { NEVER } from "./path.ts";
import type { Path } from "./path.ts";
import type { PathSet } from "./path_set.ts";

/** Probes of one size before it counts as too much (RFC 8899 §5.1.2). */
const MAX_PROBES = 3;

/** PROBE_TIMER: never below a second, and 15 seconds where the user does not say (RFC 8899 §5.1.1). */
const MIN_PROBE_TIMER_MS = 1000, DEFAULT_PROBE_TIMER_MS = 15_000;

/** PMTU_RAISE_TIMER (RFC 8899 §5.1.1). */
const RAISE_TIMER_MS = 600_000;

/** The search ends when it is known to so many octets. */
const GRANULARITY_OCTETS = 8;

/** T3 expiries that make a black hole when short packets pass, and when it is not known whether they do. */
const SUSPICIONS = 2, BLIND_SUSPICIONS = 3;

/** What the search needs of its association. */
export interface PathMtuOwner {
  readonly paths: PathSet;
  readonly control: ControlQueue;
  readonly host: Host;
  /** A path MTU has changed. */
  measureFragments(): void;
  /** There is something to send. */
  wake(): void;
  arm(dueAt: Instant): void;
}

/** Looks for the path MTUs of one association. */
export class PathMtu {
  readonly #owner: PathMtuOwner;

  constructor(owner: PathMtuOwner) {
    this.#owner = owner;
  }

  /** A path is confirmed: if the user wants it, the search begins. */
  start(path: Path, now: Instant): void {
    const { mtuDiscovery, plpmtudProbeIntervalMs } = path.settings;
    if (!mtuDiscovery || plpmtudProbeIntervalMs === 0 || path.search.state !== "disabled") return;
    this.#beginBase(path, now);
  }

  /** The host's routing was asked again: when it allows more than the path MTU, that is tried by and by. */
  routed(path: Path, now: Instant): void {
    const { search } = path;
    if (search.state !== "disabled" || !path.settings.mtuDiscovery || path.mtu >= path.mtuCeiling) return;
    this.#complete(path, now);
  }

  /** Runs what is due on a path. */
  tick(path: Path, now: Instant): void {
    const { search } = path;
    if (search.dueAt > now) return;
    if (!path.settings.mtuDiscovery) return this.#stop(path);
    if (!path.working) { // what is lost now says nothing of its size
      search.nonce = undefined;
      return this.#wait(path, now + timerOf(path));
    }
    if (search.nonce !== undefined && search.probes < MAX_PROBES) {
      return this.#probe(path, search.probedSize, now);
    }
    if (search.nonce !== undefined) return this.#gaveNoAnswer(path, now);
    if (search.state === "searching") return this.#goOn(path, now);
    if (search.state === "base" || search.state === "error") {
      return this.#probe(path, Math.min(path.baseMtu, path.mtuCeiling), now);
    }
    if (now >= search.raiseAt && path.mtu < path.mtuCeiling) return this.#beginSearch(path, now);
    if (search.state === "complete" && path.settings.plpmtudProbeIntervalMs > 0) {
      return this.#probe(path, path.mtu, now);
    }
    this.#rest(path, now);
  }

  #gaveNoAnswer(path: Path, now: Instant): void {
    const { search } = path;
    search.nonce = undefined;
    search.probes = 0;
    switch (search.state) {
      case "searching":
        search.high = Math.min(search.high, search.probedSize);
        return this.#goOn(path, now);
      case "complete":
        return this.#blackHole(path, now);
      default:
        search.state = "error";
        this.#change(path, path.smallestMtu);
        this.#wait(path, now + timerOf(path));
    }
  }

  /**
   * Takes a HEARTBEAT ACK.
   *
   * @param chunk header and value
   * @returns whether it answers a probe
   */
  acknowledged(chunk: Uint8Array, now: Instant): boolean {
    const path = this.#owner.paths.list.find(({ search }) => answersHeartbeat(chunk, search.nonce));
    if (path === undefined) return false;
    const { search } = path;
    search.nonce = undefined;
    search.probes = 0;
    if (search.state === "complete") {
      this.#rest(path, now);
    } else if (search.state === "searching") {
      search.low = search.probedSize;
      this.#change(path, search.probedSize);
      this.#goOn(path, now);
    } else {
      this.#change(path, Math.max(path.mtu, search.probedSize));
      this.#beginSearch(path, now);
    }
    return true;
  }

  /** A router says what it can pass on. The message quotes a packet of this association. */
  tooBig(path: Path, mtu: number, now: Instant): void {
    if (!path.settings.mtuDiscovery) return;
    const { search } = path;
    if (mtu < path.mtu) {
      if (!path.lowerMtu(mtu)) return;
      this.#owner.measureFragments();
      search.nonce = undefined;
      search.probes = 0;
      if (path.settings.plpmtudProbeIntervalMs === 0) this.#complete(path, now);
      else this.#beginBase(path, now);
    } else if (search.nonce !== undefined && mtu < search.probedSize && search.state === "searching") {
      search.nonce = undefined; // the next thing to try is what the router says (RFC 8899 §4.6.2)
      search.probes = 0;
      search.high = Math.min(search.high, mtu + 1);
      if (mtu - search.low < GRANULARITY_OCTETS) this.#goOn(path, now);
      else this.#probe(path, mtu, now);
    } // else it contradicts what is known
  }

  /** T3 expired on a path. */
  timedOut(path: Path, now: Instant): void {
    const { search, lostOctets, provenOctets } = path;
    path.lostOctets = path.provenOctets = 0;
    const lower = path.mtu > path.baseMtu ? path.baseMtu : path.smallestMtu;
    const short = path.packetOctetsOf(lower);
    if (lower >= path.mtu || !path.settings.mtuDiscovery) return;
    if (provenOctets > short) search.suspicions = 0;
    if (lostOctets <= short) return;
    if (search.suspicions++ === 0) search.suspectedAt = now;
    const shortOnesPass = Math.max(path.lastAckedAt, path.heardAt) > search.suspectedAt;
    const enough = shortOnesPass ? SUSPICIONS : path.heartbeats ? Infinity : BLIND_SUSPICIONS;
    if (search.suspicions >= enough) this.#blackHole(path, now);
  }

  #blackHole(path: Path, now: Instant): void {
    const { search } = path;
    search.suspicions = 0;
    this.#change(path, path.mtu > path.baseMtu ? path.baseMtu : path.smallestMtu);
    if (path.mtu < path.baseMtu) {
      search.state = "error";
      search.nonce = undefined;
      search.probes = 0;
      this.#wait(path, now + timerOf(path));
    } else {
      this.#beginBase(path, now);
    }
  }

  #beginBase(path: Path, now: Instant): void {
    const { search } = path;
    search.state = "base";
    search.probes = 0;
    this.#probe(path, Math.min(path.mtu, path.baseMtu), now);
  }

  #beginSearch(path: Path, now: Instant): void {
    const { search } = path;
    search.state = "searching";
    search.low = path.mtu;
    search.high = path.mtuCeiling + 1;
    search.fresh = true;
    search.raiseAt = NEVER;
    this.#goOn(path, now);
  }

  /** The largest size first, which is mostly the right one; then halves of what is left. */
  #goOn(path: Path, now: Instant): void {
    const { search } = path;
    const { low, fresh } = search;
    search.fresh = false;
    search.probes = 0;
    const top = search.high - 1;
    if (top - low < (fresh ? 1 : GRANULARITY_OCTETS)) return this.#complete(path, now);
    this.#probe(path, fresh ? top : low + top >> 1 & ~3, now);
  }

  #complete(path: Path, now: Instant): void {
    path.search.state = "complete";
    path.search.raiseAt = now + RAISE_TIMER_MS;
    this.#rest(path, now);
  }

  /** Nothing is out: the MTU is confirmed after the interval, and a larger one tried after the raise timer. */
  #rest(path: Path, now: Instant): void {
    const { search, settings: { plpmtudProbeIntervalMs } } = path;
    const raiseAt = path.mtu < path.mtuCeiling ? search.raiseAt : NEVER;
    if (plpmtudProbeIntervalMs > 0) return this.#wait(path, Math.min(raiseAt, now + timerOf(path)));
    if (raiseAt === NEVER) this.#stop(path);
    else this.#wait(path, raiseAt);
  }

  #stop(path: Path): void {
    path.search.state = "disabled";
    path.search.nonce = undefined;
    path.search.dueAt = NEVER;
  }

  #wait(path: Path, dueAt: Instant): void {
    path.search.dueAt = dueAt;
    this.#owner.arm(dueAt);
  }

  #change(path: Path, mtu: number): void {
    if (mtu === path.mtu) return;
    path.fixMtu(mtu);
    this.#owner.measureFragments();
  }

  #probe(path: Path, mtu: number, now: Instant): void {
    const { search } = path;
    search.nonce = makeNonce(this.#owner.host.environment.random);
    search.probedSize = mtu;
    search.probes++;
    this.#owner.control.push(makeProbe(search.nonce, path.packetOctetsOf(mtu)), path.probe);
    this.#owner.wake();
    this.#wait(path, now + timerOf(path));
  }
}

/** HEARTBEAT and PAD (RFC 4820 §3), which make a packet of this length. */
function makeProbe(nonce: Uint8Array, packetOctets: number): Uint8Array {
  const heartbeat = makeHeartbeat(nonce);
  const chunks = new Uint8Array(Math.max(packetOctets, MIN_BASE_PACKET_OCTETS) - COMMON_HEADER_OCTETS);
  chunks.set(heartbeat);
  const padding = chunks.length - heartbeat.length;
  chunks.set([ChunkType.pad, 0, padding >> 8, padding & 0xff], heartbeat.length);
  return chunks;
}

function timerOf(path: Path): number {
  const { plpmtudProbeIntervalMs } = path.settings;
  return plpmtudProbeIntervalMs === 0
    ? DEFAULT_PROBE_TIMER_MS
    : Math.max(MIN_PROBE_TIMER_MS, plpmtudProbeIntervalMs);
}
