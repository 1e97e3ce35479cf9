/** A line of figures every second or so. */
import type { Progress } from "./party.ts";
import type { ReportLine } from "./report.ts";

/**
 * Watches running totals.
 *
 * @param seconds between lines; 0 = none
 * @param size of the messages of this run; 0 = not known
 * @returns dispose of it when the run is over
 */
export function watchProgress(
  seconds: number,
  size: number,
  progress: () => Progress,
  emit: (line: ReportLine) => void,
): Disposable {
  if (seconds === 0) return { [Symbol.dispose]: () => {} };
  const startedAt = performance.now();
  let before = progress(), from = 0;
  const timer = setInterval(() => {
    const now = progress(), to = (performance.now() - startedAt) / 1000;
    const sent = now.sentMessages - before.sentMessages;
    const received = now.receivedMessages - before.receivedMessages;
    const octetsSent = now.sentOctets - before.sentOctets;
    const octetsReceived = now.receivedOctets - before.receivedOctets;
    const times = { type: "interval", size, from, to } as const;
    if (sent > 0) emit({ ...times, direction: "sent", messages: sent, octets: octetsSent });
    if (received > 0) emit({ ...times, direction: "received", messages: received, octets: octetsReceived });
    [before, from] = [now, to];
  }, seconds * 1000);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Joins the totals of several associations. */
export function sumProgress(all: readonly Progress[]): Progress {
  const sum = (key: keyof Progress) => all.reduce((total, one) => total + one[key], 0);
  return {
    sentMessages: sum("sentMessages"),
    sentOctets: sum("sentOctets"),
    receivedMessages: sum("receivedMessages"),
    receivedOctets: sum("receivedOctets"),
  };
}
