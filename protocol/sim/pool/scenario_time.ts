/** A time such as `500ms`, `1.5s`, `2min`, in milliseconds; undefined = it is none. */
export function parseTime(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|min)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * { ms: 1, s: 1000, min: 60_000 }[match[2] as "ms" | "s" | "min"];
}
