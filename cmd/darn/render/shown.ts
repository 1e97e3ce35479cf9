/** Something to show, for people and for programs alike. */

/** What a field of a JSON line may hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Facts for `--json`; the lines say the same to people. */
export interface ShownFields {
  /** What happened: the name that `expect` waits for. */
  readonly event: string;
  readonly [name: string]: JsonValue;
}

/** One thing to show. */
export interface Shown {
  /** For people; none = it is not worth a line. */
  readonly lines: readonly string[];
  readonly fields: ShownFields;
}

/** Makes something to show. */
export function shown(lines: string | readonly string[], fields: ShownFields): Shown {
  return { lines: typeof lines === "string" ? [lines] : lines, fields };
}
