/** What the tests of registrars on the PCs of the laboratory share. */
import assert from "node:assert/strict";
import { faultyPackets } from "./dissect.ts";
import { Lab } from "./lab.ts";
import type { Program } from "./lab.ts";
import { wireMessages } from "./rserpool_wire.ts";
import type { WireMessage } from "./rserpool_wire.ts";
import { addressesOf } from "./sctp_lab.ts";

/** On every PC: plain SCTP over IP, as on the course's PCs, or in UDP. */
export type Encapsulation = "raw" | "udp";
/** Shorter than by default, so that a test does not take minutes; but nobody is thought dead who is only late. */
const TIMES = [
  ...["-peerheartbeatcycle=1000", "-takeoverexpiryinterval=20000"],
  ...["-endpointkeepalivetransmissioninterval=1000", "-endpointkeepalivetimeoutinterval=60000"],
];
/** How long a registrar is not heard until another one misses it, and how long it has to answer then. */
const PATIENT = ["-peermaxtimelastheard=60000", "-peermaxtimenoresponse=60000"];
const VIGILANT = ["-peermaxtimelastheard=2000", "-peermaxtimenoresponse=4000"];
/** An element registers again, by which it would find out that its registrar is dead, when its test is long over. */
export const REGISTRATION_INTERVAL_MS = 600_000;
/** How long a small image may take on a machine that has other things to do; and the program that draws it. */
const DRAWING_LIMIT_S = 150;
export const USER_LIMIT_MS = 200_000;
/** The first registrar is alone. The others wait for a mentor, and a presence may be late, or missed, on a busy machine. */
const ALONE = "-mentordiscoverytimeout=1000", NOT_ALONE = "-mentordiscoverytimeout=40000";
/** Where the recordings go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");

/** A laboratory in which a scene is played. */
export class Scene {
  readonly lab: Lab;
  /** For images. */
  readonly directory: string;
  readonly #native: readonly string[];
  readonly #watch: readonly string[];
  #hasRegistrar = false;

  /** @param hasDeath whether its registrars have to miss one that dies */
  constructor(lab: Lab, directory: string, encapsulation: Encapsulation, hasDeath: boolean) {
    this.lab = lab;
    this.directory = directory;
    this.#watch = hasDeath ? VIGILANT : PATIENT;
    this.#native = ["-transport=embedded", `-encapsulation=${encapsulation}`];
  }

