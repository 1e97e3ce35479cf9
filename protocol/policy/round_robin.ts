import type { Policy } from "./policy.ts";
import { sortedPolicy } from "./sorted_selection.ts";

/**
 * Round Robin (RFC 5356 §4.1): the elements take turns. One that was used goes to the end of the line.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Prng } from "@rsp/rsp";
 *
 * const policy = { name: "RoundRobin", type: 1 } as const;
 * const selection = roundRobin.select<{ policy: typeof policy; name: string }>(new Prng(1));
 * for (const name of ["a", "b"]) selection.add({ policy, name });
 * const turns = [1, 2, 3].map(() => selection.select(1)[0]!.name);
 * assert.deepEqual(turns, ["a", "b", "a"]);
 * ```
 */
export const roundRobin: Policy = sortedPolicy("RoundRobin", {});
