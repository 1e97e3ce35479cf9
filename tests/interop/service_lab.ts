/**
 * Services on the stage of the laboratory: a registrar, a pool user, a server that serves the user until it dies, and a
 * server of the other make that takes its place.
 */
import assert from "node:assert/strict";
import { Ppid } from "../../protocol/net.ts";
import { jitter } from "../jitter.ts";
import type { SeenMessage } from "./live_capture.ts";
import type { Program } from "./program.ts";
import { readPcap } from "../pcap.ts";
import { faults, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, sentBy, serving } from "./rsplib_lab.ts";

/** Who made a program. */
export type Make = "ours" | "original";
/** For the names of tests. */
export const MAKER: Readonly<Record<Make, string>> = { ours: "ours", original: "RSPLIB's" };

/** The make of each program on stage. */
export type Cast = Readonly<Record<Role, Make>>;

/** How a server is lost: its program is killed, or its cable is pulled. */
export type Loss = "killed" | "cut off";

/** A service, and what there is to see of it. */
export interface Scene {
  /** The option that starts its servers. */
  readonly service: string;
  /** What it is about when it needs one server only; else the second one takes the place of the first. */
  readonly plot?: string;
  /** Options of the servers, by what part they play and who has made them. */
  readonly serverOptions?: (role: Server, folder: string, make: Make) => readonly string[];
  /** Options of the registrar. */
  readonly registrarOptions?: readonly string[];
  /** The command line of a pool user, from the first on; the options for finding the registrar are added. */
  readonly user: (make: Make, folder: string, nth: number) => Promise<readonly string[]> | readonly string[];
  /** Its users are programs that run ours. */
  readonly userIsProgram?: boolean;
  /** Its users do not look themselves whether their server is still there: they wait until SCTP gives it up. */
  readonly trustsSctp?: boolean;
  /** The first server has a slow cable: what it serves takes long enough for it to be lost meanwhile. */
  readonly isSlow?: boolean;
  /** From the start of the first user, for whom the first server is chosen, on. */
  play(stage: Stage): Promise<void>;
}

/** IDs of the servers that take each other's place: users name them. */
const ELEMENT_ID = { server: "0x11111111", secondServer: "0x22222222" } as const;
/** A server's part. */
export type Server = keyof typeof ELEMENT_ID;

/** RSPLIB's registrar announces itself only after 5 s, but serves from the start whoever knows where it is. */
const REGISTRAR = `${Lab.addresses("registrar")[0]}:3863`;
/** The caller's folder for the captures. */
const KEEP = Deno.env.get("RSP_CAPTURES");
const PCAP_HEADER_BYTES = 24;
/** RSPLIB's programs end at once or, as its scripting server with sessions, not at all; in milliseconds. */
export const PATIENCE_WITH_ORIGINALS_MS = 2000;

/** A scene, who plays it, and what happens to the first server when it is to be lost. */
export interface Play {
  readonly scene: Scene;
  readonly cast: Cast;
  readonly loss?: Loss;
}

/** What was captured of plays, until tshark judges all of them in one go: it takes long to start. */
export class Review {
  readonly #captures: Uint8Array[] = [];
  /** For each play, which frames of all captures together are ours. */
  readonly #ours: string[] = [];
  #frames = 0;

  /** Takes the capture of a play. */
  async take(cast: Cast, capture: Uint8Array, name: string): Promise<void> {
    if (KEEP !== undefined) await Deno.writeFile(`${KEEP}/services-${name}.pcap`, capture);
    this.#captures.push(this.#captures.length === 0 ? capture : capture.subarray(PCAP_HEADER_BYTES));
    const roles = (Object.keys(cast) as Role[]).filter((role) => cast[role] === "ours");
    const from = sentBy(roles.flatMap((role) => Lab.addresses(role)));
    const first = this.#frames + 1;
    this.#frames += readPcap(capture).length; // tcpdump was told to keep nothing but packets of IP
    this.#ours.push(`(frame.number >= ${first} and frame.number <= ${this.#frames} and (${from}))`);
  }

