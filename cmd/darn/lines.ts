/** Lines of a stream that is not a terminal. */
import type { Readable } from "node:stream";
import { chunksOf } from "../driver/chunks.ts";

/** The longest line: a payload of some megabytes as hexadecimal digits fits. */
const MAX_LINE = 16 * 1024 * 1024;

/** Reads a stream line by line, without their line feeds; the last one needs none. */
export async function* readLines(stream: Readable, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunksOf(stream, signal)) {
    rest += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) throw new Error("a line of the input is longer than 16 MiB");
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}
