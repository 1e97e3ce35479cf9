/** The table of results. */
import { ratioOf, type Result } from "./result.ts";

/** One line for people. */
export function tableLine(result: Result): string {
  const { name, what, figures, target } = result;
  const text = Object.entries(figures).map(([key, value]) => `${words(key)} ${value.toLocaleString("en")}`)
    .join(", ");
  const ratio = ratioOf(result);
  const verdict = target === undefined || ratio === undefined
    ? ""
    : `  [${ratio.toFixed(2)} x ${
      target.isLimit === true ? "below " : ""
    }${target.reference}, target ${target.factor}: ${ratio >= target.factor ? "reached" : "MISSED"}]`;
  return `${name.padEnd(11)} ${what.padEnd(44)} ${text}${verdict}`;
}

/** One object for programs. */
export function jsonLine(result: Result): string {
  const ratio = ratioOf(result), { target } = result;
  return JSON.stringify(
    ratio === undefined || target === undefined
      ? result
      : { ...result, ratio, reached: ratio >= target.factor },
  );
}

/** `messagesPerSecond` is `messages/s`. */
function words(key: string): string {
  return key.replace(/PerSecond$/, "/s").replace(/Microseconds$/, " µs").replace(/Ms$/, " ms")
    .replace(/Megabytes|megabytes/, "MB").replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
}
