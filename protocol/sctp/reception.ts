import type { Instant } from "../net.ts";
import { DecodeError } from "../wire/errors.ts";
import type { AssociationParts } from "./association_parts.ts";
import type { AssociationState } from "./association_seed.ts";
import { CauseCode, invalidStreamCause, numberCause, textCause } from "./causes.ts";
import { DataFlag } from "./data_chunk.ts";
import { DataOutcome } from "./data_outcome.ts";
import { takeForwardTsn } from "./forward_tsn.ts";
import { readU16, readU32 } from "./packet.ts";
import type { Path } from "./path.ts";

/**
 * Takes DATA or I-DATA, and FORWARD TSN or I-FORWARD-TSN, and sees to it that a packet with any of them is acknowledged
 * (RFC 9260 §6.2). Chunks are read where they stand in the packet: nothing is copied but user data.
 */
export class Reception {
  readonly #parts: AssociationParts;
  /** The packet at hand has DATA. */
  #sawData = false;
  /** There were gaps before the packet at hand. */
  #hadGaps = false;

  constructor(parts: AssociationParts) {
    this.#parts = parts;
  }

  /** A packet begins. */
  begin(): void {
    this.#sawData = false;
    this.#hadGaps = this.#parts.inbound.hasGaps;
  }

  /** Takes the DATA or I-DATA chunk of a packet. */
  data(packet: Uint8Array, at: number, length: number, now: Instant): void {
    const parts = this.#parts;
    const { format } = parts;
    const { headerOctets } = format;
    if (length < headerOctets) throw new DecodeError("truncated", `DATA needs ${headerOctets} octets`, at);
    const tsn = readU32(packet, at + 4);
    if (length === headerOctets) return parts.abort(numberCause(CauseCode.noUserData, tsn));
    if (!takesData(parts.association.state)) return;
    parts.host.counters.dataChunksReceived++;
    this.#sawData = true;
    const flags = packet[at + 1]!;
    const stream = readU16(packet, at + 8);
    if (parts.reconfiguration?.defers(tsn, stream)) return;
    const outcome = parts.inbound.receive(
      packet,
      at + headerOctets,
      at + length,
      tsn,
      stream,
      format.readNumber(packet, at),
      readU32(packet, at + headerOctets - 4),
      flags,
    );
    parts.counts.dataReceived(flags, outcome);
    if ((flags & DataFlag.immediate) !== 0 || outcome !== DataOutcome.inOrder) parts.sacks.due = true;
    if (outcome >= DataOutcome.dropped) this.#onOdd(outcome, stream, now);
  }

  /**
   * Takes the FORWARD TSN chunk that goes with the association's DATA.
   *
   * @param chunk header and value
   */
  forwardTsn(chunk: Uint8Array, now: Instant): void {
    const { association, inbound, format, sacks } = this.#parts;
    if (!takesData(association.state)) return;
    const outcome = takeForwardTsn(inbound, chunk, format);
    this.#sawData = sacks.due = true;
    if (outcome !== DataOutcome.inOrder) this.#onOdd(outcome, 0, now);
  }

  #onOdd(outcome: number, stream: number, now: Instant): void {
    const parts = this.#parts;
    switch (outcome) {
      case DataOutcome.dropped:
        parts.host.counters.limited++;
        return;
      case DataOutcome.badStream:
        return parts.sendError(invalidStreamCause(stream), now);
      case DataOutcome.tooLong:
        return this.#refuse("The message is too long for this endpoint.");
      case DataOutcome.tooMany:
        return this.#refuse("Too many messages are under way at once.");
      case DataOutcome.violation:
        return parts.violation("The fragments of a message contradict each other.");
    }
  }

  #refuse(text: string): void {
    this.#parts.abort(textCause(CauseCode.outOfResource, text));
  }

  /** A packet ends: if there was DATA in it, a SACK is due, now or by and by. */
  finish(path: Path | undefined, now: Instant): void {
    const parts = this.#parts;
    const { association, sacks } = parts;
    if (!this.#sawData || association.state === "closed") return;
    if (this.#hadGaps || parts.inbound.hasGaps) sacks.due = true;
    sacks.received(path, now);
    parts.autoClose.touch(now);
    if (association.mayCarryData) parts.reconfiguration?.progress(now);
    if (association.state === "shutdown-sent") parts.shutdown.repeat(now); // with a SACK (§9.2)
    if (sacks.due) parts.wake();
    else parts.arm(sacks.dueAt);
  }
}

/** Whether the peer may still send data, as far as this side knows. */
function takesData(state: AssociationState): boolean {
  return state === "established" || state === "shutdown-pending" || state === "shutdown-sent";
}
