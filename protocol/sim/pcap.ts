import { captureHeader, captureRecord, ipPacket } from "../capture/mod.ts";
import type { Instant } from "../net.ts";
import { Writer } from "../wire/writer.ts";
import type { SimulatedPacket } from "./packet.ts";

/** Longest capture kept, in packets: a forgotten recorder must not eat the memory of a long soak. */
const MAX_PACKETS = 1_000_000;

/**
 * Writes what a simulated network carried as a pcapng file, IP and UDP headers included, for tshark and Wireshark.
 * Virtual time 0 is the epoch.
 */
export class PcapRecorder {
  readonly #writer: Writer = new Writer(65_536);
  #packets = 0;

  constructor() {
    this.#writer.bytes(captureHeader({ program: "rsp", interfaceName: "simulation" }));
  }

  /** Records a packet. Ignored when a million are recorded already. */
  record(packet: SimulatedPacket, at: Instant): void {
    if (this.#packets++ >= MAX_PACKETS) return;
    const { source, destination, udpSource, udpDestination, octets } = packet;
    const enclosed = {
      source,
      destination,
      sourceUdpPort: udpSource,
      destinationUdpPort: udpDestination,
      sctp: octets,
    };
    this.#writer.bytes(captureRecord({ packet: ipPacket(enclosed), epochMs: at, direction: undefined }));
  }

  /** The file so far. */
  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
