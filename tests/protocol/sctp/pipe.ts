/** Two stacks joined by a perfect wire without time: for benchmarks and for soaks. */
import type { Instant, PacketMeta, PacketTransmit, Route } from "../../../protocol/net.ts";
import { SctpStack } from "../../../protocol/sctp/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { fillAtRandom, mac } from "./harness.ts";

/** Packets that a driver takes in one go. */
const BATCH = 32;

export interface PipeEnd {
  readonly stack: SctpStack;
  readonly address: string;
}

/** A pair of stacks in one process. */
export class Pipe {
  readonly ends: readonly [PipeEnd, PipeEnd];
  now: Instant = 0;
  readonly #slots: Uint8Array[];
  readonly #lengths: Int32Array = new Int32Array(BATCH);
  readonly #ports: Int32Array = new Int32Array(BATCH);
  readonly #transmit: PacketTransmit = {
    length: 0,
    source: undefined,
    destination: "",
    udpPort: 0,
    localPort: 0,
  };

  constructor(mtu: number) {
    const buffer = new Uint8Array(BATCH * 65_536);
    this.#slots = Array.from({ length: BATCH }, (_, i) => buffer.subarray(i * 65_536, i * 65_536 + 65_535));
    const prng = new Prng(1);
    const end = (own: string): PipeEnd => {
      const route: Route = { source: own, mtu };
      const stack = new SctpStack({
        random: (octets) => fillAtRandom(octets, prng),
        mac,
        raw: false,
        localAddresses: () => [own],
        route: () => route,
      });
      return { stack, address: own };
    };
    this.ends = [end("10.1.0.1"), end("10.1.0.2")];
  }

  /** Moves one batch in a direction; false = there was nothing. */
  #move(from: PipeEnd, to: PipeEnd): boolean {
    const transmit = this.#transmit;
    let count = 0;
    while (count < BATCH && from.stack.pollTransmit(this.#slots[count]!, transmit, this.now)) {
      this.#lengths[count] = transmit.length;
      this.#ports[count++] = transmit.localPort + 10_000;
    }
    for (let i = 0; i < count; i++) {
      const meta: PacketMeta = { source: from.address, destination: to.address, udpPort: this.#ports[i]! };
      to.stack.receive(this.#slots[i]!.subarray(0, this.#lengths[i]), meta, this.now);
    }
    to.stack.endOfBatch(this.now);
    return count > 0;
  }

  /** Moves packets to and fro until there are none; time passes by a little with each batch. */
  flush(onEvents: () => void = () => {}): void {
    const [a, b] = this.ends;
    for (;;) {
      const there = this.#move(a, b), back = this.#move(b, a);
      onEvents();
      if (!there && !back) return;
      this.now += 0.05;
    }
  }

  /** Sets up an association from the first stack's endpoint 1 to the second one's and gives both IDs. */
  connect(port: number): [number, number] {
    const [a, b] = this.ends;
    a.stack.execute(1, { type: "connect", request: 1, addresses: [b.address], port }, this.now);
    const ids: [number, number] = [0, 0];
    this.flush(() => {
      this.ends.forEach(({ stack }, i) => {
        for (const { event } of stack.drain()) if (event.type === "up") ids[i] = event.association;
      });
    });
    return ids;
  }
}

/** Sends `count` messages of `size` octets through a fresh pair and gives the octets that arrived. */
export function transfer(size: number, count: number, mtu: number): number {
  const pipe = new Pipe(mtu);
  const [a, b] = pipe.ends;
  a.stack.open(1, { port: 20_001 }, 0);
  b.stack.open(1, { port: 3863, listen: true }, 0);
  const [association] = pipe.connect(3863);
  const data = new Uint8Array(size);
  let octets = 0, left = count, blocked = false;
  while (left > 0) {
    for (; left > 0 && !blocked; left--) {
      a.stack.execute(1, { type: "send", association, data, ppid: 0 }, pipe.now);
      for (const { event } of a.stack.drain()) if (event.type === "blocked") blocked = true;
    }
    pipe.flush(() => {
      for (const { event } of b.stack.drain()) if (event.type === "message") octets += event.data.length;
      for (const { event } of a.stack.drain()) if (event.type === "writable") blocked = false;
    });
    if (blocked) { // a delayed SACK holds the last of it back
      pipe.now += 200;
      b.stack.tick(pipe.now);
    }
  }
  return octets;
}
