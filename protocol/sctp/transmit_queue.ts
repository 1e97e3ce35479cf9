import type { Instant, PacketTransmit } from "../net.ts";
import { MAX_STATELESS_REPLIES } from "./limits.ts";
import type { Party } from "./party.ts";
import type { Target } from "./path.ts";

/** A packet that is ready to go, of no association or of one that has ended with it. */
interface Reply {
  readonly packet: Uint8Array;
  readonly target: Target;
  readonly localPort: number;
}

/** Packets that one association may send before the next one has its turn. */
const TURN_PACKETS = 32;

/** Turns that are over are forgotten when there are so many. */
const MAX_PAST_TURNS = 1024;

/** Who of a stack sends next: replies first, then the associations that have something to send, by turns. */
export class TransmitQueue {
  readonly #replies: Reply[] = [];
  #ready: Party[] = [];
  #readyHead = 0;
  #turnPackets = 0;

  /** Whether there is no room for one more reply. */
  get isFull(): boolean {
    return this.#replies.length >= MAX_STATELESS_REPLIES;
  }

  /** Whether replies of a port have not gone yet. */
  hasReplyFrom(localPort: number): boolean {
    return this.#replies.some((reply) => reply.localPort === localPort);
  }

  /** Queues a packet that is ready to go. */
  reply(packet: Uint8Array, target: Target, localPort: number): void {
    this.#replies.push({ packet, target, localPort });
  }

  /** The party has something to send. */
  wake(party: Party): void {
    if (party.queuedToSend) return;
    party.queuedToSend = true;
    this.#ready.push(party);
  }

  /** Builds the next packet; false = nothing to send. */
  buildPacket(buffer: Uint8Array, transmit: PacketTransmit, now: Instant): boolean {
    transmit.fragmentation = undefined;
    if (this.#takeReply(buffer, transmit)) return true;
    while (this.#readyHead < this.#ready.length) {
      const party = this.#ready[this.#readyHead]!;
      if (party.buildPacket(buffer, transmit, now)) {
        if (++this.#turnPackets >= TURN_PACKETS) this.#nextTurn(party);
        return true;
      }
      party.queuedToSend = false;
      this.#readyHead++;
      this.#turnPackets = 0;
    }
    this.#ready.length = 0;
    this.#readyHead = 0;
    return false;
  }

  #takeReply(buffer: Uint8Array, transmit: PacketTransmit): boolean {
    const reply = this.#replies.shift();
    if (reply === undefined) return false;
    buffer.set(reply.packet);
    transmit.length = reply.packet.length;
    transmit.source = reply.target.source;
    transmit.destination = reply.target.address;
    transmit.udpPort = reply.target.encapsulationPort;
    transmit.localPort = reply.localPort;
    return true;
  }

  /** The party goes behind the others. */
  #nextTurn(party: Party): void {
    this.#turnPackets = 0;
    this.#readyHead++;
    this.#ready.push(party);
    if (this.#readyHead < MAX_PAST_TURNS) return;
    this.#ready = this.#ready.slice(this.#readyHead);
    this.#readyHead = 0;
  }
}
