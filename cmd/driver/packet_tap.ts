/** Shows the packets of the embedded transport to whoever captures them. */
import type {
  CapturedPacket,
  IpAddress,
  PacketMeta,
  PacketObserver,
  PacketTransmit,
} from "../../protocol/net.ts";
import { encapsulationPort } from "../../protocol/sctp/mod.ts";

/** Hands packets to observers. Exists only while there are any, so that nobody else pays. */
export class PacketTap {
  readonly #sourceTo: (destination: IpAddress) => IpAddress | undefined;
  readonly #observers = new Set<PacketObserver>();

  /** @param sourceTo the address that the kernel chooses for packets to a destination */
  constructor(sourceTo: (destination: IpAddress) => IpAddress | undefined) {
    this.#sourceTo = sourceTo;
  }

  /** Adds one more. */
  add(onPacket: PacketObserver): void {
    this.#observers.add(onPacket);
  }

  /** Takes one away. @returns how many are left */
  remove(onPacket: PacketObserver): number {
    this.#observers.delete(onPacket);
    return this.#observers.size;
  }

  /** A packet is about to leave. */
  sent(buffer: Uint8Array, { source, destination, udpPort, localPort, length }: PacketTransmit): void {
    this.#show({
      direction: "sent",
      source: source ?? this.#sourceTo(destination),
      destination,
      sourceUdpPort: udpPort === 0 ? 0 : encapsulationPort(localPort),
      destinationUdpPort: udpPort,
      sctp: buffer.subarray(0, length),
    });
  }

  /** A packet has come. */
  received(sctp: Uint8Array, { source, destination, udpPort, localUdpPort }: PacketMeta): void {
    this.#show({
      direction: "received",
      source,
      destination,
      sourceUdpPort: udpPort,
      destinationUdpPort: udpPort === 0 ? 0 : localUdpPort ?? encapsulationPort(sctp[2]! << 8 | sctp[3]!),
      sctp,
    });
  }

  #show(packet: CapturedPacket): void {
    for (const onPacket of this.#observers) onPacket(packet);
  }
}