  /** tshark's complaints about what our programs sent. */
  async complaints(): Promise<string[]> {
    const file = await Deno.makeTempFile({ suffix: ".pcap" });
    try {
      await Deno.writeFile(file, ReadableStream.from(this.#captures));
      return await faults(file, this.#ours.join(" or "));
    } finally {
      await Deno.remove(file);
    }
  }
}

/** See the module's description. */
export class Stage {
  readonly lab: Lab;
  readonly cast: Cast;
  readonly folder: string;
  readonly #scene: Scene;
  readonly #loss: Loss | undefined;
  readonly #users: Program[] = [];
  readonly #programs: Partial<Record<Role, Program>> = {};

  /** Use {@linkcode enact}. */
  constructor(lab: Lab, { scene, cast, loss }: Play, folder: string) {
    this.lab = lab;
    this.cast = cast;
    this.folder = folder;
    this.#scene = scene;
    this.#loss = loss;
  }

  /** A registrar or server that was started. */
  program(role: Exclude<Role, "user">): Program {
    const program = this.#programs[role];
    assert.ok(program !== undefined, `${role} is on stage`);
    return program;
  }

  /** The first pool user. */
  get user(): Program {
    const [user] = this.#users;
    assert.ok(user !== undefined, "a user is on stage");
    return user;
  }

  /** Starts the registrar, and waits until it takes registrations. */
  async startRegistrar(): Promise<void> {
    const ours = this.cast.registrar === "ours";
    this.#programs.registrar = this.#start("registrar", [
      ours ? "registrar" : "rspregistrar",
      `-asap=${REGISTRAR}`,
      PATIENT_REGISTRAR,
      ...this.#scene.registrarOptions ?? [],
    ]);
    await serving(this.program("registrar"));
  }

  /** Starts a server, and waits until it is registered. */
  async startServer(role: Server): Promise<void> {
    const { service, plot, serverOptions } = this.#scene;
    const program = this.cast[role] === "ours" ? "server" : "rspserver";
    this.#programs[role] = this.#start(role, [
      ...[program, `-${service}`, `-registrar=${REGISTRAR}`],
      ...this.cast[role] === "original" ? [PATIENT_ELEMENT] : [],
      ...plot === undefined ? [`-identifier=${ELEMENT_ID[role]}`] : [],
      ...serverOptions?.(role, this.folder, this.cast[role]) ?? [],
    ]);
    await this.lab.seesAsap("registrationResponse", "registrar", {
      matches: ({ rejected }, { destination }) => !rejected && Lab.addresses(role).includes(destination),
    });
  }

  /** Starts a pool user, or one more. */
  async startUser(): Promise<Program> {
    const { user } = this.#scene;
    const words = await user(this.cast.user, this.folder, this.#users.length + 1);
    const line = [...words, `-registrar=${REGISTRAR}`];
    const program = this.#scene.userIsProgram === true
      ? this.lab.program("user", ...line)
      : this.#start("user", line);
    this.#users.push(program);
    return program;
  }

  /** The first server stands still: its kernel goes on, but nothing is answered any more. */
  stopServer(): void {
    this.program("server").signal("SIGSTOP");
  }

  /** The first server is lost. @returns how many messages there were until then */
  async loseServer(): Promise<number> {
    const from = this.lab.messages.length;
    if (this.#loss === "cut off") await this.lab.pull("server");
    else {
      this.program("server").signal("SIGKILL");
      await this.program("server").gone; // the job of a scripting server goes on without it, and has its output open
    }
    await jitter();
    return from;
  }

  /** Waits for so many messages of the service from a server to the user. @returns the last of them */
  async serves(
    server: Server,
    matches: (message: SeenMessage) => boolean = () => true,
    options: { readonly count?: number; readonly from?: number; readonly limitMs?: number } = {},
  ): Promise<SeenMessage> {
    return await this.lab.sees(
      `${options.count ?? 1} messages of the ${server}`,
      (seen) => isServiceMessage(seen, server, "user") && matches(seen),
      options,
    );
  }

  /** Waits for so many messages of the service from the user to a server. @returns the last of them */
  async asks(
    server: Server,
    matches: (message: SeenMessage) => boolean = () => true,
    options: { readonly count?: number; readonly from?: number; readonly limitMs?: number } = {},
  ): Promise<SeenMessage> {
    return await this.lab.sees(
      `${options.count ?? 1} messages to the ${server}`,
      (seen) => isServiceMessage(seen, "user", server) && matches(seen),
      options,
    );
  }

  /** Ends what still runs: each of our programs says good-bye and ends with 0. */
  async end(): Promise<void> {
    if (this.#loss !== undefined) await this.program("server").kill(); // one that is cut off cannot say good-bye
    const users = this.#users.map((user) => ["user", user] as const);
    const others = (["secondServer", "server", "registrar"] as const).map((role) =>
      [role, this.#programs[role]] as const
    );
    for (const [role, program] of [...users, ...others]) {
      if (program?.isRunning !== true) continue;
      const isOurs = this.cast[role] === "ours";
      const code = await program.interrupt(isOurs ? undefined : PATIENCE_WITH_ORIGINALS_MS);
      if (!isOurs) continue;
      assert.equal(code, 0, `${program.name} ended with ${code ?? "force"}. ${program.quote()}`);
    }
  }

  #start(role: Role, words: readonly string[]): Program {
    return this.cast[role] === "ours" ? this.lab.ours(role, ...words) : this.lab.original(role, ...words);
  }
}

/**
 * Plays; afterwards all programs end in order.
 *
 * @param review takes what was captured
 */
export async function enact(play: Play, review: Review): Promise<void> {
  const { scene, cast, loss } = play;
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`services-${Deno.pid}`);
    if (loss === "cut off" && scene.trustsSctp === true) await lab.hurry("user");
    if (scene.isSlow === true) await lab.slowDown("server");
    const stage = new Stage(lab, play, folder);
    await stage.startRegistrar();
    await stage.startServer("server");
    if (scene.plot === undefined) await stage.startServer("secondServer");
    await stage.startUser();
    await scene.play(stage);
    await stage.end();
    const makes = Object.values(cast).map((make) => make === "ours" ? "o" : "r").join("");
    await review.take(
      cast,
      await lab.endCapture(),
      [scene.service, scene.plot ?? loss, makes].join("-").replaceAll(" ", "-"),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function isServiceMessage({ ppid, source, destination }: SeenMessage, sender: Role, receiver: Role): boolean {
  return ppid !== Ppid.asap && ppid !== Ppid.enrp && Lab.addresses(sender).includes(source) &&
    Lab.addresses(receiver).includes(destination);
}
