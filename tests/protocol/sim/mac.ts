import { createHmac } from "node:crypto";

/** HMAC-SHA-256, as real hosts use it. */
export function hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}

/** HMAC-SHA-1, as real hosts use it for AUTH chunks. */
export function hmacSha1(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha1", key).update(data).digest());
}

/** A quick stand-in for runs with many associations: deterministic, and nothing that resists an attacker. */
export function insecureMac(key: Uint8Array, data: Uint8Array): Uint8Array {
  const mac = new Uint8Array(32);
  let hash = 0x811c9dc5;
  for (const octets of [key, data]) {
    for (const octet of octets) hash = Math.imul(hash ^ octet, 0x01000193);
  }
  for (let i = 0; i < mac.length; i++) {
    hash = Math.imul(hash ^ hash >>> 15 ^ i, 0x85ebca6b);
    mac[i] = hash >>> 24;
  }
  return mac;
}
