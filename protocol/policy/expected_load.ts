import type { AnyPolicy, PolicyParameter } from "../param/policy.ts";

/**
 * The load by which the least used policies compare elements; 0xffffffff = 1. It may be larger than 1, so that even of
 * overloaded elements the least loaded one is known; RSPLIB cuts it off there. What a policy's parameter does not have
 * counts as 0.
 *
 * @param policy load, load degradation and distance as last registered
 * @param sessions sessions to come on top of the load
 */
export function expectedLoad(policy: PolicyParameter, sessions: number): number {
  const { load = 0, loadDegradation = 0, loadDpf = 0, distanceMs = 0 }: AnyPolicy = policy;
  return load + sessions * loadDegradation + distanceMs * loadDpf;
}
