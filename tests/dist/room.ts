/**
 * An empty room: a folder that is a program's whole file system. In it are the one file, links to it, a shell, the system's
 * libraries that these two are linked with, and nothing else: no Deno, no checkout, no other program, no home.
 */
import { fileURLToPath } from "node:url";
import { jitter } from "../jitter.ts";
import type { Pc, Program } from "../net/lab.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the build has made. */
export const RSP: string = `${ROOT}dist/rsp`;

/** What a program did. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An emulated start takes half a minute, and was seen to take four on a machine with forty other things to do. */
const DEADLINE_MS = 900_000;

/** Runs a program to its end. */
export async function run(
  program: string,
  line: readonly string[],
  options: Pick<Deno.CommandOptions, "env" | "clearEnv" | "cwd"> = {},
): Promise<Outcome> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...line],
    env: { NO_COLOR: "1" },
    stdin: "null",
    ...options,
    signal,
  }).output();
  await jitter();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Makes the one file out of the sources as they are. */
export async function build(...processors: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(`${ROOT}scripts/build`, processors);
  if (code !== 0) throw new Error(`The build failed: ${stderr}`);
  return stdout;
}

/** The libraries that a program is linked with, and the loader, by the paths where the loader looks for them. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run("ldd", [program]);
  return [...stdout.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)].map(([, path]) => path!);
}

/** The room. Dispose of it, and it is gone. */
export class Room implements AsyncDisposable {
  /** The folder that is its root. */
  readonly path: string;

  /** Use {@linkcode Room.open}. */
  constructor(path: string) {
    this.path = path;
  }

  /** @param names under which the one file is there, too */
  static async open(...names: string[]): Promise<Room> {
    const room = new Room(await Deno.makeTempDir({ prefix: "rsp-room-" }));
    const { path } = room;
    for (const folder of ["bin", "proc", "dev", "work"]) await Deno.mkdir(`${path}/${folder}`);
    await Deno.copyFile(RSP, `${path}/rsp`);
    await Deno.copyFile(await Deno.realPath("/bin/sh"), `${path}/bin/sh`);
    for (const library of new Set([...await librariesOf(RSP), ...await librariesOf("/bin/sh")])) {
      await Deno.mkdir(`${path}${library.slice(0, library.lastIndexOf("/"))}`, { recursive: true });
      await Deno.copyFile(await Deno.realPath(library), path + library);
    }
    for (const name of names) await Deno.symlink("rsp", `${path}/${name}`);
    return room;
  }

  /** The words before a command that let it run in the room, in a namespace of mounts of its own. */
  words(): string[] {
    const script = 'room=$1; shift; mount --rbind /proc "$room/proc" && mount --rbind /dev "$room/dev" && ' +
      'exec env --ignore-environment PATH=/ NO_COLOR=1 "$(command -v chroot)" "$room" /bin/sh -c \'cd /work && exec "$@"\' - "$@"';
    const user = Deno.uid() === 0 ? [] : ["--user", "--map-root-user"];
    return ["unshare", ...user, "--mount", "--propagation=private", "/bin/sh", "-c", script, "-", this.path];
  }

  /** Runs a command in the room, to its end. */
  async run(...line: string[]): Promise<Outcome> {
    const [program = "", ...rest] = [...this.words(), ...line];
    return await run(program, rest);
  }

  /** Starts a command in the room, on a PC of the laboratory. */
  on(pc: Pc, ...line: string[]): Program {
    return pc.start(...this.#wordsInLab(), ...line);
  }

  /** Starts a command in the room, on a PC of the laboratory; it can be typed to. */
  typingOn(pc: Pc, ...line: string[]): Program {
    return pc.startTyping(...this.#wordsInLab(), ...line);
  }

  /** In the laboratory we are root already. */
  #wordsInLab(): string[] {
    return this.words().filter((word) => !["--user", "--map-root-user"].includes(word));
  }

  /** All files in it, but for what the system shows there. */
  async files(folder = ""): Promise<string[]> {
    const found: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(`${this.path}/${folder}`)) {
      const path = `${folder}${name}`;
      if (isDirectory) found.push(...await this.files(`${path}/`));
      else found.push(path);
    }
    return found.sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
