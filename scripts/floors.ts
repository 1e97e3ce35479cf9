/** Which part of the project may import which (architecture: floors). Plain data and one function, so that it can be tested. */

/** One import, as paths within the project (or a bare specifier such as `npm:fast-png@8.0.0`). */
export interface ImportEdge {
  readonly from: string;
  readonly to: string;
}

/** A part of the project, and what it may import besides itself. */
interface Floor {
  /** Matched from the start of the path; the first match counts. */
  readonly prefix: string;
  readonly may: readonly string[];
}

const WIRE = ["protocol/wire/", "protocol/net.ts", "protocol/net/", "protocol/machine.ts"] as const;
const MESSAGES = [...WIRE, "protocol/param/", "protocol/asap/", "protocol/enrp/"] as const;
const POOLS = [...MESSAGES, "protocol/handlespace/", "protocol/policy/"] as const;
const MACHINES = [
  ...POOLS,
  "protocol/registrar/",
  "protocol/dump/",
  "protocol/element/",
  "protocol/user/",
  "protocol/session/",
  "protocol/csp/",
  "protocol/app/",
] as const;

/** From the ground up. An import that no line allows points up or sideways. */
const FLOORS: readonly Floor[] = [
  { prefix: "protocol/wire/", may: [] },
  { prefix: "protocol/net.ts", may: ["protocol/net/"] },
  { prefix: "protocol/net/", may: ["protocol/wire/"] },
  { prefix: "protocol/machine.ts", may: ["protocol/wire/", "protocol/net.ts"] },
  { prefix: "protocol/sctp/", may: WIRE },
  { prefix: "protocol/capture/", may: WIRE },
  { prefix: "protocol/param/", may: WIRE },
  { prefix: "protocol/asap/", may: [...WIRE, "protocol/param/"] },
  { prefix: "protocol/enrp/", may: [...WIRE, "protocol/param/"] },
  { prefix: "protocol/policy/", may: [...MESSAGES, "protocol/handlespace/"] },
  { prefix: "protocol/handlespace/", may: [...MESSAGES, "protocol/policy/"] },
  { prefix: "protocol/sim/", may: ["protocol/"] },
  ...MACHINES.slice(POOLS.length).map((prefix) => ({ prefix, may: MACHINES })),
  { prefix: "protocol/", may: [] },
  { prefix: "ffi/", may: [...WIRE] },
  // Shell scripts for users of the pool, which the program hands out.
  { prefix: "cmd/link/", may: ["cmd/", "scripts/povray-distribute", "scripts/run-povray-for-files"] },
  { prefix: "cmd/", may: ["protocol/", "ffi/", "wireshark/", "npm:"] },
  { prefix: "mod.ts", may: ["protocol/", "cmd/library/"] },
  { prefix: "scripts/", may: ["protocol/", "ffi/", "cmd/", "mod.ts", "tests/", "npm:"] },
  { prefix: "tests/", may: ["protocol/", "ffi/", "cmd/", "mod.ts", "scripts/", "npm:"] },
];

/** The simulation is for these alone. */
const MAY_SIMULATE: readonly string[] = ["protocol/sim/", "tests/", "cmd/simulate/", "scripts/"];

/** Complaints about imports that point the wrong way; empty when there are none. */
export function floorViolations(edges: readonly ImportEdge[]): string[] {
  const complaints: string[] = [];
  for (const { from, to } of edges) {
    const floor = FLOORS.find(({ prefix }) => from.startsWith(prefix));
    if (floor === undefined) {
      complaints.push(`${from} lies on no floor`);
      continue;
    }
    const builtIn = to.startsWith("node:");
    const allowed = builtIn
      ? !from.startsWith("protocol/") && from !== "mod.ts"
      : to.startsWith(floor.prefix) || floor.may.some((prefix) => to.startsWith(prefix));
    const simulates = to.startsWith("protocol/sim/") &&
      !MAY_SIMULATE.some((prefix) => from.startsWith(prefix));
    if (!allowed || simulates) complaints.push(`${from} must not import ${to}`);
  }
  return complaints.sort();
}
