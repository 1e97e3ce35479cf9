import { readEnrp, writeEnrp } from "../../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../../protocol/enrp/mod.ts";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { Peer, PeerList } from "../../../protocol/registrar/peer_list.ts";
import type { RegistrarReport } from "../../../protocol/registrar/report.ts";
import { newStatistics } from "../../../protocol/registrar/statistics.ts";
import type { RegistrarStatistics } from "../../../protocol/registrar/statistics.ts";
import { TakeoverService } from "../../../protocol/registrar/takeover.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";

export const POOL: Uint8Array = encodeText("EchoPool");
export const EXPIRY_MS = 5000;

/** Every message takes so long. */
const DELAY_MS = 2;

/** So often everybody is heard who lives and is not mute. */
const PRESENCE_MS = 2444;

/** How a registrar behaves: as ours, as RSPLIB's (the smaller ID goes on), or as one that never agrees. */
export type Manner = "ours" | "rsplib" | "mute";

interface UnderWay {
  readonly at: number;
  readonly from: Seat;
  readonly to: Seat;
  readonly octets: Uint8Array;
}

/** One registrar's takeovers, with a handlespace and peers of its own. */
export class Seat {
  readonly registrarId: number;
  readonly manner: Manner;
  readonly handlespace: Handlespace = new Handlespace(new Prng(1));
  readonly peers: PeerList = new PeerList();
  readonly statistics: RegistrarStatistics = newStatistics();
  readonly takeovers: TakeoverService;
  readonly reports: RegistrarReport[] = [];
  /** What it sent, in order: "initTakeover 3 -> 2". */
  readonly said: string[] = [];
  readonly adopted: number[] = [];
  readonly rehomed: number[] = [];
  readonly forgotten: number[] = [];
  readonly watched: number[] = [];
  presences = 0;
  alive = true;
  /** RSPLIB's manner: targets that it left to another one. */
  readonly rsplibLeft: Set<number> = new Set();
  /** RSPLIB's manner: takeovers of its own, with those whose agreement is outstanding. */
  readonly rsplibAttempts: Map<number, { readonly pending: Set<number>; readonly expiresAt: number }> =
    new Map();

  constructor(table: Table, registrarId: number, manner: Manner) {
    this.registrarId = registrarId;
    this.manner = manner;
    this.takeovers = new TakeoverService({
      registrarId,
      handlespace: this.handlespace,
      peers: this.peers,
      statistics: this.statistics,
      takeoverExpiryMs: EXPIRY_MS,
      send: (peer, message) => table.send(this, peer.registrarId, message),
      tellPresence: () => {
        this.presences++;
        table.presence(this);
      },
      forget: (peer) => {
        this.forgotten.push(peer.registrarId);
        this.peers.remove(peer);
        this.takeovers.peerGone(peer, table.now);
      },
      watch: (peer) => this.watched.push(peer.registrarId),
      adopt: (entry) => this.adopted.push(entry.elementId),
      rehomed: (entry) => this.rehomed.push(entry.elementId),
      report: (report) => this.reports.push(report),
    });
  }

  /** The homes of its elements, by element. */
  homes(): Record<number, number> {
    const homes: Record<number, number> = {};
    for (const entry of this.handlespace.page(undefined, Infinity)) {
      homes[entry.elementId] = entry.homeRegistrarId;
    }
    return homes;
  }

  /** Stages of takeovers, in order. */
  stages(): string[] {
    return this.reports.map((report) =>
      report.type === "takeover" ? `${report.stage} ${report.targetId} by ${report.registrarId}` : report.type
    );
  }
}

/** Registrars around a table who all know each other, with messages that take their time. */
export class Table {
  now = 0;
  readonly seats: Map<number, Seat> = new Map();
  readonly #underWay: UnderWay[] = [];
  #nextPresenceAt = PRESENCE_MS;

  /**
   * @param registrarIds who sits there
   * @param manners how those behave that are not ours
   */
  constructor(registrarIds: readonly number[], manners: Readonly<Record<number, Manner>> = {}) {
    for (const id of registrarIds) this.seats.set(id, new Seat(this, id, manners[id] ?? "ours"));
    for (const seat of this.seats.values()) {
      for (const id of registrarIds) {
        if (id === seat.registrarId) continue;
        const peer = new Peer(id, [`10.1.0.${id}`], 9901, false);
        peer.lastHeardAt = 0;
        seat.peers.add(peer);
      }
    }
  }

  seat(registrarId: number): Seat {
    return this.seats.get(registrarId)!;
  }

  /** Puts an element into everybody's handlespace. */
  element(elementId: number, homeRegistrarId: number): void {
    for (const { handlespace } of this.seats.values()) {
      handlespace.register(POOL, {
        elementId,
        homeRegistrarId,
        registrationLifeMs: 90_000,
        userTransport: { protocol: "sctp", port: 7, use: "data+control", addresses: ["10.1.9.9"] },
        policy: { name: "RoundRobin", type: 1 },
      });
    }
  }

  /** A registrar dies. */
  kill(registrarId: number): void {
    this.seat(registrarId).alive = false;
  }

  /** A registrar finds another one dead. */
  begin(registrarId: number, targetId: number): void {
    const seat = this.seat(registrarId);
    if (seat.manner === "rsplib") return this.#rsplibBegin(seat, targetId);
    const target = seat.peers.find(targetId);
    if (target !== undefined) seat.takeovers.begin(target, this.now);
  }

