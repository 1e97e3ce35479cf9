/** Encoding and decoding of ASAP. */
import { type AsapMessage, readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import { PolicyType } from "../../protocol/param/mod.ts";
import { median, type Result, round, type Settings } from "./result.ts";

/** A Registration as a pool element of the fractal pool sends it, with two addresses. */
const REGISTRATION: AsapMessage = {
  type: "registration",
  poolHandle: new TextEncoder().encode("FractalGeneratorPool"),
  element: {
    elementId: 0x12345678,
    homeRegistrarId: 0,
    registrationLifeMs: 300_000,
    userTransport: {
      protocol: "sctp",
      port: 1234,
      use: "data+control",
      addresses: ["10.1.0.1", "fd01::1"],
    },
    policy: { name: "RoundRobin", type: PolicyType.RoundRobin },
  },
};

/** The median of many short rounds: what else the machine does shows in few of them. */
export function codec(_settings: Settings, emit: (result: Result) => void): Promise<void> {
  const octets = writeAsap(REGISTRATION), rounds = 41, calls = 10_000;
  const medianMicroseconds = (call: () => unknown): number => {
    const times = Array.from({ length: rounds }, () => {
      const startedAt = performance.now();
      for (let i = 0; i < calls; i++) call();
      return (performance.now() - startedAt) / calls * 1000;
    });
    return round(median(times), 2);
  };
  emit({
    name: "codec",
    what: `registration, ${octets.length} octets`,
    figures: {
      encodeMicroseconds: medianMicroseconds(() => writeAsap(REGISTRATION)),
      decodeMicroseconds: medianMicroseconds(() => readAsap(octets)),
    },
  });
  return Promise.resolve();
}
