// deno-lint-ignore-file no-console -- a program for tests
/**
 * Listens to a page as a browser does, within the namespace in which the page is: each event becomes a line with its name
 * and its data. Argument: the page's address.
 */
import { TextLineStream } from "./text_lines.ts";

const [address = ""] = Deno.args;
const page = await fetch(address);
console.log(
  `page ${JSON.stringify({ type: page.headers.get("content-type"), length: (await page.text()).length })}`,
);
const { body } = await fetch(new URL("/events", address));
if (body === null) throw new Error(`Cannot listen to ${address}: it sends nothing`);
let event = "";
for await (const line of body.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
  const [name, value = ""] = line.split(/: (.*)/s);
  if (name === "event") event = value;
  else if (name === "data") console.log(`${event} ${value}`);
}
