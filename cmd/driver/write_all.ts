/**
 * Writes all octets to a file; the system may take fewer at once.
 *
 * @throws what `write` throws; then some of them may have been written
 */
export async function writeAll(file: Deno.FsFile, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) at += await file.write(octets.subarray(at));
}
