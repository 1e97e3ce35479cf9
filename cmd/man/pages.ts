/** All manual pages of the program. */
import { commandEntries } from "../commands.ts";
import { manualPage, programPage } from "../manual.ts";
import { VERSION } from "../version.ts";

/** Pages, and other names for them. */
export interface ManualPages {
  /** Page by name: `rsp`, `rsp-registrar`. */
  readonly pages: ReadonlyMap<string, string>;
  /** The page that a name stands for: `rspregistrar` is `rsp-registrar`. */
  readonly names: ReadonlyMap<string, string>;
}

/** Writes all pages. */
export async function manualPages(): Promise<ManualPages> {
  const commands = await Promise.all(commandEntries.map((entry) => entry.load()));
  const pages = new Map([["rsp", programPage(commands, VERSION)]]);
  const names = new Map<string, string>();
  for (const { name, aliases, programs, load } of commandEntries) {
    const others = commandEntries.filter((one) => one.name !== name).map((one) => `rsp-${one.name}`);
    const own = [...new Set([...programs, ...aliases])];
    pages.set(`rsp-${name}`, manualPage(await load(), VERSION, ["rsp", ...others], own));
    for (const one of own) names.set(one, `rsp-${name}`);
  }
  return { pages, names };
}
