/** Commands that change streams (RFC 6525). */
import { CommandError } from "../command_error.ts";
import { expectNothingElse, readNumber } from "../command_line.ts";
import type { InteractiveCommand } from "../interactive_command.ts";
import type { Occurrence } from "../event_log.ts";
import { associationOf } from "./association.ts";

const DIRECTIONS = {
  out: "outgoing",
  outgoing: "outgoing",
  in: "incoming",
  incoming: "incoming",
  both: "both",
} as const;

function isDirection(word: string): word is keyof typeof DIRECTIONS {
  return Object.hasOwn(DIRECTIONS, word);
}

const resetStreams: InteractiveCommand = {
  name: "reset-streams",
  usage: " [out|in|both] [<stream>,<stream>...] [assoc=<n>]",
  summary: "Let streams start again at SSN 0 (RFC 6525); without numbers, all",
  group: "Streams and keys",
  words: () => ["out", "in", "both"],
  async run(scope, line) {
    expectNothingElse(line, 2, ["assoc"]);
    const words = [...line.words];
    const direction = isDirection(words[0] ?? "")
      ? DIRECTIONS[words.shift() as keyof typeof DIRECTIONS]
      : "outgoing";
    const list = words[0] === undefined ? [] : words[0].split(",");
    const streams = list.map((text) => readNumber(text, "a stream", 0, 65535));
    const association = await associationOf(scope, line);
    const from = scope.session.events.next;
    scope.session.execute(association, {
      type: "resetStreams",
      association: association.id,
      direction,
      streams,
    });
    await outcome(scope, from, association.number, "streamsReset");
  },
};

const resetAssociation: InteractiveCommand = {
  name: "reset-assoc",
  usage: " [assoc=<n>]",
  summary: "Let all TSNs and SSNs start anew (RFC 6525)",
  group: "Streams and keys",
  async run(scope, line) {
    expectNothingElse(line, 0, ["assoc"]);
    const association = await associationOf(scope, line);
    const from = scope.session.events.next;
    scope.session.execute(association, { type: "resetAssociation", association: association.id });
    await outcome(scope, from, association.number, "associationReset");
  },
};

const addStreams: InteractiveCommand = {
  name: "add-streams",
  usage: " [out=<n>] [in=<n>] [assoc=<n>]",
  summary: "Ask for more streams (RFC 6525)",
  group: "Streams and keys",
  words: () => ["out=", "in="],
  async run(scope, line) {
    expectNothingElse(line, 0, ["assoc", "out", "in"]);
    const count = (name: string) => readNumber(line.settings.get(name) ?? "0", `${name}=`, 0, 65535);
    const outbound = count("out"), inbound = count("in");
    if (outbound + inbound === 0) throw new CommandError("add-streams wants out=<n> or in=<n>");
    const association = await associationOf(scope, line);
    const from = scope.session.events.next;
    scope.session.execute(association, {
      type: "addStreams",
      association: association.id,
      outbound,
      inbound,
    });
    await outcome(scope, from, association.number, "streamsAdded");
  },
};

type Answer = "streamsReset" | "associationReset" | "streamsAdded";

/** Waits for the peer's answer. @throws {CommandError} when it is a refusal */
async function outcome(
  { session, signal }: Parameters<InteractiveCommand["run"]>[0],
  from: number,
  number: number,
  type: Answer,
): Promise<void> {
  const matches = ({ event, association }: Occurrence) =>
    association === number && (event.type === type || event.type === "down");
  const { event } = await session.waitFor("answer of the peer", matches, signal, { from });
  if (event.type === "down") throw new CommandError("the association ended");
  if ("outcome" in event && event.outcome !== "performed") {
    throw new CommandError(
      event.outcome === "denied" ? "the peer has denied it" : "it has failed: nothing is changed",
    );
  }
}

/** Commands that change streams. */
export const streamCommands: readonly InteractiveCommand[] = [resetStreams, resetAssociation, addStreams];
