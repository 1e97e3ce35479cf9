/**
 * The original's `-i`: many listening endpoints in one process, of which the first may flood a peer. What comes and goes
 * is counted and told once a second; the original prints a line for every message.
 */
import { formatTransportAddress } from "../../protocol/net.ts";
import type { Association } from "./associations.ts";
import { CommandError, SessionEnded } from "./command_error.ts";
import { plainRequest } from "./send_request.ts";
import { sendMessages } from "./sender.ts";
import type { Session } from "./session.ts";
import { pause } from "./waiting.ts";

/** How often counts are told. */
const REPORT_INTERVAL_MS = 1000;

interface Count {
  messages: number;
  octets: number;
}

/**
 * Opens the endpoints behind the first one, floods, counts.
 *
 * @param size octets of a message
 * @throws an error with `code` where a port cannot be had; {@linkcode CommandError} when the flood ends
 */
export async function pollMode(
  session: Session,
  count: number,
  size: number,
  verbose: boolean,
): Promise<void> {
  const { endpoint, display, ended, settings } = session;
  if (endpoint.port + count - 1 > 65_535) {
    throw new CommandError(`-i ${count} from port ${endpoint.port} on goes beyond 65535`);
  }
  for (let index = 1; index < count; index++) {
    session.open({ ...settings.endpoint, port: endpoint.port + index });
  }
  const ports = count === 1
    ? `port ${endpoint.port}`
    : `ports ${endpoint.port} to ${endpoint.port + count - 1}`;
  display.event({ lines: [`listening on ${ports}`], fields: { event: "poll", port: endpoint.port, count } });

  const received = new Map<number, Count>();
  if (!verbose) {
    session.messageSink = (association, octets) => {
      const sum = received.get(association.endpoint.port) ?? { messages: 0, octets: 0 };
      sum.messages++;
      sum.octets += octets;
      received.set(association.endpoint.port, sum);
    };
  }
  try {
    await Promise.all([flood(session, size), report(session, received, ended)]);
  } catch (error) {
    if (!(error instanceof SessionEnded)) throw error;
  }
}

async function flood(session: Session, size: number): Promise<void> {
  const { settings, ended } = session;
  if (settings.peer === undefined) return;
  const association = await session.connect(settings.peer, ended);
  await sendMessages(session, association, plainRequest({ type: "pattern", length: size }, Infinity), ended);
}

/** Tells the counts of every second in which something came or went. */
async function report(session: Session, received: Map<number, Count>, signal: AbortSignal): Promise<void> {
  let sentBefore = 0, at = performance.now();
  for (;;) {
    await pause(REPORT_INTERVAL_MS, signal);
    const now = performance.now(), seconds = (now - at) / 1000;
    at = now;
    for (const [port, { messages, octets }] of received) {
      tell(session, `received on port ${port}`, { port, messages, octets, seconds });
    }
    received.clear();
    const sending = session.associations.all.filter((one) => one.initiator === "local");
    const sent = sending.reduce((sum, one) => sum + one.sent.messages, 0);
    const octets = sending.reduce((sum, one) => sum + one.sent.octets, 0);
    const size = sent === 0 ? 0 : octets / sent;
    if (sent > sentBefore) {
      tell(session, `sent to ${target(sending[0]!)}`, {
        messages: sent - sentBefore,
        octets: (sent - sentBefore) * size,
        seconds,
      });
    }
    sentBefore = sent;
  }
}

function target({ peerAddresses, peerPort }: Association): string {
  return formatTransportAddress({ address: peerAddresses[0] ?? "?", port: peerPort });
}

function tell(
  session: Session,
  what: string,
  { messages, octets, seconds, port }: Count & { readonly seconds: number; readonly port?: number },
): void {
  const rate = (octets / seconds / 1e6).toFixed(1);
  session.display.event({
    lines: [`${what}: ${messages} messages, ${octets} octets, ${rate} MB/s`],
    fields: { event: port === undefined ? "sent" : "received", port, messages, octets, seconds },
  });
}
