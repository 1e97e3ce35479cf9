import type { PolicyParameter } from "../../../protocol/param/policy.ts";

/** One of each policy. */
export const POLICIES: readonly PolicyParameter[] = [
  { name: "RoundRobin", type: 0x00000001 },
  { name: "WeightedRoundRobin", type: 0x00000002, weight: 5 },
  { name: "Random", type: 0x00000003 },
  { name: "WeightedRandom", type: 0x00000004, weight: 0xffffffff },
  { name: "Priority", type: 0x00000005, priority: 7 },
  { name: "LeastUsed", type: 0x40000001, load: 0x80000000 },
  { name: "LeastUsedDegradation", type: 0x40000002, load: 0x80000000, loadDegradation: 0x1999999a },
  { name: "PriorityLeastUsed", type: 0x40000003, load: 0, loadDegradation: 0x1999999a },
  { name: "RandomizedLeastUsed", type: 0x40000004, load: 0xffffffff },
  { name: "RandomizedPriorityLeastUsed", type: 0xb0001001, load: 1, loadDegradation: 2 },
  { name: "RandomizedLeastUsedDegradation", type: 0xb0001002, load: 1, loadDegradation: 2 },
  { name: "PriorityLeastUsedDegradation", type: 0xb0001003, load: 1, loadDegradation: 2 },
  { name: "RandomizedPriorityLeastUsedDegradation", type: 0xb0001004, load: 1, loadDegradation: 2 },
  { name: "WeightedRandomDPF", type: 0xb0002001, weight: 1, weightDpf: 2, distanceMs: 50 },
  { name: "LeastUsedDPF", type: 0xb0002002, load: 1, loadDpf: 2, distanceMs: 50 },
  {
    name: "LeastUsedDegradationDPF",
    type: 0xb0002003,
    load: 1,
    loadDegradation: 2,
    loadDpf: 3,
    distanceMs: 50,
  },
  { name: "unknown", type: 0xb0002004, value: Uint8Array.of(1, 2, 3, 4) },
];
