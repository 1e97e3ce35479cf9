/** Reads the profile's files for those who want to know what is in them. */
import { ProfileFile, profileFiles } from "./profile_files.ts";

/** A colouring rule. */
export interface ColouringRule {
  readonly name: string;
  /** Display filter. */
  readonly filter: string;
  /** As `#rrggbb`. */
  readonly background: string;
  /** As `#rrggbb`. */
  readonly text: string;
}

/** Colouring rules with a headline. */
export interface ColouringGroup {
  readonly headline: string;
  readonly rules: readonly ColouringRule[];
}

/** A display filter with its name. */
export interface DisplayFilter {
  readonly name: string;
  readonly filter: string;
}

/** What the profile holds. */
export interface WiresharkProfile {
  /** In the order in which Wireshark tries them. */
  readonly colouring: readonly ColouringGroup[];
  readonly displayFilters: readonly DisplayFilter[];
  /** Titles of the packet list's columns, those that are hidden at first included. */
  readonly columns: readonly string[];
}

/** A rule of the file: name, filter, and red, green and blue of background and text. */
const RULE = /^@([^@]+)@([^@]+)@\[(\d+),(\d+),(\d+)\]\[(\d+),(\d+),(\d+)\]$/;

/** The project's own profile. */
export function ownProfile(): WiresharkProfile {
  const text = (name: string) => profileFiles.get(name) ?? "";
  return {
    colouring: readColouring(text(ProfileFile.colourFilters)),
    displayFilters: readDisplayFilters(text(ProfileFile.displayFilters)),
    columns: readColumns(text(ProfileFile.preferences)),
  };
}

/** Reads `colorfilters`. A comment is the headline of the rules that follow it; one without rules is a comment alone. */
function readColouring(text: string): ColouringGroup[] {
  const groups: { headline: string; rules: ColouringRule[] }[] = [];
  for (const line of text.split("\n")) {
    const rule = readRule(line);
    if (rule !== undefined) groups.at(-1)?.rules.push(rule);
    else if (line.startsWith("# ")) groups.push({ headline: line.slice(2), rules: [] });
  }
  return groups.filter(({ rules }) => rules.length > 0);
}

function readRule(line: string): ColouringRule | undefined {
  const match = RULE.exec(line);
  if (match === null) return undefined;
  const [, name = "", filter = "", ...parts] = match;
  return { name, filter, background: colour(parts.slice(0, 3)), text: colour(parts.slice(3)) };
}

/** Wireshark has 16 bits for each part of a colour, of which the upper eight count. */
function colour(parts: readonly string[]): string {
  return "#" + parts.map((part) => (Number(part) >>> 8).toString(16).padStart(2, "0")).join("");
}

function readDisplayFilters(text: string): DisplayFilter[] {
  return [...text.matchAll(/^"([^"]+)" (.+)$/gm)].map(([, name = "", filter = ""]) => ({ name, filter }));
}

/** Columns are pairs of a title and what stands in the column. */
function readColumns(text: string): string[] {
  return [...text.matchAll(/^\t"([^"]+)", "%[^"]+",?$/gm)].map(([, title = ""]) => title);
}
