/** Commands for scripts and about the session itself. */
import { CommandError } from "../command_error.ts";
import { expectNothingElse, readNumber } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import type { Occurrence } from "../event_log.ts";
import type { InteractiveCommand } from "../interactive_command.ts";
import { startCapture } from "../capture.ts";
import { VIEWS } from "../render/message.ts";
import type { View } from "../render/message.ts";
import { readSeconds } from "./message.ts";
import { pause } from "../waiting.ts";

/** Names of events, for completion. */
const EVENT_NAMES: readonly string[] = [
  "up",
  "down",
  "message",
  "path",
  "sendFailed",
  "remoteError",
  "heartbeatAck",
  "adaptation",
  "authentication",
  "streamsReset",
  "associationReset",
  "streamsAdded",
  "peerShutdown",
  "blocked",
  "writable",
  "senderDry",
  "restarted",
];

const sleep: InteractiveCommand = {
  name: "sleep",
  usage: " <seconds>",
  summary: "Let time pass",
  group: "Scripts",
  async run({ signal }, line) {
    expectNothingElse(line, 1);
    await pause(readSeconds(line.words[0] ?? "", "the time"), signal);
  },
};

const expect: InteractiveCommand = {
  name: "expect",
  usage: " <event> [<seconds>] [<field>=<value>...]",
  summary: "Wait for an event that was not taken yet by rcv or expect; with a time limit",
  group: "Scripts",
  details: [
    "The event is a name as in the JSON lines (up, down, message, path, ...), a word of a notification (COMM_UP, " +
    "ADDR_UNREACHABLE), or a regular expression between slashes for its text. Fields are those of the JSON lines: " +
    "expect message 5 length=1000 stream=3; expect path change=unreachable.",
    "Without a limit it waits as long as -timeout allows. Events that come before the expected one are skipped.",
  ],
  words: () => EVENT_NAMES,
  async run({ session, signal }, line) {
    const [what, seconds, ...rest] = line.words;
    if (what === undefined) throw new CommandError(`expect wants an event: ${EVENT_NAMES.join(", ")}`);
    if (rest[0] !== undefined) {
      throw new CommandError(`expect does not know what to do with ${JSON.stringify(rest[0])}`);
    }
    const timeoutMs = seconds === undefined
      ? session.settings.waitMs
      : readSeconds(seconds, "the time limit");
    const matches = expectation(what, line);
    const found = await session.waitFor(what, matches, signal, {
      from: session.events.cursor + 1,
      timeoutMs,
    });
    session.events.cursor = found.sequence;
  },
};

/** What an event must be like to be the expected one. */
export function expectation(what: string, line: CommandLine): (occurrence: Occurrence) => boolean {
  const isKind = eventTest(what);
  const fields = [...line.settings];
  return (occurrence) =>
    isKind(occurrence) && fields.every(([name, value]) => {
      const found = Object.entries(occurrence.shown.fields).find(([key]) => key.toLowerCase() === name)?.[1];
      return String(found).toLowerCase() === value.toLowerCase();
    });
}

function eventTest(what: string): (occurrence: Occurrence) => boolean {
  const expression = /^\/(.+)\/(i?)$/.exec(what);
  if (expression !== null) {
    const pattern = readPattern(expression[1]!, expression[2]!);
    return ({ shown }) => shown.lines.some((line) => pattern.test(line));
  }
  const name = EVENT_NAMES.find((one) => one.toLowerCase() === what.toLowerCase());
  if (name !== undefined) return ({ event }) => event.type === name;
  if (!/^[A-Z][A-Z_]+$/.test(what)) {
    throw new CommandError(`there is no event ${JSON.stringify(what)}; there are ${EVENT_NAMES.join(", ")}`);
  }
  const word = new RegExp(`\\b${what.replace(/^SCTP_/, "")}\\b`);
  return ({ shown }) => shown.lines.some((line) => line.startsWith("NOTIFICATION") && word.test(line));
}

function readPattern(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch {
    throw new CommandError(`/${source}/ is not a regular expression`);
  }
}

const source: InteractiveCommand = {
  name: "source",
  usage: " <file>",
  summary: "Run the commands of a file",
  group: "Scripts",
  async run(scope, line) {
    expectNothingElse(line, 1);
    const [path] = line.words;
    if (path === undefined) throw new CommandError("source wants the name of a file");
    await scope.source(path);
  },
};

const quit: InteractiveCommand = {
  name: "quit",
  aliases: ["exit", "bye"],
  usage: "",
  summary: "Shut all associations down and end (so do the end of the input and Ctrl+C)",
  group: "Scripts",
  run({ session }, line) {
    expectNothingElse(line, 0);
    session.end();
  },
};

const view: InteractiveCommand = {
  name: "view",
  usage: " [text|utf8|hex|none] [octets=<n>]",
  summary: "Show or choose how the contents of messages are shown, and how much of them",
  group: "Display",
  words: () => [...VIEWS, "octets="],
  run({ session }, line) {
    expectNothingElse(line, 1, ["octets"]);
    const word = line.words[0], octets = line.settings.get("octets");
    const chosen: View | undefined = VIEWS.find((one) => one === word);
    if (word !== undefined && chosen === undefined) {
      throw new CommandError(`view is one of ${VIEWS.join(", ")}`);
    }
    session.view = {
      ...session.view,
      ...(chosen !== undefined && { view: chosen }),
      ...(octets !== undefined && { octetsShown: readNumber(octets, "octets=", 0, 1e9) }),
    };
    if (word !== undefined || octets !== undefined) return;
    const { view: current, octetsShown } = session.view;
    session.display.say(`view is ${current}, the first ${octetsShown} octets.`, {
      event: "view",
      view: current,
      octets: octetsShown,
    });
  },
};

const timestamps: InteractiveCommand = {
  name: "timestamps",
  usage: " [on|off]",
  summary: "Put the time in front of every line, or do not",
  group: "Display",
  words: () => ["on", "off"],
  run({ session }, line) {
    expectNothingElse(line, 1);
    const word = line.words[0] ?? (session.display.timestamps ? "off" : "on");
    if (word !== "on" && word !== "off") throw new CommandError("timestamps are on or off");
    session.display.timestamps = word === "on";
  },
};

const capture: InteractiveCommand = {
  name: "capture",
  usage: " <file> | stop",
  summary: "Write every packet into a file for Wireshark (pcapng), or stop that",
  group: "Display",
  words: () => ["stop"],
  run({ session }, line) {
    expectNothingElse(line, 1);
    const [path] = line.words;
    if (path === undefined) throw new CommandError("capture wants the name of a file, or stop");
    if (path === "stop" && session.capture === undefined) throw new CommandError("nothing is captured");
    const before = session.capture;
    before?.close();
    session.capture = path === "stop" ? undefined : startCapture(session, path);
    if (before === undefined) return;
    session.display.say(`${before.packets} packets captured`, { event: "capture", packets: before.packets });
  },
};

/** Commands for scripts and about the session itself, but `help` and `watch`, which know the others. */
export const scriptCommands: readonly InteractiveCommand[] = [
  sleep,
  expect,
  source,
  quit,
  view,
  timestamps,
  capture,
];
