/**
 * A laboratory of PCs on one machine: each PC is a network namespace with an interface on the blue network (`eth1`) and
 * one on the yellow network (`eth0`), and has an IPv4 and an IPv6 address on each, so that there are four paths between two
 * PCs.
 *
 * A namespace lives as long as a process that holds it. The holders here are `cat` processes that read from a pipe of this
 * process: whatever becomes of this process, the pipe closes, they end, and nothing is left. Without root a user namespace
 * is put around it all.
 */
import { fileURLToPath } from "node:url";
import { caughtUp } from "../caught_up.ts";
import { jitter } from "../jitter.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The two networks, and the interface by which each PC is on it. */
export const NETWORKS = {
  blue: { interface: "eth1", ipv4: "10.1.0", ipv6: "fd01:" },
  yellow: { interface: "eth0", ipv4: "10.2.0", ipv6: "fd02:" },
} as const;

/** The name of a network. */
export type NetworkName = keyof typeof NETWORKS;

/** How long a condition may take to come true before a test gives up. */
const DEADLINE_MS = 120_000;
/** A program that was asked to end gets so long, in milliseconds: several times its own limit for saying goodbye. */
const END_LIMIT_MS = 60_000;

/**
 * Without "immediate mode" a second's worth is still in the kernel when the recorder ends. That mode has the same room for
 * each packet, so there is a snapshot length, which nothing on a cable exceeds: 64 MiB are room for some 28,000 packets
 * while the machine is busy, and not for 256.
 */
const RECORDER = ["tcpdump", "-i", "any", "--immediate-mode", "-s", "2048", "-B", "65536", "-Z", "root"];

interface Holder {
  readonly process: Deno.ChildProcess;
  readonly pid: number;
}

