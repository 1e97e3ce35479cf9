/** The date of what is built: not when it is built, or no two builds were the same. */

/**
 * What the variable SOURCE_DATE_EPOCH says (reproducible-builds.org), or else the date of the commit.
 *
 * @param committed as ISO 8601, if it is known
 * @returns ISO 8601 in UTC, to the second; undefined when nobody says
 * @throws {Error} when the variable is no number of seconds
 */
export function sourceDate(committed: string | undefined): string | undefined {
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH") ?? "";
  if (epoch === "") return committed;
  if (!/^\d{1,11}$/.test(epoch)) throw new Error(`SOURCE_DATE_EPOCH is no number of seconds: ${epoch}`);
  return new Date(Number(epoch) * 1000).toISOString().replace(".000", "");
}
