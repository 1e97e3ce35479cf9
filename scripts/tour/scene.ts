/** A pool for the pictures of the tour: programs on this machine, each as if on a PC of its own. */
import { fileURLToPath } from "node:url";
import { Program } from "../../tests/net/lab.ts";

const MAIN = fileURLToPath(new URL("../../cmd/main.ts", import.meta.url));

/** Packets in UDP on loopback need no rights, and nobody else's registrar is heard. */
const CARRIER = ["-transport=embedded", "-encapsulation=udp"];

/** Programs that live until the scene is disposed of. */
export class TourScene implements AsyncDisposable {
  /** Where all of them report to. */
  readonly monitorPort: number;
  readonly folder: string;
  readonly #programs: Program[] = [];
  readonly #canRename: boolean;

  constructor(monitorPort: number, folder: string, canRename: boolean) {
    this.monitorPort = monitorPort;
    this.folder = folder;
    this.#canRename = canRename;
  }

  static async open(monitorPort: number): Promise<TourScene> {
    return new TourScene(monitorPort, await Deno.makeTempDir(), await canRename());
  }

  /** The words of an `rsp` command from the sources. */
  static line(...words: string[]): string[] {
    return [Deno.execPath(), "run", "--allow-all", "--quiet", MAIN, ...words];
  }

  /** Starts a component on a PC of this name. */
  start(pc: string, ...words: string[]): Program {
    const reporting = [`-cspserver=127.0.0.1:${this.monitorPort}`, "-cspinterval=250"];
    const line = TourScene.line(...words, ...CARRIER, "-asapannounce=off", ...reporting);
    const place = this.#canRename ? [...UNSHARE, "sh", "-c", `hostname ${pc}; exec "$@"`, "sh"] : [];
    // The laboratory's programs show the words behind this one.
    const program = new Program([...place, "env", "--", ...line]);
    this.#programs.push(program);
    return program;
  }

  /** Starts a registrar. @returns how others find it, as the options say it */
  async registrar(pc: string, identifier: number, ...options: string[]): Promise<RegistrarPlace> {
    const program = this.start(
      pc,
      ...[
        "registrar",
        `-identifier=${identifier}`,
        "-asap=127.0.0.1:0",
        "-enrp=127.0.0.1:0",
        "-enrpannounce=off",
      ],
      ...["-endpointkeepalivetransmissioninterval=1000", "-mentordiscoverytimeout=500", "-json", ...options],
    );
    const [, asap] = await program.says(/"asapPort":(\d+)/),
      [, enrp] = await program.says(/"enrpPort":(\d+)/);
    return {
      asAsked: `-registrar=127.0.0.1:${asap}`,
      asPeer: `-peer=127.0.0.1:${enrp}`,
      program,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** How a registrar is found. */
export interface RegistrarPlace {
  readonly asAsked: string;
  readonly asPeer: string;
  readonly program: Program;
}

/** In a space of host names of its own. */
const UNSHARE: readonly string[] = Deno.uid() === 0
  ? ["unshare", "--uts"]
  : ["unshare", "--user", "--map-root-user", "--uts"];

async function canRename(): Promise<boolean> {
  const [program = "", ...line] = UNSHARE;
  try {
    return (await new Deno.Command(program, { args: [...line, "true"], stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
