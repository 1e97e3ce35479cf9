/** Runs tshark, the independent judge of captures. */

/**
 * Reads a capture with tshark.
 *
 * @param path the pcap file
 * @param options display filter, fields and so on
 * @returns its lines
 * @throws {Error} when tshark is missing or fails
 */
export async function tshark(path: string, ...options: string[]): Promise<string[]> {
  const command = new Deno.Command("tshark", {
    args: ["-n", "-r", path, ...options],
    stdout: "piped",
    stderr: "piped",
  });
  let output: Deno.CommandOutput;
  try {
    output = await command.output();
  } catch (cause) {
    throw new Error("tshark is missing; the test set-up installs it (Debian package tshark)", { cause });
  }
  const text = new TextDecoder();
  if (!output.success) throw new Error(`tshark failed: ${text.decode(output.stderr)}`);
  return text.decode(output.stdout).split("\n").filter((line) => line !== "");
}