  send(from: Seat, to: number, message: EnrpMessage): void {
    const seat = this.seats.get(to);
    const octets = writeEnrp(message);
    const target = "targetId" in message ? ` ${message.targetId}` : "";
    from.said.push(`${message.type}${target} -> ${to}`);
    if (seat !== undefined) this.#underWay.push({ at: this.now + DELAY_MS, from, to: seat, octets });
  }

  /** Everybody hears that a registrar lives. */
  presence(from: Seat): void {
    for (const id of this.seats.keys()) {
      if (id === from.registrarId) continue;
      this.send(from, id, {
        type: "presence",
        senderId: from.registrarId,
        receiverId: 0,
        replyRequired: false,
        checksum: 0,
      });
    }
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const end = this.now + durationMs;
    for (let at = this.#nextEvent(); at <= end; at = this.#nextEvent()) {
      this.now = Math.max(this.now, at);
      this.#step();
    }
    this.now = end;
  }

  #nextEvent(): number {
    let at = Math.min(this.#nextPresenceAt, this.#underWay[0]?.at ?? Infinity);
    for (const seat of this.seats.values()) {
      if (!seat.alive) continue;
      at = Math.min(at, seat.takeovers.nextTimeout() ?? Infinity);
      for (const { expiresAt } of seat.rsplibAttempts.values()) at = Math.min(at, expiresAt);
    }
    return at;
  }

  #step(): void {
    if (this.#nextPresenceAt <= this.now) {
      this.#nextPresenceAt += PRESENCE_MS;
      return this.#hearAll();
    }
    const first = this.#underWay[0];
    if (first !== undefined && first.at <= this.now) {
      this.#underWay.shift();
      if (first.to.alive) this.#receive(first);
      return;
    }
    for (const seat of this.seats.values()) {
      if (!seat.alive) continue;
      seat.takeovers.tick(this.now);
      for (const [targetId, { expiresAt }] of seat.rsplibAttempts) {
        if (expiresAt <= this.now) this.#rsplibEnd(seat, targetId);
      }
    }
  }

  #hearAll(): void {
    for (const { peers } of this.seats.values()) {
      for (const peer of peers.identified()) {
        const seat = this.seat(peer.registrarId);
        if (seat.alive && seat.manner !== "mute") peer.lastHeardAt = this.now;
      }
    }
  }

  #receive({ from, to, octets }: UnderWay): void {
    const message = readEnrp(octets);
    const peer = to.peers.find(from.registrarId);
    if (peer !== undefined) peer.lastHeardAt = this.now;
    to.takeovers.heard(from.registrarId);
    if (peer === undefined || to.manner === "mute") return;
    if (to.manner === "rsplib") return this.#rsplibReceive(to, peer, message);
    if (message.type === "initTakeover") to.takeovers.initTakeover(peer, message, this.now);
    else if (message.type === "initTakeoverAck") to.takeovers.acknowledged(peer, message, this.now);
    else if (message.type === "takeoverServer") to.takeovers.takenOver(peer, message, this.now);
  }

  // --------------------------------------------------------------- RSPLIB's manner (reference/rsplib.md §3.10)

  #rsplibBegin(seat: Seat, targetId: number): void {
    if (seat.rsplibLeft.has(targetId)) return this.#rsplibEnd(seat, targetId);
    const pending = new Set([...seat.peers.identified()].map(({ registrarId }) => registrarId));
    pending.delete(targetId);
    seat.rsplibAttempts.set(targetId, { pending, expiresAt: this.now + EXPIRY_MS });
    for (const { registrarId: receiverId } of seat.peers.identified()) {
      this.send(seat, receiverId, {
        type: "initTakeover",
        senderId: seat.registrarId,
        receiverId,
        targetId,
      });
    }
  }

  #rsplibReceive(seat: Seat, peer: Peer, message: EnrpMessage): void {
    if (message.type === "initTakeover") {
      const { targetId } = message;
      if (seat.rsplibAttempts.has(targetId) && peer.registrarId > seat.registrarId) return;
      seat.rsplibAttempts.delete(targetId);
      seat.rsplibLeft.add(targetId);
      const [senderId, receiverId] = [seat.registrarId, peer.registrarId];
      this.send(seat, receiverId, { type: "initTakeoverAck", senderId, receiverId, targetId });
    } else if (message.type === "initTakeoverAck") {
      const attempt = seat.rsplibAttempts.get(message.targetId);
      attempt?.pending.delete(peer.registrarId);
      if (attempt?.pending.size !== 0) return;
      // ENRP_TAKEOVER_SERVER never leaves the host.
      for (const entry of seat.handlespace.page(undefined, Infinity, message.targetId)) {
        seat.handlespace.rehome(entry, seat.registrarId);
        seat.adopted.push(entry.elementId);
      }
      this.#rsplibEnd(seat, message.targetId);
    } else if (message.type === "takeoverServer") {
      for (const entry of seat.handlespace.page(undefined, Infinity, message.targetId)) {
        seat.handlespace.rehome(entry, peer.registrarId);
      }
    }
  }

  #rsplibEnd(seat: Seat, targetId: number): void {
    seat.rsplibAttempts.delete(targetId);
    const target = seat.peers.find(targetId);
    if (target !== undefined) seat.peers.remove(target);
  }
}
