import type { Output } from "../../cmd/command.ts";

/** An output that keeps what was written. */
export interface RecordedOutput extends Output {
  readonly text: () => string;
}

/** Makes an output that keeps what was written, 80 columns wide and not a terminal. */
export function recordOutput(): RecordedOutput {
  let written = "";
  return {
    isTerminal: false,
    write: (text) => void (written += text),
    size: () => ({ columns: 80, rows: 24 }),
    text: () => written,
  };
}
