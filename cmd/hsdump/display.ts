import { renderState, stateObject } from "../../protocol/dump/mod.ts";
import type { RegistrarState } from "../../protocol/dump/mod.ts";
import type { Output } from "../command.ts";
import { LiveBlock } from "../tui/screen.ts";

/** Shows dumps: text or JSON, one below the other or, in a terminal, each in the place of the one before. */
export class Display {
  readonly #output: Output;
  readonly #json: boolean;
  readonly #repeats: boolean;
  readonly #block: LiveBlock | undefined;

  /**
   * @param output where to
   * @param how `json`: one object a line; `repeats`: more than one dump is to come
   */
  constructor(output: Output, { json, repeats }: { readonly json: boolean; readonly repeats: boolean }) {
    this.#output = output;
    this.#json = json;
    this.#repeats = repeats;
    this.#block = repeats && !json && output.isTerminal ? new LiveBlock(output) : undefined;
  }

  /** Shows a dump. */
  show(state: RegistrarState, time: Date): void {
    if (this.#json) {
      const object = { time: time.toISOString(), ...stateObject(state) };
      this.#output.write(`${JSON.stringify(object)}\n`);
      return;
    }
    const lines = renderState(state);
    if (!this.#repeats) return this.#output.write(`${lines.join("\n")}\n`);
    const headed = [`*************** ${time.toISOString()} ***************`, ...lines];
    if (this.#block === undefined) this.#output.write(`${headed.join("\n")}\n\n`);
    else this.#block.draw(fitted(headed, this.#output.size()));
  }
}

/** Lines cut to what a terminal shows: one that wraps or scrolls away cannot be drawn over. */
export function fitted(
  lines: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string[] {
  const room = Math.max(2, rows - 1);
  const shown = lines.length <= room
    ? lines
    : [...lines.slice(0, room - 1), `(${lines.length - room + 1} further lines)`];
  return shown.map((line) => line.slice(0, columns));
}
