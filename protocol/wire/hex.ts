/**
 * A hex dump for people: offset, sixteen octets, printable ASCII.
 *
 * @param octets what to show
 * @returns one line per sixteen octets, without a line feed at the end
 */
export function hexDump(octets: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < octets.length; offset += 16) {
    const row = octets.subarray(offset, offset + 16);
    let hex = "";
    let text = "";
    for (const octet of row) {
      hex += octet.toString(16).padStart(2, "0") + " ";
      text += octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : ".";
    }
    lines.push(`${offset.toString(16).padStart(4, "0")}  ${hex.padEnd(48)} ${text}`);
  }
  return lines.join("\n");
}
