/** UTF-8 without the platform's TextEncoder, which the pure core must not name. */

/**
 * Encodes text as UTF-8. A lone surrogate becomes U+FFFD, as everywhere on the web.
 *
 * @param text any string
 * @returns its octets
 */
export function encodeText(text: string): Uint8Array {
  const octets: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) octets.push(code);
    else if (code < 0x800) octets.push(0xc0 | code >> 6, 0x80 | code & 63);
    else if (code < 0x10000) octets.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    else octets.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
  }
  return Uint8Array.from(octets);
}

/**
 * Shows octets as text for people: printable ASCII as it is, every other octet as `\xNN`. The result says exactly
 * which octets it came from, whatever a peer put into a pool handle.
 *
 * @param octets any octets
 * @returns printable ASCII
 */
export function showText(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    const plain = octet >= 0x20 && octet < 0x7f && octet !== 0x5c;
    text += plain ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`;
  }
  return text;
}
