/**
 * Writes the manual pages of all commands, under each of their names, into build/man. `rsp man -install` does it elsewhere.
 *
 *     scripts/man                  # man -M build/man rsp-registrar
 */
import process from "node:process";
import { fileURLToPath } from "node:url";
import { installPages } from "../cmd/man/install.ts";
import { manualPages } from "../cmd/man/pages.ts";

const folder = fileURLToPath(new URL("../build/man", import.meta.url));
const { written, kept } = installPages({ ...await manualPages(), folder, others: [], force: true });
const count = written.length + kept.length;
process.stdout.write(`${count} manual pages in build/man; \`man -M build/man rsp\` shows the first\n`);
