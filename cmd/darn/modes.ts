/** What a session does from its beginning to its end: listening, sending lines, taking commands, polling. */
import { encodeText } from "../../protocol/wire/mod.ts";
import type { Context } from "../command.ts";
import { CommandError, SessionEnded } from "./command_error.ts";
import { associationToSend } from "./commands/message.ts";
import { commandTable } from "./commands/mod.ts";
import { complete } from "./completion.ts";
import { historyPath, loadHistory, saveHistory } from "./history.ts";
import type { CommandScope } from "./interactive_command.ts";
import { readLines } from "./lines.ts";
import type { LineEnd } from "./options.ts";
import { pollMode } from "./poll_mode.ts";
import { Prompt } from "./prompt.ts";
import { ScriptRunner } from "./script.ts";
import { plainRequest } from "./send_request.ts";
import { sendMessages } from "./sender.ts";
import type { Session } from "./session.ts";
import type { DarnOptions } from "./settings.ts";

/**
 * The modes of the command line, one after another.
 *
 * @returns the exit code, when the session is to end
 */
export async function runModes(context: Context<DarnOptions>, session: Session): Promise<number> {
  const { options } = context;
  sayHello(context, session);
  const runner = new ScriptRunner(session, commandTable, options["keep-going"]);
  const isWhole = await runner.lines(options.command, "-command");
  if (!isWhole || session.ended.aborted) return runner.failure;
  try {
    if (options.poll !== undefined) {
      await pollMode(session, options.poll, options["message-size"], options.verbose);
    } else if (options.interactive) {
      await takeCommands(context, session, runner);
    } else if (options.listen) {
      await untilEnd(session);
    } else if (options.send && options.command.length === 0) {
      await sendLines(context, session);
    }
  } catch (error) {
    if (error instanceof SessionEnded) return runner.failure;
    if (!(error instanceof CommandError)) throw error;
    session.display.error(error.message);
    return error.exitCode;
  }
  return runner.failure;
}

function sayHello(
  { options, program }: Context<DarnOptions>,
  { display, transport, endpoint }: Session,
): void {
  const isListening = options.listen || options.poll !== undefined;
  const { kind, description } = transport;
  display.event({
    lines: [
      isListening ? `${program} listening...` : `${program} ready to send...`,
      `SCTP port ${endpoint.port}, carried by ${description}`,
    ],
    fields: { event: "started", transport: kind, description, port: endpoint.port },
  });
}

function untilEnd({ ended }: Session): Promise<void> {
  return new Promise((resolve) => {
    ended.addEventListener("abort", () => resolve(), { once: true });
    if (ended.aborted) resolve();
  });
}

/** Commands of the input: a prompt on a terminal, otherwise a script. */
async function takeCommands(
  context: Context<DarnOptions>,
  session: Session,
  runner: ScriptRunner,
): Promise<void> {
  if (hasTerminal(context)) {
    await typedLines(context, session, {
      prompt: () => session.prompt,
      complete: (line) => complete(commandTable, session, line),
      carryOut: (line) => runner.typed(line),
      // Whatever waits must not keep the prompt from stopping it.
      overtake: (line) => {
        if (/^\s*stop\s*$/.test(line)) runner.interrupt();
      },
    });
  } else if (context.stdin !== undefined) {
    await runner.lines(readLines(context.stdin.open(), session.ended), "input");
  }
}

const LINE_END_TEXT: Readonly<Record<LineEnd, string>> = { lf: "\n", none: "", nul: "\0", "lf-nul": "\n\0" };

/** Who calls the original by its name gets its octets. */
function lineEndOf({ options, given, calledAs }: Context<DarnOptions>): LineEnd {
  const isOriginal = calledAs === "sctp_darn" || calledAs === "sctp-darn";
  return isOriginal && !given.has("line-end") ? "lf-nul" : options["line-end"];
}

/** Lines of the input as messages. */
async function sendLines(context: Context<DarnOptions>, session: Session): Promise<void> {
  const { stdin } = context;
  const lineEnd = LINE_END_TEXT[lineEndOf(context)];
  const scope: CommandScope = {
    session,
    signal: session.ended,
    isTyped: false,
    source: () => Promise.resolve(),
  };
  const sendLine = async (line: string) => {
    const data = encodeText(line + lineEnd);
    if (data.length === 0) return;
    const association = await associationToSend(scope, undefined);
    await sendMessages(session, association, plainRequest({ type: "octets", data }), session.ended);
  };
  if (hasTerminal(context)) {
    await typedLines(context, session, {
      prompt: () => session.prompt.replace(" Interactive mode> ", "> "),
      complete: (line) => [[], line],
      carryOut: (line) => sendLine(line).catch((error) => showProblem(session, error)),
      overtake: () => {},
    });
  } else if (stdin !== undefined) {
    for await (const line of readLines(stdin.open(), session.ended)) await sendLine(line);
  }
}

function showProblem(session: Session, error: unknown): void {
  if (error instanceof CommandError) session.display.error(error.message);
  else if (!(error instanceof SessionEnded)) throw error;
}

function hasTerminal({ stdin, stdout, options }: Context<DarnOptions>): boolean {
  return stdin !== undefined && stdin.isTerminal && stdout.isTerminal && !options.json;
}

/** What becomes of lines that are typed. */
interface LineHandler {
  readonly prompt: () => string;
  readonly complete: (line: string) => [candidates: string[], part: string];
  /** Carries one out; the next one waits for it. */
  readonly carryOut: (line: string) => Promise<void>;
  /** Sees a line at once, though another one is not done yet. */
  readonly overtake: (line: string) => void;
}

/** Lines from a prompt, until the session ends. */
async function typedLines(
  { options, stdin, stdout, variable }: Context<DarnOptions>,
  session: Session,
  { prompt: promptText, complete, carryOut, overtake }: LineHandler,
): Promise<void> {
  const path = historyPath(options.history, variable);
  const queue: string[] = [];
  let isBusy = false, isLast = false;
  const work = async () => {
    if (isBusy) return;
    isBusy = true;
    while (queue.length > 0 && !session.ended.aborted) await carryOut(queue.shift()!);
    isBusy = false;
    if (isLast) session.end();
    else if (!session.ended.aborted) prompt.show(promptText());
  };
  const prompt = new Prompt({
    input: stdin!.open(),
    output: stdout,
    history: loadHistory(path),
    complete,
    onLine: (line) => {
      if (isBusy) overtake(line);
      queue.push(line);
      void work();
    },
    // Lines that are edited keep Ctrl+C from becoming the signal that it is.
    onInterrupt: () => Deno.kill(Deno.pid, "SIGINT"),
    onEnd: () => {
      isLast = true;
      void work();
    },
  });
  session.display.printer = (text) => prompt.print(text);
  session.onChange = () => {
    if (!session.ended.aborted && !isLast) prompt.show(promptText());
  };
  prompt.show(promptText());
  await untilEnd(session);
  saveHistory(path, prompt.history);
  session.onChange = () => {};
  prompt.close();
  session.display.printer = undefined;
}
