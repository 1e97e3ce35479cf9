/** What the tests of registrars on the PCs of the laboratory share. */
import assert from "node:assert/strict";
import { faultyPackets } from "./dissect.ts";
import { Lab } from "./lab.ts";
import type { Program } from "./lab.ts";
import { wireMessages } from "./rserpool_wire.ts";
import type { WireMessage } from "./rserpool_wire.ts";

/** On every PC: plain SCTP over IP, as on the course's PCs, or in UDP. */
export type Encapsulation = "raw" | "udp";
/** Shorter than by default, so that a test does not take minutes. */
const TIMES = [
  ...["-peerheartbeatcycle=1000", "-peermaxtimelastheard=2000"],
  ...["-peermaxtimenoresponse=2000", "-takeoverexpiryinterval=3000"],
  "-endpointkeepalivetransmissioninterval=1000",
];
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
  #hasRegistrar = false;

  constructor(lab: Lab, directory: string, encapsulation: Encapsulation) {
    this.lab = lab;
    this.directory = directory;
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
    const words = [`-identifier=0x${registrarId.toString(16)}`, "-loglevel=4", ...TIMES, patience];
    return this.rsp(pc, "registrar", ...words, ...options);
  }

  /** Starts a pool element. */
  server(pc: number, elementId: number, ...options: string[]): Program {
    return this.rsp(pc, "server", "-fractal", `-identifier=0x${elementId.toString(16)}`, ...options);
  }

  /** Draws a small image: a user's whole way from the announce to the last pixel. */
  async draws(pc: number, ...options: string[]): Promise<void> {
    const user = this.user(pc, "-timeout=40", ...options);
    assert.equal(await user.exitCode(), 0, user.output);
  }

  /** Starts a user that draws small images. */
  user(pc: number, ...options: string[]): Program {
    const words = ["-width=64", "-height=64", `-output=${this.directory}/image${pc}.png`];
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
  { name, pcs, encapsulation = "raw" }: {
    readonly name: string;
    readonly pcs: number;
    readonly encapsulation?: Encapsulation;
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
      await scene(new Scene(lab, directory, encapsulation));
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
