/** Commands that send and receive. */
import type { Association } from "../associations.ts";
import { CommandError } from "../command_error.ts";
import { expectNothingElse, readDecimal, readNumber } from "../command_line.ts";
import type { CommandLine } from "../command_line.ts";
import type { CommandScope, InteractiveCommand } from "../interactive_command.ts";
import { PAYLOAD_SETTINGS } from "../payload.ts";
import { ppidNames } from "../ppid_names.ts";
import { readSendRequest, SEND_SETTINGS, SEND_WORDS } from "../send_request.ts";
import type { SendRequest } from "../send_request.ts";
import { sendMessages } from "../sender.ts";
import { isDown } from "../session.ts";
import type { Session } from "../session.ts";

/** The association to send on: one is set up, or awaited, where there is none. */
export async function associationToSend(
  { session, signal, isTyped }: CommandScope,
  number: number | undefined,
): Promise<Association> {
  const { associations, settings, display } = session;
  if (number !== undefined) return session.association(number);
  const current = associations.current;
  if (current !== undefined && (!current.ending || settings.peer === undefined)) return current;
  if (settings.peer !== undefined) {
    if (current !== undefined) { // its ports are in use until it has ended
      await session.waitFor("end of the old association", isDown(current.number), signal);
    }
    if (!associations.isUntouched) {
      display.say("Old association gone, Starting a new one!", { event: "reconnect" });
    }
    return await session.connect(settings.peer, signal);
  }
  if (!isTyped && associations.isUntouched) {
    await session.waitFor("association", ({ event }) => event.type === "up", signal, { from: 1 });
  }
  return session.association();
}

async function send(scope: CommandScope, line: CommandLine, request: SendRequest): Promise<void> {
  const { session, signal, isTyped } = scope;
  const association = await associationToSend(scope, request.association);
  if (isTyped && (request.count > 1 || request.rate !== undefined)) {
    session.jobs.start(line.text, (stop) => sendMessages(session, association, request, stop));
  } else {
    await sendMessages(session, association, request, signal);
  }
}

const snd: InteractiveCommand = {
  name: "snd",
  aliases: ["send"],
  usage: "=<octets> | text= | hex= | base64= | file= | random=  [settings]",
  summary: "Send a message; the first one sets the association up",
  group: "Messages",
  details: [
    'What: a number of octets of the pattern ! to ~, which goes on from message to message; or text="hello\\n", ' +
    "hex=00ff, base64=AP8=, file=<path>, random=<octets>.",
    "How: sid=<stream>, ppid=<number, 0x..., or a name such as M3UA>, unordered, now (ask for a SACK at once), " +
    "context=<n>, to=<address of the peer>, key=<shared key>, assoc=<n>.",
    "Given up: ttl=<ms>, rtx=<retransmissions>, or prio=<priority> (RFC 3758, RFC 7496).",
    "Repeated: count=<n> or count=forever, rate=<messages a second>. At the prompt this goes on besides it; " +
    "jobs and stop deal with it.",
  ],
  words: () => [
    ...SEND_WORDS,
    ...[...PAYLOAD_SETTINGS, ...SEND_SETTINGS].map((name) => `${name}=`),
    ...ppidNames.map((name) => `ppid=${name}`),
  ],
  async run(scope, line) {
    await send(scope, line, readSendRequest(line));
  },
};

const text: InteractiveCommand = {
  name: "text",
  usage: " <anything>",
  summary: "Send the rest of the line as it is",
  group: "Messages",
  takesRest: true,
  async run(scope, line) {
    if (line.rest === "") throw new CommandError("text wants something to send");
    const settings = new Map([["text", line.rest]]);
    await send(scope, line, readSendRequest({ ...line, settings }));
  },
};

const rcv: InteractiveCommand = {
  name: "rcv",
  usage: "[=<ignored>] [count=<n>]",
  summary: "Wait for the next message or notification that rcv or expect has not taken yet",
  group: "Messages",
  details: [
    "Everything is shown as it comes; rcv is for scripts and for those who know the original. With -n it does not wait.",
  ],
  async run({ session, signal }, line) {
    expectNothingElse(line, 1, ["count"]);
    const count = readNumber(line.settings.get("count") ?? "1", "count=", 1, 1e9);
    for (let taken = 0; taken < count; taken++) {
      const from = session.events.cursor + 1;
      if (session.settings.nonBlocking && session.events.find(from, () => true) === undefined) return;
      const next = await session.waitFor("message or notification", isVisible, signal, { from });
      session.events.cursor = next.sequence;
    }
  },
};

function isVisible({ shown }: { readonly shown: { readonly lines: readonly string[] } }): boolean {
  return shown.lines.length > 0;
}

const jobs: InteractiveCommand = {
  name: "jobs",
  usage: "",
  summary: "List what goes on besides the prompt",
  group: "Messages",
  run({ session }, line) {
    expectNothingElse(line, 0);
    const { all } = session.jobs;
    session.display.show({
      lines: all.length === 0 ? ["no jobs"] : all.map(({ number, line: text }) => `${number}: ${text}`),
      fields: { event: "jobs", jobs: all.map(({ number, line: text }) => ({ job: number, line: text })) },
    });
  },
};

const stop: InteractiveCommand = {
  name: "stop",
  usage: " [<job>]",
  summary: "Stop a job, or all of them and the command that is waiting",
  group: "Messages",
  words: (session: Session) => session.jobs.all.map(({ number }) => String(number)),
  run({ session }, line) {
    expectNothingElse(line, 1);
    const word = line.words[0];
    const stopped = session.jobs.stop(word === undefined ? undefined : readNumber(word, "the job", 1, 1e9));
    if (stopped === 0 && word !== undefined) throw new CommandError(`there is no job ${word}`);
  },
};

/** Waits, for `sleep` and `expect`. */
export function readSeconds(text: string, what: string): number {
  return 1000 * readDecimal(text.replace(/s$/, ""), what);
}

/** Commands that send and receive. */
export const messageCommands: readonly InteractiveCommand[] = [snd, text, rcv, jobs, stop];
