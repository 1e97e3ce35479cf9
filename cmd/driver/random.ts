/** Chance for machines, which get it as an argument. */

/** 32 random bits that are not all 0, for IDs and seeds. */
export function randomIdentifier(): number {
  const [word = 0] = crypto.getRandomValues(new Uint32Array(1));
  return word === 0 ? 1 : word;
}

/** 56 random bits that are not all 0, for pool users in status reports. */
export function randomObject(): bigint {
  const [low = 0, high = 0] = crypto.getRandomValues(new Uint32Array(2));
  return BigInt(high >>> 8) << 32n | BigInt(low === 0 ? 1 : low);
}
