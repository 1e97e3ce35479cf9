/** The checksums of what is given away, as `sha256sum --check` reads them. */

/** Its name among the files whose sums it holds. */
const NAME = "SHA256SUMS";

/** Writes the sums of all files of a folder into it. */
export async function writeChecksums(folder: string): Promise<void> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && name !== NAME) names.push(name);
  }
  const lines: string[] = [];
  for (const name of names.sort()) {
    const sum = await crypto.subtle.digest("SHA-256", await Deno.readFile(`${folder}/${name}`));
    lines.push(`${new Uint8Array(sum).toHex()}  ${name}\n`);
  }
  await Deno.writeTextFile(`${folder}/${NAME}`, lines.join(""));
}
