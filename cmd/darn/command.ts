/** `rsp darn`: an SCTP tool to play with, in the role of sctp_darn. */
import { defineCommand } from "../command.ts";
import type { Command, Context } from "../command.ts";
import { openTransport, transportFailure } from "../driver/transport.ts";
import type { Transport } from "../../protocol/net.ts";
import { DarnExitCode } from "./command_error.ts";
import { Display } from "./display.ts";
import { darnOptionTable } from "./options.ts";
import { runModes } from "./modes.ts";
import { Session } from "./session.ts";
import { checkOptions, sessionSettings } from "./settings.ts";
import type { DarnOptions } from "./settings.ts";

/** The command. */
export const command: Command = defineCommand({
  name: "darn",
  aliases: ["sctp-darn", "sctp_darn"],
  summary: "Sends and receives SCTP messages and shows all that happens",
  description: [
    "Listens (-l) or sends (-s), or both: what comes is shown as it comes, in either mode. With -I it takes commands at a " +
    "prompt; ? lists them. Without a terminal the commands come from the input, and `expect`, `sleep` and `source` make " +
    "scripts of them. Ctrl+C shuts all associations down; a second one ends at once.",
  ],
  exitCodes: {
    1: "A command failed, or SCTP cannot be had",
    3: "An association could not be set up, or was lost",
    4: "What was waited for did not come in time",
  },
  options: darnOptionTable,
  examples: [
    { line: "rsp darn -H :: -P 1234 -l", text: "Listen, and show what comes" },
    { line: "rsp darn -H :: -P 2345 -h 10.1.0.2 -p 1234 -s -I", text: "Send by commands" },
    { line: "rsp darn -s -h pc2 -p 7 -command 'snd=10000 sid=3'", text: "Send one message and end" },
    { line: "rsp darn -l -P 7 -e", text: "Be an echo server" },
  ],
  run: (context) => runDarn(context),
});

async function runDarn(context: Context<DarnOptions>): Promise<number> {
  const { options, stdout, stderr, signal } = context;
  checkOptions(options);
  const settings = await sessionSettings(options);
  const display = new Display(stdout, stderr, { ...options, now: () => new Date() });
  let transport: Transport | undefined;
  try {
    transport = openTransport(options.transport, options.encapsulation, {
      path: options.capture,
      onProblem: (sentence) => display.error(sentence),
    }, options["udp-port"] === undefined ? {} : { udpPort: options["udp-port"] });
    const session = new Session(transport, settings, display, {
      view: options.view,
      octetsShown: options.show,
      verbose: options.verbose,
    });
    session.open();
    const onEnd = () => session.end();
    signal.addEventListener("abort", onEnd);
    if (signal.aborted) onEnd();
    try {
      const exitCode = await runModes(context, session);
      const closed = await session.close();
      return exitCode === DarnExitCode.done ? closed : exitCode;
    } finally {
      signal.removeEventListener("abort", onEnd);
    }
  } catch (error) {
    display.error(transportFailure(error));
    return DarnExitCode.failed;
  } finally {
    await transport?.close();
  }
}
