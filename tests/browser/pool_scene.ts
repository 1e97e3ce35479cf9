/** A small pool on loopback for pages to look at: programs as processes of their own, which may be killed. */
import { Program } from "../interop/program.ts";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../cmd/main.ts", import.meta.url));

const RSP: readonly string[] = [Deno.execPath(), "run", "--allow-all", "--quiet", MAIN];

/** Packets in UDP need no rights, and no port that another test might have. */
const CARRIER = ["-transport=embedded", "-encapsulation=udp", "-asapannounce=off"];

/** A registrar, and whatever a test starts beside it. All of it ends with the scene. */
export class PoolScene implements AsyncDisposable {
  /** For files of the programs. */
  readonly directory: string;
  readonly #programs: Program[] = [];
  #registrar = "";
  /** The port of the last registrar for others. */
  #enrp = "";

  constructor(directory: string) {
    this.directory = directory;
  }

  /** Nothing runs yet. */
  static async open(): Promise<PoolScene> {
    return new PoolScene(await Deno.makeTempDir({ prefix: "rsp-page-" }));
  }

  /** Starts with a registrar. */
  static async start(...options: string[]): Promise<PoolScene> {
    const scene = await PoolScene.open();
    await scene.registrar(...options);
    return scene;
  }

  /** Starts a registrar, which those who come after it use, and which is a peer of the one before it. */
  async registrar(...options: string[]): Promise<Program> {
    const peer = this.#enrp === "" ? [] : [`-peer=127.0.0.1:${this.#enrp}`];
    const registrar = this.#start("registrar", [
      ...RSP,
      "registrar",
      ...CARRIER,
      ...PLACES,
      ...peer,
      ...options,
    ]);
    const [, asap, enrp] = await registrar.says(/ASAP has SCTP port (\d+), ENRP (\d+);/);
    this.#registrar = `-registrar=127.0.0.1:${asap}`;
    this.#enrp = enrp ?? "";
    return registrar;
  }

  /** What starts a program of this pool, for whoever wants to start it elsewhere. */
  commandLine(command: string, ...line: string[]): string[] {
    const registrar = this.#registrar === "" ? [] : [this.#registrar];
    return [...RSP, command, ...CARRIER, ...registrar, ...line];
  }

  /** Starts a program of the pool. */
  rsp(command: string, ...line: string[]): Program {
    return this.#start(command, this.commandLine(command, ...line));
  }

  /** Starts a program that has nothing to do with SCTP. */
  plain(command: string, ...line: string[]): Program {
    return this.#start(command, [...RSP, command, ...line]);
  }

  #start(command: string, line: readonly string[]): Program {
    const program = new Program(`rsp ${command}`, line);
    this.#programs.push(program);
    return program;
  }

  /** Starts a fractal server, and waits until it is registered. */
  async server(id: number, ...options: string[]): Promise<Program> {
    const server = this.rsp("server", "-fractal", `-identifier=${id}`, ...options);
    await server.says(/registered as/);
    return server;
  }

  /** Starts a fractal user with a page. @returns it, and where its page is */
  async user(...options: string[]): Promise<{ readonly program: Program; readonly url: string }> {
    const program = this.rsp(
      "pooluser",
      "-web=127.0.0.1:0",
      `-output=${this.directory}/image.png`,
      ...options,
    );
    const [, url] = await program.says(/page for a browser: (\S+)\s/);
    return { program, url: url! };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await Deno.remove(this.directory, { recursive: true });
  }
}

const PLACES = ["-asap=127.0.0.1:0", "-enrp=127.0.0.1:0", "-enrpannounce=off"];
