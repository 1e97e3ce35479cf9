/** Whether what is shown may have colours. */
import type { Context, Output } from "../command.ts";

/** Whether a person looks at it who has not refused colours (https://no-color.org). */
export function wantsColour(
  { isTerminal }: Pick<Output, "isTerminal">,
  variable: Context["variable"],
): boolean {
  return isTerminal && (variable("NO_COLOR") ?? "") === "";
}
