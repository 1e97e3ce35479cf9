/**
 * A pool handle as a key of a Map: each octet one character.
 *
 * @param poolHandle any octets
 */
export function poolKey(poolHandle: Uint8Array): string {
  // Handles are short; spreading a long one (a stranger's) into an argument list would overflow the stack.
  let key = "";
  for (const octet of poolHandle) key += String.fromCharCode(octet);
  return key;
}
