/**
 * What a status monitor shows, whoever made it: RSPLIB's cspmonitor, and ours with `-snapshots`, write the same pictures of
 * all components (reference/rsplib.md §6.1).
 */
import type { Program } from "./program.ts";

/** An association of a component. */
export interface ShownLink {
  /** `PE $000000f1`. */
  readonly receiver: string;
  /** `FractGen/SCTP`. */
  readonly protocol: string;
  readonly hasDuration: boolean;
}

/** A component in a picture. */
export interface ShownComponent {
  /** `PR $00001111`. */
  readonly label: string;
  /** `pc2: 10.99.0.2:4711, fd99::2`. */
  readonly location: string;
  readonly uptime: string;
  readonly associationCount: number;
  /** In percent; undefined = it has none. */
  readonly load: number | undefined;
  readonly status: string;
  readonly links: readonly ShownLink[];
}

/** A picture. */
export interface Picture {
  /** Registrars, elements and users, as the picture counts them. */
  readonly counts: readonly [number, number, number];
  readonly components: readonly ShownComponent[];
}

/** RSPLIB's monitor ends the last line of a picture only when it does not show associations. */
const HEADER =
  /(?:\d\d-\w{3}-\d{4}|\d{4}-\d\d-\d\d) [\d:.]+: Current Component Status -- (\d+) PRs, (\d+) PEs, (\d+) PUs/;
const HEADERS = new RegExp(HEADER.source, "g");
const COMPONENT =
  /^((?:PR|PE|PU|ID) \$[0-9a-f]+) +\[(.*?)\] +U=(\S+) +l= *[\d.]+s +A= *(\d+)(?: +L= *(\d+)%)? +"(.*)"\s*$/;
const LINK = /^ +-> +(\S+ \$[0-9a-f]+) +(\S+)( +duration=\d+:\d\d:\d\d)?\s*$/;

/** Reads the pictures of a monitor while it runs. */
export class Pictures {
  readonly #monitor: Program;
  readonly #explain: () => string;
  /** Characters of its output that have been looked at. */
  #read = 0;

  /**
   * @param monitor it runs, and shows associations
   * @param explain what there is to say about those who are not shown as wanted, for the text of an error
   */
  constructor(monitor: Program, explain: () => string) {
    this.#monitor = monitor;
    this.#explain = explain;
  }

  /**
   * Waits for a picture that is as wanted, from the last one on that was looked at.
   *
   * @param what what is waited for, for the text of the error
   */
  async show(what: string, matches: (picture: Picture) => boolean): Promise<Picture> {
    try {
      return await this.#monitor.until(`picture of ${what}`, (output) => this.#find(output, matches));
    } catch (error) {
      throw new Error(`${error instanceof Error ? error.message : error}\n${this.#explain()}`, {
        cause: error,
      });
    }
  }

  /** Waits for a picture with nobody in it. It is the last one of RSPLIB's monitor, which draws nothing else then. */
  async showNobody(): Promise<void> {
    const nobody = /-- 0 PRs, 0 PEs, 0 PUs/;
    await this.#monitor.until(
      "empty picture",
      (output) => nobody.exec(output.slice(this.#read)) ?? undefined,
    );
  }

  /** Only what another picture follows is whole. */
  #find(output: string, matches: (picture: Picture) => boolean): Picture | undefined {
    const starts = [...output.slice(this.#read).matchAll(HEADERS)].map(({ index }) => this.#read + index);
    for (const [i, start] of starts.entries()) {
      const end = starts[i + 1];
      if (end === undefined) return undefined;
      const picture = readPicture(output.slice(start, end));
      if (matches(picture)) return picture;
      this.#read = end;
    }
    return undefined;
  }
}

/**
 * Reads a picture.
 *
 * @throws {SyntaxError} when a line is not one of a monitor's
 */
export function readPicture(text: string): Picture {
  const header = HEADER.exec(text);
  if (header === null) throw new SyntaxError(`Cannot read picture: it has no header: ${text}`);
  const components: (ShownComponent & { readonly links: ShownLink[] })[] = [];
  for (const line of text.slice(header.index + header[0].length).split("\n")) {
    if (line.trim() === "") continue;
    const component = COMPONENT.exec(line), link = LINK.exec(line), last = components.at(-1);
    if (component !== null) {
      const [, label = "", location = "", uptime = "", associations, load, status = ""] = component;
      components.push({
        ...{ label, location, uptime, status, links: [] },
        associationCount: Number(associations),
        load: load === undefined ? undefined : Number(load),
      });
    } else if (link !== null && last !== undefined) {
      const [, receiver = "", protocol = "", duration] = link;
      last.links.push({ receiver, protocol, hasDuration: duration !== undefined });
    } else throw new SyntaxError(`Cannot read picture: strange line ${JSON.stringify(line)} in ${text}`);
  }
  const [, registrars, elements, users] = header;
  return { counts: [Number(registrars), Number(elements), Number(users)], components };
}
