/**
 * Writes the manual pages of all commands, under each of their names, into build/man.
 *
 *     scripts/man                  # man -M build/man rsp-registrar
 */
import { mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { commandEntries } from "../cmd/commands.ts";
import { aliasPage, manualPage, programPage } from "../cmd/manual.ts";
import { VERSION } from "../cmd/version.ts";

const FOLDER = fileURLToPath(new URL("../build/man/man1", import.meta.url));

const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
const pages = new Map([["rsp", programPage(commands, VERSION)]]);
for (const command of commands) {
  const others = ["rsp", ...commands.filter((one) => one !== command).map(({ name }) => `rsp-${name}`)];
  pages.set(`rsp-${command.name}`, manualPage(command, VERSION, others));
  for (const alias of command.aliases) pages.set(alias, aliasPage(command));
}
await mkdir(FOLDER, { recursive: true });
for (const [name, page] of pages) await writeFile(`${FOLDER}/${name}.1`, page);
process.stdout.write(`${pages.size} manual pages in build/man; \`man -M build/man rsp\` shows the first\n`);
