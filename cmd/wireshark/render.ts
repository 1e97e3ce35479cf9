/** The profile as text for people. */
import type { ColouringRule, WiresharkProfile } from "./profile.ts";

/** Names are made this wide, so that filters stand below one another. */
const NAME_WIDTH = 42;

/**
 * The profile, line by line.
 *
 * @param inColour whether names of colouring rules show their colours, for terminals that know 24 bits
 */
export function renderProfile(profile: WiresharkProfile, inColour: boolean): string[] {
  const { colouring, columns, displayFilters } = profile;
  const lines = ["Colouring rules; the first one that matches colours a packet:"];
  for (const { headline, rules } of colouring) {
    lines.push("", `  ${headline}`);
    for (const rule of rules) lines.push(`    ${shownName(rule, inColour)} ${rule.filter}`);
  }
  lines.push("", "Display filters:", "");
  for (const { name, filter } of displayFilters) lines.push(`  ${name}`, `      ${filter}`);
  lines.push("", `Columns: ${columns.join(", ")}`);
  return lines;
}

function shownName({ name, background, text }: ColouringRule, inColour: boolean): string {
  const padded = name.padEnd(NAME_WIDTH);
  if (!inColour) return padded;
  return `\x1b[38;2;${components(text)};48;2;${components(background)}m${padded}\x1b[0m`;
}

/** `#0080ff` as `0;128;255`. */
function components(colour: string): string {
  return [1, 3, 5].map((start) => Number.parseInt(colour.slice(start, start + 2), 16)).join(";");
}
