/** What is counted of one association, as kernel SCTP does for SCTP_GET_ASSOC_STATS (reference/sctp.md §2.5). */
import type { AssociationStatistics } from "../net.ts";
import { DataFlag } from "./data_chunk.ts";
import { DataOutcome } from "./inbound.ts";
import type { Path } from "./path.ts";

type Counted = Omit<AssociationStatistics, "maxRtoMs" | "maxRtoAddress">;

/** The counts of one association. Its parts add to them as they work. */
export class AssociationCounts implements Counted {
  sacksReceived = 0;
  sacksSent = 0;
  packetsSent = 0;
  packetsReceived = 0;
  retransmittedChunks = 0;
  outOfSequenceTsns = 0;
  duplicateChunks = 0;
  gapAcksReceived = 0;
  unorderedChunksSent = 0;
  unorderedChunksReceived = 0;
  orderedChunksSent = 0;
  orderedChunksReceived = 0;
  controlChunksSent = 0;
  controlChunksReceived = 0;

  /**
   * A DATA chunk has come.
   *
   * @param flags of the chunk
   * @param outcome what became of it, a {@linkcode DataOutcome}
   */
  dataReceived(flags: number, outcome: number): void {
    if (outcome === DataOutcome.dropped) return; // as if it had been lost
    if (outcome === DataOutcome.duplicate) this.duplicateChunks++;
    else if ((flags & DataFlag.unordered) !== 0) this.unorderedChunksReceived++;
    else this.orderedChunksReceived++;
    if (outcome === DataOutcome.behindGap) this.outOfSequenceTsns++;
  }

  /** A new DATA chunk is on its way. */
  dataSent(unordered: boolean): void {
    if (unordered) this.unorderedChunksSent++;
    else this.orderedChunksSent++;
  }

  /**
   * The counts as they are now. A new period begins for the longest RTO.
   *
   * @param paths all of the association's
   */
  take(paths: readonly Path[]): AssociationStatistics {
    let maxRtoMs = 0;
    let maxRtoAddress: string | undefined;
    for (const { address, timeout } of paths) {
      const rtoMs = timeout.takeLongest();
      if (rtoMs <= maxRtoMs) continue;
      maxRtoMs = rtoMs;
      maxRtoAddress = address;
    }
    return { ...this, maxRtoMs, maxRtoAddress };
  }
}