  /** Starts an `rsp` program on a PC, counted from 1. */
  rsp(pc: number, ...words: string[]): Program {
    return this.lab.pc(pc).rsp(...words, ...this.#native);
  }

  /** Starts a registrar. */
  registrar(pc: number, registrarId: number, ...options: string[]): Program {
    const patience = this.#hasRegistrar ? NOT_ALONE : ALONE;
    this.#hasRegistrar = true;
    const words = [`-identifier=0x${registrarId.toString(16)}`, "-loglevel=4", ...TIMES, ...this.#watch];
    return this.rsp(pc, "registrar", ...words, patience, ...options);
  }

  /** Starts a pool element. */
  server(pc: number, elementId: number, ...options: string[]): Program {
    return this.rsp(pc, "server", "-fractal", `-identifier=0x${elementId.toString(16)}`, ...options);
  }

  /** Starts a pool element that registers once. */
  steadyServer(pc: number, elementId: number, ...options: string[]): Program {
    return this.server(pc, elementId, `-rereginterval=${REGISTRATION_INTERVAL_MS}`, ...options);
  }

  /** What a PC sends to another one is lost on its way, or arrives again; what it gets from there is not touched. */
  async way(from: number, to: number, state: "lost" | "open"): Promise<void> {
    const verb = state === "lost" ? "add" : "delete";
    const lines = addressesOf(this.lab.pc(to)).map((address) => `ip route ${verb} blackhole ${address}`);
    await this.lab.pc(from).run("sh", "-c", ["set -e", ...lines].join("\n"));
  }

  /** Draws a small image: a user's whole way from the announce to the last pixel. */
  async draws(pc: number, ...options: string[]): Promise<void> {
    const user = this.user(pc, `-timeout=${DRAWING_LIMIT_S}`, ...options);
    assert.equal(await user.exitCode(USER_LIMIT_MS), 0, user.output);
  }

  /** Starts a user that draws small images. */
  user(pc: number, ...options: string[]): Program {
    // An element that is late is not dead.
    const words = [
      "-width=64",
      "-height=64",
      "-recvtimeout=60000",
      `-output=${this.directory}/image${pc}.png`,
    ];
    return this.rsp(pc, "pooluser", "-fractal", ...words, ...options);
  }

  /** A user asks the registrar of a PC for a pool. @returns whether it offers an element */
  async offers(asker: number, registrar: number, pool: string): Promise<boolean> {
    const options = ["-asap=resolve", `-poolhandle=${pool}`, "-elements=0", "-count=1", "-json"];
    const call = this.rsp(asker, "bench", `10.1.0.${registrar}:3863`, ...options);
    assert.equal(await call.exitCode(), 0, call.output);
    const [, refused] = await call.says(/"refused":(\d+)/);
    return refused === "0";
  }
}

/** Waits until it has said something after what it had said before. */
export function saysNext(program: Program, pattern: RegExp): () => Promise<RegExpExecArray> {
  const before = program.output.length;
  return () => program.says(pattern, undefined, before);
}

/** Ctrl+C for each, one after another: each ends in order. */
export async function interruptAll(...programs: Program[]): Promise<void> {
  for (const program of programs) assert.equal(await program.interrupt(), 0, program.output);
}

/** Plays a scene, lets tshark look for faults, and gives what was on the wire to a judge. */
export async function play(
  { name, pcs, encapsulation = "raw", hasDeath = false }: {
    readonly name: string;
    readonly pcs: number;
    readonly encapsulation?: Encapsulation;
    /** Whether a registrar dies. */
    readonly hasDeath?: boolean;
  },
  scene: (scene: Scene) => Promise<void>,
  judge: (wire: Wire, recording: string) => Promise<void> | void,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const recording = `${KEEP ?? directory}/registrar-${name}.pcap`;
    {
      await using lab = await Lab.open(pcs);
      const recorder = await lab.capture(recording);
      await scene(new Scene(lab, directory, encapsulation, hasDeath));
      await recorder.interrupt();
      assert.match(recorder.output, /^0 packets dropped by kernel$/m, recorder.output);
    }
    const [faults, messages] = await Promise.all([faultyPackets(recording), wireMessages(recording)]);
    assert.deepEqual(faults, []);
    await judge(new Wire(messages), recording);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Which PC an address belongs to. */
export function pcOf(address: string): number {
  return Number(/[.:](\d+)$/.exec(address)?.[1]);
}

/** What was on the wire. */
export class Wire {
  readonly messages: readonly WireMessage[];

  constructor(messages: readonly WireMessage[]) {
    this.messages = messages;
  }

  /**
   * The messages of a type that match.
   *
   * @param type `asap.registration` … (see `rserpool_wire.ts`)
   */
  all(type: string, matches: (message: WireMessage) => boolean = () => true): readonly WireMessage[] {
    return this.messages.filter((message) => message.type === type && matches(message));
  }

  /** The first one; it must be there. */
  first(type: string, matches?: (message: WireMessage) => boolean): WireMessage {
    const [message] = this.all(type, matches);
    assert.ok(message !== undefined, `${type} ${matches} among ${new Set(this.messages.map((m) => m.type))}`);
    return message;
  }

  /** These follow each other, with whatever in between. */
  assertOrder(...messages: readonly WireMessage[]): void {
    const places = messages.map((message) => this.messages.indexOf(message));
    assert.deepEqual(places, places.toSorted((a, b) => a - b), messages.map(({ type }) => type).join(", "));
  }
}
