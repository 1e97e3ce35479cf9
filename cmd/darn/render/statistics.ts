/** The statistics of an association: the original's fifteen lines. */
import { formatTransportAddress } from "../../../protocol/net.ts";
import type { AssociationStatistics } from "../../../protocol/net.ts";
import type { Association } from "../associations.ts";
import { shown } from "./shown.ts";
import type { Shown } from "./shown.ts";

type Counter = Exclude<keyof AssociationStatistics, "maxRtoMs" | "maxRtoAddress">;

/** The original's labels, in its order. */
const LINES: readonly (readonly [label: string, counter: Counter])[] = [
  ["Retransmitted Chunks", "retransmittedChunks"],
  ["Gap Acknowledgements Received", "gapAcksReceived"],
  ["TSN received > next expected", "outOfSequenceTsns"],
  ["SACKs sent", "sacksSent"],
  ["SACKs received", "sacksReceived"],
  ["Control chunks sent", "controlChunksSent"],
  ["Control chunks received", "controlChunksReceived"],
  ["Ordered data chunks sent", "orderedChunksSent"],
  ["Ordered data chunks received", "orderedChunksReceived"],
  ["Unordered data chunks sent", "unorderedChunksSent"],
  ["Unordered data chunks received", "unorderedChunksReceived"],
  ["Dups received (ordered+unordered)", "duplicateChunks"],
  ["Packets sent", "packetsSent"],
  ["Packets received", "packetsReceived"],
];

/** Statistics at a moment. */
export interface StatisticsSample {
  readonly statistics: AssociationStatistics;
  /** Milliseconds on a monotonic clock. */
  readonly at: number;
}

/**
 * The fifteen lines of the original; the second time, with what was added since.
 *
 * @param before the sample that was shown last
 */
export function renderStatistics(
  association: Association,
  { statistics, at }: StatisticsSample,
  before: StatisticsSample | undefined,
): Shown {
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const lines = LINES.map(([label, counter]) => {
    const value = statistics[counter];
    const added = before === undefined ? 0 : value - before.statistics[counter];
    const delta = added === 0 ? "" : ` (+${added}, ${perSecond(added, seconds)}/s)`;
    return `${label}: ${value}${delta}`;
  });
  const { maxRtoMs, maxRtoAddress } = statistics;
  const where = maxRtoAddress === undefined
    ? ""
    : ` - Transport: ${formatTransportAddress({ address: maxRtoAddress, port: association.peerPort })}`;
  lines.push(`Maximum Observed RTO this period: ${Math.round(maxRtoMs)}${where}`);
  return shown(lines, {
    event: "stats",
    association: association.number,
    ...statistics,
    ...(before !== undefined && {
      seconds,
      added: Object.fromEntries(LINES.map(([, name]) => [name, statistics[name] - before.statistics[name]])),
    }),
  });
}

function perSecond(added: number, seconds: number): string {
  const rate = added / Math.max(seconds, 0.001);
  return rate >= 100 ? rate.toFixed(0) : rate.toFixed(1);
}