/** Starts a process that does nothing but hold the namespaces that `command` makes. */
async function hold(command: readonly string[]): Promise<Holder> {
  const [program = "", ...line] = command;
  const process = new Deno.Command(program, {
    args: [...line, "sh", "-c", "echo $$; exec cat >/dev/null"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  // The first line comes from within, so the namespaces are there; the exec keeps the process ID.
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  const pid = Number(new TextDecoder().decode(value ?? new Uint8Array()));
  if (!(pid > 0)) {
    const { stderr } = await finished(process);
    throw new Error(`Cannot make a namespace: ${stderr}`);
  }
  return { process, pid };
}

async function finished(process: Deno.ChildProcess): Promise<{ success: boolean; stderr: string }> {
  await process.stdin.close();
  const [{ success }, stderr] = await Promise.all([process.status, new Response(process.stderr).text()]);
  return { success, stderr: stderr.trim() };
}

/** Whether this machine lets us make namespaces, as root or by a user namespace. */
export async function labIsPossible(): Promise<boolean> {
  try {
    const line = [...unshareOptions(), "ip", "link", "add", "rsp-probe", "type", "bridge"];
    const { success } = await new Deno.Command("unshare", { args: line, stderr: "null" }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function unshareOptions(): string[] {
  return Deno.uid() === 0 ? ["--net"] : ["--user", "--map-root-user", "--net"];
}

/** The laboratory. Dispose of it, and all that runs in it is gone. */
export class Lab implements AsyncDisposable {
  readonly #switch: Holder;
  readonly #pcs: Pc[] = [];
  readonly #recorders: Program[] = [];

  /** Use {@linkcode Lab.open}. */
  constructor(holder: Holder) {
    this.#switch = holder;
  }

  /** Builds a laboratory of `count` PCs, numbered from 1. */
  static async open(count: number): Promise<Lab> {
    const lab = new Lab(await hold(["unshare", ...unshareOptions()]));
    try {
      await lab.#build(count);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** PC `number`, from 1. */
  pc(number: number): Pc {
    const pc = this.#pcs[number - 1];
    if (pc === undefined) {
      throw new RangeError(`Cannot find PC ${number}: the laboratory has ${this.#pcs.length}`);
    }
    return pc;
  }

  /**
   * Records what passes on both networks, each packet once, to the very last one; resolves when the recording runs.
   * Interrupt it to have the file whole. What stays on a PC is not seen.
   */
  async capture(file: string): Promise<Program> {
    const inSwitch = enter(this.#switch);
    const links = await Promise.all(
      Object.keys(NETWORKS).map((network) => command([...inSwitch, "ip", "-o", "link", "show", network])),
    );
    const filter = links.map((line) => `ifindex ${Number.parseInt(line)}`).join(" or ");
    const recorder = new Recorder([...inSwitch, ...RECORDER, "-w", file, filter]);
    this.#recorders.push(recorder);
    await recorder.says(/listening on/);
    return recorder;
  }

  async #build(count: number): Promise<void> {
    const inSwitch = enter(this.#switch);
    const script = ["set -e", "ip link set lo up"];
    for (const network of Object.keys(NETWORKS)) {
      // Promiscuous, so that Lab.capture() sees what passes from PC to PC.
      script.push(
        `ip link add ${network} type bridge mcast_snooping 0`,
        `ip link set ${network} promisc on up`,
      );
    }
    await command([...inSwitch, "sh", "-c", script.join("\n")]);
    for (let number = 1; number <= count; number++) {
      const holder = await hold([...inSwitch, "unshare", "--net"]);
      const pc = new Pc(number, holder, inSwitch);
      this.#pcs.push(pc);
      const wires = ["set -e"];
      const inside = ["set -e", "ip link set lo up", "sysctl -q -w net.ipv6.conf.all.keep_addr_on_down=1"];
      for (const [network, { interface: name, ipv4, ipv6 }] of Object.entries(NETWORKS)) {
        const far = `${network}${number}`;
        wires.push(
          `ip link add ${far} type veth peer name ${name} netns ${holder.pid}`,
          `ip link set ${far} master ${network} up`,
        );
        inside.push(
          `sysctl -q -w net.ipv6.conf.${name}.accept_dad=0`,
          `ip address add ${ipv4}.${number}/24 dev ${name}`,
          `ip address add ${ipv6}:${number}/64 dev ${name} nodad`,
          `ip link set ${name} up`,
        );
      }
      await command([...inSwitch, "sh", "-c", wires.join("\n")]);
      await command([...enter(holder), "sh", "-c", inside.join("\n")]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pc of this.#pcs) await pc[Symbol.asyncDispose]();
    for (const recorder of this.#recorders) await recorder[Symbol.asyncDispose]();
    await finished(this.#switch.process);
  }
}

/** The words before a command that let it run in a holder's namespaces. */
function enter({ pid }: Holder): string[] {
  const user = Deno.uid() === 0 ? [] : ["--user", "--preserve-credentials"];
  return ["nsenter", "--target", String(pid), ...user, "--net", "--"];
}

async function command([program = "", ...line]: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: line }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(`Cannot run ${program} ${line.join(" ")}: ${text.decode(stderr).trim()}`);
  return text.decode(stdout);
}

/** A PC of the laboratory. */
export class Pc implements AsyncDisposable {
  readonly number: number;
  readonly #holder: Holder;
  readonly #inSwitch: readonly string[];
  readonly #programs: Program[] = [];

  constructor(number: number, holder: Holder, inSwitch: readonly string[]) {
    this.number = number;
    this.#holder = holder;
    this.#inSwitch = inSwitch;
  }

  /** Runs a command to its end and gives what it printed; an error when it fails. */
  async run(...line: string[]): Promise<string> {
    const output = await command([...enter(this.#holder), ...line]);
    await jitter();
    return output;
  }

  /** Starts a program that runs for a while. */
  start(...line: string[]): Program {
    const program = new Program([...enter(this.#holder), ...line]);
    this.#programs.push(program);
    return program;
  }

  /** Starts a program that takes commands: see {@linkcode Program.types}. */
  startTyping(...line: string[]): Program {
    const program = new Program([...enter(this.#holder), ...line], true);
    this.#programs.push(program);
    return program;
  }

  /** Starts an `rsp` command from the sources, which takes commands. */
  rspTyping(...line: string[]): Program {
    return this.startTyping(Deno.execPath(), "run", "--allow-all", "--quiet", `${ROOT}/cmd/main.ts`, ...line);
  }

  /** Starts an `rsp` command from the sources. */
  rsp(...line: string[]): Program {
    return this.start(Deno.execPath(), "run", "--allow-all", "--quiet", `${ROOT}/cmd/main.ts`, ...line);
  }

  /**
   * Records everything that this PC sends and receives; resolves when the recording runs. Interrupt it to have the file
   * whole. Of long packets that stay on the PC it has the beginnings.
   */
  async capture(file: string): Promise<Program> {
    const recorder = new Recorder([...enter(this.#holder), ...RECORDER, "-w", file]);
    this.#programs.push(recorder);
    await recorder.says(/listening on/);
    return recorder;
  }

  /**
   * Pulls the cable to a network out, at the far end, or puts it in again.
   *
   * @param wakes a program that was stopped (SIGSTOP) goes on in the same moment: before anybody else can find out
   */
  async cable(network: NetworkName, state: "in" | "out", wakes?: Program): Promise<void> {
    const line = ["ip", "link", "set", `${network}${this.number}`, state === "in" ? "up" : "down"];
    const waking = wakes === undefined ? [] : ["sh", "-c", `"$@" && kill -s CONT ${wakes.pid}`, "sh"];
    await command([...this.#inSwitch, ...waking, ...line]);
    await jitter();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    await finished(this.#holder.process);
  }
}

/** A running program whose output can be waited for. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly #line: string;
  readonly #input: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #output = "";
  #ended = false;
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param typing whether it gets a standard input */
  constructor(line: readonly string[], typing = false) {
    const [program = "", ...rest] = line;
    this.#line = rest.slice(rest.indexOf("--") + 1).join(" ");
    this.#child = new Deno.Command(program, {
      args: rest,
      env: { NO_COLOR: "1" },
      stdin: typing ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = typing ? this.#child.stdin.getWriter() : undefined;
    this.#reading = Promise.all([this.#read(this.#child.stdout), this.#read(this.#child.stderr)]).then(() => {
      this.#ended = true;
      this.#changed();
    });
  }

  /** ID of its process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All that it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /**
   * Waits until its output matches; an error when it ends before that, or when it takes too long.
   *
   * @param from where in the output to begin
   */
  async says(pattern: RegExp, deadlineMs: number = DEADLINE_MS, from = 0): Promise<RegExpExecArray> {
    const searching = new RegExp(pattern, pattern.flags.includes("g") ? pattern.flags : `${pattern.flags}g`);
    const deadline = AbortSignal.timeout(deadlineMs);
    const expired = Promise.withResolvers<void>();
    deadline.addEventListener("abort", () => expired.resolve(), { once: true });
    for (;;) {
      searching.lastIndex = from;
      const match = searching.exec(this.#output);
      if (match !== null) {
        await jitter();
        return match;
      }
      if (this.#ended || deadline.aborted) {
        const why = this.#ended ? "it ended" : `${deadlineMs} ms passed`;
        throw new Error(
          `Cannot see ${pattern} from \`${this.#line}\`: ${why} after it said:\n${this.#output}`,
        );
      }
      await Promise.race([this.#wake.promise, expired.promise]);
    }
  }

  /** Writes a line to its standard input. */
  async types(line: string): Promise<void> {
    if (this.#input === undefined) throw new Error(`Cannot type to \`${this.#line}\`: it has no input`);
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    await jitter();
  }

  /**
   * Waits until it has said something so many times. A pattern with a count would go through the output again and again.
   *
   * @param text what is counted, to the letter
   */
  async saysTimes(text: string, count: number, deadlineMs: number = DEADLINE_MS): Promise<void> {
    const deadline = AbortSignal.timeout(deadlineMs);
    const expired = Promise.withResolvers<void>();
    deadline.addEventListener("abort", () => expired.resolve(), { once: true });
    for (;;) {
      const seen = this.#output.split(text).length - 1;
      if (seen >= count) return await jitter();
      if (this.#ended || deadline.aborted) {
        throw new Error(`Cannot see "${text}" ${count} times from \`${this.#line}\`, only ${seen} times`);
      }
      await Promise.race([this.#wake.promise, expired.promise]);
    }
  }

  /** Waits for its end. */
  async exitCode(deadlineMs: number = DEADLINE_MS): Promise<number> {
    const timer = setTimeout(() => this.signal("SIGKILL"), deadlineMs);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    await jitter();
    return code;
  }

  /** Sends a signal; nothing happens when the program has ended. */
  signal(name: Deno.Signal): void {
    try {
      this.#child.kill(name);
    } catch (error) {
      if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ends it in order, as Ctrl+C does. */
  async interrupt(): Promise<number> {
    this.signal("SIGINT");
    return await this.exitCode(END_LIMIT_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.exitCode();
    await this.#input?.close().catch(() => {}); // nobody is left to read it
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.#output += decoder.decode(chunk, { stream: true });
      this.#changed();
    }
  }

  #changed(): void {
    const { resolve } = this.#wake;
    this.#wake = Promise.withResolvers();
    resolve();
  }
}

/** tcpdump, which reads what there was before it ends. */
class Recorder extends Program {
  override async interrupt(): Promise<number> {
    await caughtUp(this.pid);
    return await super.interrupt();
  }
}
