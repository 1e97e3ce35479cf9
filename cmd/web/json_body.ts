/** Reads what a page posts: JSON, of bounded size, in bounded time. */

/** What came: a value, or what is wrong with it. */
export type JsonBody =
  | { readonly value: unknown }
  | { readonly status: 400 | 408 | 413 | 415; readonly problem: string };

/** How much may come, and for how long. */
export interface BodyLimits {
  readonly octets: number;
  readonly deadlineMs: number;
}

/** Reads the body of a request. */
export async function readJson(request: Request, limits: BodyLimits): Promise<JsonBody> {
  const type = request.headers.get("content-type") ?? "";
  // Another site can make a browser post plain text or a form unasked, but not this type (Fetch §4.9.2).
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    return { status: 415, problem: "A command is written in JSON, as application/json." };
  }
  const text = await readText(request.body, limits);
  if (text === "late") return { status: 408, problem: "The command did not arrive in time." };
  if (text === "large") return { status: 413, problem: `A command has ${limits.octets} octets at most.` };
  if (text === "broken") {
    return { status: 400, problem: "The command did not arrive whole, or is not in UTF-8." };
  }
  try {
    return { value: JSON.parse(text.text) };
  } catch {
    return { status: 400, problem: "The command is not written in JSON." };
  }
}

async function readText(
  body: ReadableStream<Uint8Array> | null,
  { octets, deadlineMs }: BodyLimits,
): Promise<{ readonly text: string } | "late" | "large" | "broken"> {
  if (body === null) return { text: "" };
  const reader = body.getReader(), decoder = new TextDecoder("utf-8", { fatal: true });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {}); // it is over anyway
  }, deadlineMs);
  let text = "", count = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (isLate) return "late";
      if (done) return { text: text + decoder.decode() };
      count += value.length;
      if (count > octets) {
        await reader.cancel();
        return "large";
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return isLate ? "late" : "broken";
  } finally {
    clearTimeout(timer);
  }
}
