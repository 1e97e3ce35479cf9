/** Throughput of the embedded transport, against the figures of the trial implementation. */
import { type EmbeddedTransportOptions, openEmbeddedTransport } from "../../cmd/driver/embedded_transport.ts";
import { flood } from "./flood.ts";
import { withPeer } from "./other_process.ts";
import { type Result, round, type Settings } from "./result.ts";

/**
 * What the trial reached (two processes on 127.0.0.1, CRC on; the middle of what it says where that is a range): messages
 * a second for 64 and 1024 octets, for 16384 the messages that make its megabytes.
 */
const TRIAL: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  "udp 1500": { 64: 581e3, 1024: 152e3, 16384: 186e6 / 16384 },
  "udp 65535": { 64: 760e3, 1024: 213e3, 16384: 348e6 / 16384 },
  "raw 1500": { 64: 618e3, 1024: 97e3, 16384: 162e6 / 16384 },
};

/** One way, as fast as it goes, for every carrier, packet length and message size. */
export async function throughput(
  { seconds, carriers, sizes, mtus }: Settings,
  emit: (result: Result) => void,
): Promise<void> {
  for (const carrier of carriers) {
    for (const mtu of mtus) {
      for (const size of sizes) {
        const figures = await measureEmbedded(carrier, mtu, size, seconds);
        const referenceValue = TRIAL[`${carrier} ${mtu}`]?.[size];
        emit({
          name: "throughput",
          what: `${carrier}, MTU ${mtu}, ${size} octets`,
          figures,
          ...(referenceValue === undefined
            ? {}
            : { target: { figure: "messagesPerSecond", reference: "trial", referenceValue, factor: 1 } }),
        });
      }
    }
  }
}

/** One run between this process and a new one. */
export async function measureEmbedded(
  carrier: "udp" | "raw",
  mtu: number,
  size: number,
  seconds: number,
): Promise<Record<string, number>> {
  const options = transportOptions(carrier, mtu);
  let figures: Record<string, number> = {};
  await withPeer({ transport: options, echo: false }, async (peer) => {
    const transport = openEmbeddedTransport(options);
    await flood(transport, peer.ports[0]!, seconds * 1000, size);
    const { messages, octets, ms } = await peer.next("received");
    figures = {
      messagesPerSecond: Math.round(messages / ms * 1000),
      megabytesPerSecond: round(octets / ms / 1000, 1),
      retransmissions: transport.counters.retransmissions,
      sendStalls: transport.sendStalls,
    };
    await transport.close();
  });
  return figures;
}

/** A carrier as options of the transport. */
export function transportOptions(carrier: "udp" | "raw", mtu: number): EmbeddedTransportOptions {
  return { raw: carrier === "raw" ? "on" : "off", maxMtu: mtu };
}
