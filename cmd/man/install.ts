/** Puts manual pages where `man` finds them, and takes them away again. */
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { putInPlace } from "../driver/put_in_place.ts";
import { PAGE_MARK } from "../manual.ts";
import type { ManualPages } from "./pages.ts";

/** The section of programs for everybody. */
const SECTION = "man1";
/** Far longer than any page. */
const MAX_PAGE_LENGTH = 1 << 20;
/** Endings of pages that are packed, as distributions do. */
const PACKED_ENDINGS = ["", ".gz", ".bz2", ".xz", ".zst"] as const;

/** Where pages go, and how. */
export interface PageInstallation extends ManualPages {
  /** A folder of manuals, with `man1` in it. */
  readonly folder: string;
  /** Folders of other manuals: names that have pages there are theirs. */
  readonly others: readonly string[];
  /** Whether strangers' files are replaced, and pages of other manuals hidden. */
  readonly force: boolean;
}

/** What was done, by the names of pages. */
export interface PageReport {
  readonly written: readonly string[];
  readonly kept: readonly string[];
  readonly removed: readonly string[];
  /** Files that are not this program's: they kept everything from being written. */
  readonly inTheWay: readonly string[];
  /** Other programs' pages of the same names, which stay the ones that are shown. */
  readonly left: readonly string[];
}

/**
 * Installs pages, all or none. Other names are links to pages; those that another program's page has are left to it.
 *
 * @throws {Error} of `node:fs`
 */
export function installPages({ pages, names, folder, others, force }: PageInstallation): PageReport {
  const section = join(folder, SECTION);
  const left = force ? [] : [...names.keys()].flatMap((name) => pageElsewhere(name, others));
  const leftNames = new Set(left.map((path) => path.slice(path.lastIndexOf("/") + 1).split(".", 1)[0] ?? ""));
  const wanted = new Map([...pages].map(([name, text]) => [name, { text }] as [string, Content]));
  for (const [name, page] of names) if (!leftNames.has(name)) wanted.set(name, { link: `${page}.1` });

  const missing = [...wanted].filter(([name, content]) => !isThere(join(section, `${name}.1`), content));
  const inTheWay = missing.map(([name]) => join(section, `${name}.1`)).filter((path) =>
    !force && isStrangers(path)
  );
  if (inTheWay.length > 0) return { written: [], kept: [], removed: [], inTheWay, left };
  mkdirSync(section, { recursive: true });
  for (const [name, content] of missing) put(section, `${name}.1`, content);
  const written = missing.map(([name]) => name);
  const kept = [...wanted.keys()].filter((name) => !written.includes(name));
  return { written, kept, removed: [], inTheWay, left };
}

/**
 * Removes pages that this program has written.
 *
 * @throws {Error} of `node:fs`
 */
export function removePages({ pages, names }: ManualPages, folder: string): PageReport {
  const removed = [...pages.keys(), ...names.keys()].filter((name) => {
    const path = join(folder, SECTION, `${name}.1`);
    const isOwn = lstatSync(path, { throwIfNoEntry: false }) !== undefined && !isStrangers(path);
    if (isOwn) rmSync(path);
    return isOwn;
  });
  return { written: [], kept: [], removed, inTheWay: [], left: [] };
}

/** A page, or a link to one. */
type Content = { readonly text: string } | { readonly link: string };

function put(section: string, name: string, content: Content): void {
  putInPlace(join(section, name), (fresh) => {
    if ("text" in content) writeFileSync(fresh, content.text);
    else symlinkSync(content.link, fresh);
  });
}

function isThere(path: string, content: Content): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  if ("link" in content) return status.isSymbolicLink() && readlinkSync(path) === content.link;
  return status.isFile() && status.size <= MAX_PAGE_LENGTH && readFileSync(path, "utf8") === content.text;
}

/** Whether there is something that this program has not written, in any version. */
function isStrangers(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  if (status.isSymbolicLink()) return !/^rsp(-[a-z]+)?\.1$/.test(readlinkSync(path));
  const isPage = status.isFile() && status.size <= MAX_PAGE_LENGTH;
  return !isPage || !readFileSync(path, "utf8").startsWith(PAGE_MARK);
}

function pageElsewhere(name: string, folders: readonly string[]): string[] {
  for (const folder of folders) {
    for (const ending of PACKED_ENDINGS) {
      const path = join(folder, SECTION, `${name}.1${ending}`);
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return [path];
    }
  }
  return [];
}
