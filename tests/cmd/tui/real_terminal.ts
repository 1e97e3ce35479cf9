/** A terminal with a shell in it, as people have one: tmux draws it, and tells what it shows. */
import { jitter } from "../../jitter.ts";

/** Nothing here takes longer unless it is broken. */
const DEADLINE_MS = 60_000;

/** How often it is looked at. */
const LOOK_MS = 50;

/** The prompt of the shell. */
const PROMPT = "ready>";

/** What a program may leave behind. */
export interface TerminalState {
  /** The second screen is shown. */
  readonly isAlternate: boolean;
  readonly isCursorVisible: boolean;
  /** Lines are edited and echoed, and Ctrl+C is a signal: a shell's program may rely on it. */
  readonly isCooked: boolean;
}

/** Whether there is tmux. */
export async function terminalIsPossible(): Promise<boolean> {
  try {
    return (await new Deno.Command("tmux", { args: ["-V"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let opened = 0;

/** A terminal. Dispose of it, and what runs in it gets SIGHUP. */
export class RealTerminal implements AsyncDisposable {
  readonly #server = `rsp-test-${Deno.pid}-${++opened}`;
  #device = "";

  /** Opens one, and waits for the shell's prompt. */
  static async open(
    columns: number,
    rows: number,
    colors: "plain" | "colored" = "plain",
  ): Promise<RealTerminal> {
    const terminal = new RealTerminal();
    // `sh` leaves the terminal's modes to the programs; the environment is that of the test.
    const shell = [
      "env",
      "-u",
      "NO_COLOR",
      `PS1=${PROMPT} `,
      "ENV=",
      ...(colors === "plain" ? ["NO_COLOR=1"] : []),
      "sh",
    ];
    const size = ["-x", String(columns), "-y", String(rows)];
    await terminal.#tmux("new-session", "-d", ...size, ...shell);
    terminal.#device = (await terminal.#tmux("display-message", "-p", "#{pane_tty}")).trim();
    await terminal.shows(new RegExp(PROMPT));
    return terminal;
  }

  /** What one sees. */
  async screen(): Promise<string> {
    return await this.#tmux("capture-pane", "-p");
  }

  /** The same with the sequences that make colours and styles. */
  async coloredScreen(): Promise<string> {
    return await this.#tmux("capture-pane", "-p", "-e");
  }

  /** Waits until one sees something. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    return await this.#until(`${pattern}`, async () => pattern.exec(await this.screen()) ?? undefined);
  }

  /** Waits until the terminal is in such a state. */
  async becomes(wanted: TerminalState): Promise<void> {
    const text = JSON.stringify(wanted);
    await this.#until(text, async () => JSON.stringify(await this.state()) === text ? true : undefined);
  }

  /** What programs have made of it. */
  async state(): Promise<TerminalState> {
    const flags = (await this.#tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}")).trim().split(
      " ",
    );
    const modes = (await run("stty", "-a", "-F", this.#device)).split(/\s+/);
    return {
      isAlternate: flags[0] === "1",
      isCursorVisible: flags[1] === "1",
      isCooked: ["icanon", "echo", "isig"].every((mode) => modes.includes(mode)),
    };
  }

  /** What programs have written into its title. */
  async title(): Promise<string> {
    return (await this.#tmux("display-message", "-p", "#{pane_title}")).trim();
  }

  /** Presses keys, in tmux's words, such as `C-c` or `Up`; other words letter by letter. */
  async presses(...keys: string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  /** Types a command. */
  async types(line: string, end = "Enter"): Promise<void> {
    await this.#tmux("send-keys", "-l", line);
    await this.presses(end);
  }

  async resizes(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
  }

  async #until<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const found = await look();
      if (found !== undefined) {
        await jitter();
        return found;
      }
      if (performance.now() > deadline) {
        const state = JSON.stringify(await this.state());
        throw new Error(`The terminal never showed ${what}; it is ${state}:\n${await this.screen()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #tmux(...line: string[]): Promise<string> {
    return await run("tmux", "-L", this.#server, "-f", "/dev/null", ...line);
  }
}

async function run(program: string, ...line: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: line }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${program} ${line.join(" ")}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout);
}
