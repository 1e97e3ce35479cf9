// @ts-check
/** What the program tells the page, and what the page tells the program. */

/** Waits between two attempts to reach the program: short at first, since it may have been started anew. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;

/** The program says at least every 15 seconds that it is there: without a word for so long it is not. */
const SILENCE_MS = 40_000;

/**
 * How the page and the program get on: `connecting` at first, `connected`, `lost` while it is tried again.
 *
 * @typedef {"connecting" | "connected" | "lost"} FeedState
 */

/**
 * Listens to the program for as long as the page is open. After every interruption the event `snapshot` comes first.
 *
 * @param {object} plan
 * @param {Readonly<Record<string, (data: any) => void>>} plan.events by name: what to do with an event's value
 * @param {(state: FeedState) => void} plan.onState
 */
export function openFeed({ events, onState }) {
  /** @type {EventSource | undefined} */
  let source;
  let waitMs = FIRST_WAIT_MS;
  let silence = 0;
  let again = 0;

  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(lost, SILENCE_MS);
  };
  const lost = () => {
    source?.close();
    clearTimeout(silence);
    clearTimeout(again);
    onState("lost");
    again = setTimeout(connect, waitMs);
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  };
  const connect = () => {
    const current = new EventSource("/events");
    source = current;
    heard();
    current.addEventListener("error", () => {
      if (source === current) lost();
    });
    current.addEventListener("alive", heard);
    for (const [name, act] of Object.entries(events)) {
      current.addEventListener(name, (event) => {
        if (name === "snapshot") {
          waitMs = FIRST_WAIT_MS;
          onState("connected");
        }
        heard();
        act(JSON.parse(event.data));
      });
    }
  };
  onState("connecting");
  connect();
  // A browser keeps few connections to one place: a page that is left must not hold one.
  addEventListener("pagehide", () => {
    source?.close();
    clearTimeout(silence);
    clearTimeout(again);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
}

/**
 * Gives the program an order.
 *
 * @param {unknown} command any JSON value
 * @returns {Promise<string | undefined>} a sentence about what went wrong; undefined = it is done
 */
export async function sendCommand(command) {
  try {
    const response = await fetch("/command", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(command),
    });
    const outcome = await response.json();
    return outcome.ok === true ? undefined : String(outcome.problem);
  } catch {
    return "The program cannot be reached: it may have ended.";
  }
}
