/**
 * A laboratory of four PCs and a switch, in namespaces of the guest: programs that are run on the PCs, and what a capture
 * at the switch shows. For the tests against RSPLIB; needs root, `ip`, `tc`, `tcpdump`, `tshark`, `stdbuf`.
 */
import assert from "node:assert/strict";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import { describeAsap } from "../../protocol/asap/mod.ts";
import type { EnrpMessage } from "../../protocol/enrp/mod.ts";
import { jitter } from "../jitter.ts";
import { LiveCapture, type SeenMessage } from "./live_capture.ts";
import { Program } from "./program.ts";

/** The PCs by the role of the program that runs there. */
export const PCS = { registrar: 1, server: 2, user: 3, secondServer: 4 } as const;
export type Role = keyof typeof PCS;

/** Our programs are started from the sources. */
const DENO = [Deno.execPath(), "run", "--allow-all", "--no-check", "--cached-only", "--quiet"];
/** RSPLIB's programs keep back what they print unless that goes to a terminal. */
const ORIGINAL = ["stdbuf", "-oL", "-eL"];
/** How long something may take to be seen, in milliseconds: a guest is slow, and its machine shared. */
const LIMIT_MS = 120_000;
/** Of a slow cable: at first a burst of packets, then so many bits a second, and room for whatever SCTP has under way. */
const SLOWNESS = ["tbf", "rate", "512kbit", "burst", "16kb", "limit", "4mb"] as const;
/** Of milliseconds, and errors in a row. The least one comes first: it may not be above the others. */
const HASTE = [
  ...[["rto_min", 300], ["rto_initial", 400], ["rto_max", 500]] as const,
  ...[["path_max_retrans", 2], ["association_max_retrans", 4]] as const,
] as const;
/** What a registrar prints when it listens: RSPLIB's does so before it tells its parameters. */
const SERVES = /serves ASAP|^ASAP Parameters:/m;
/**
 * For registrars of either make: where all stands still for some seconds, an element that could not answer meanwhile
 * remains. The interval is no matter for patience: RSPLIB's element ends an association that is idle for 30 s.
 */
export const PATIENT_REGISTRAR = "-endpointkeepalivetimeoutinterval=60000";
/** For RSPLIB's elements: an answer that comes after 3 s is no reason to leave the registrar and look for another one. */
export const PATIENT_ELEMENT = "-registrarresponsetimeout=60000";
/** ASAP messages in the text of an error. */
const QUOTED_MESSAGES = 12;

async function ip(...words: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args: words }).output();
  if (!success) throw new Error(`ip ${words.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Many commands in one namespace; in a guest, it is the start of each program that takes time. */
async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  const child = new Deno.Command("ip", {
    args: ["-n", namespace, "-batch", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`ip -n ${namespace} -batch: ${new TextDecoder().decode(stderr)}`);
}

/** Network, capture and programs of one test. */
export class Lab implements AsyncDisposable {
  readonly #prefix: string;
  readonly #namespaces: string[] = [];
  readonly #programs: Program[] = [];
  #capture: LiveCapture | undefined;

  /** Use {@linkcode Lab.make}. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Builds the network and starts the capture. */
  static async make(prefix: string): Promise<Lab> {
    const lab = new Lab(prefix);
    try {
      await lab.#build();
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    return lab;
  }

  /** Addresses of a role's PC. */
  static addresses(role: Role): readonly [string, string] {
    return [`10.99.0.${PCS[role]}`, `fd99::${PCS[role]}`];
  }

  /** Starts one of our programs on the PC of a role. */
  ours(role: Role, ...words: string[]): Program {
    return this.#start(role, `rsp ${words[0]}`, [...DENO, "cmd/main.ts", ...words]);
  }

  /** Starts a script of the tests on the PC of a role. */
  script(role: Role, file: string, ...words: string[]): Program {
    return this.#start(role, file, [...DENO, `tests/interop/${file}`, ...words]);
  }

  /** Starts an original program on the PC of a role. */
  original(role: Role, ...words: string[]): Program {
    return this.#start(role, words[0]!, [...ORIGINAL, ...words]);
  }

  /** Starts any program on the PC of a role. */
  program(role: Role, ...words: string[]): Program {
    return this.#start(role, words[0]!, words);
  }

  /** Pulls the cable of a role's PC: from one moment to the next nothing comes from there, nor gets there. */
  async pull(role: Role): Promise<void> {
    await ip("-n", this.#name("switch"), "link", "set", `v${PCS[role]}`, "down");
  }

  /** From now on what the PC of a role sends takes its time: 64 kB a second. Nothing gets lost. */
  async slowDown(role: Role): Promise<void> {
    await ip("netns", "exec", this.#name(role), "tc", "qdisc", "add", "dev", "eth0", "root", ...SLOWNESS);
  }

  /**
   * SCTP on a role's PC finds a peer that is cut off dead after 2 s, in the place of minutes: a setting of the kernel for
   * all programs there that do not set it themselves.
   */
  async hurry(role: Role): Promise<void> {
    const settings = HASTE.map(([name, value]) => `net.sctp.${name}=${value}`);
    const words = ["netns", "exec", this.#name(role), "sysctl", "-qw", ...settings];
    await ip(...words);
  }

  /** Messages on the network so far. */
  get messages(): readonly SeenMessage[] {
    return this.#capture?.messages ?? [];
  }

  /**
   * Waits until so many messages were on the network that match.
   *
   * @param what what is waited for, for the text of the error
   * @param options `from`: how many of the first messages do not count
   * @returns the last of them
   */
  async sees(
    what: string,
    matches: (message: SeenMessage) => boolean,
    options: { readonly count?: number; readonly from?: number; readonly limitMs?: number } = {},
  ): Promise<SeenMessage> {
    const limitMs = options.limitMs ?? LIMIT_MS;
    const found = await this.#capture?.sees(matches, { ...options, limitMs });
    if (found !== undefined) {
      await jitter();
      return found;
    }
    const last = this.messages.filter(({ asap }) => asap !== undefined).slice(-QUOTED_MESSAGES);
    const asap = last.map(({ source, asap }) => `${source}: ${describeAsap(asap!)}`).join("\n");
    throw new Error(
      `Not seen within ${limitMs} ms: ${what}\n--- last ASAP messages\n${asap}\n${this.quote()}`,
    );
  }

  /** What all programs have said, for the text of an error. */
  quote(): string {
    return this.#programs.map((program) => `--- ${program.quote()}`).join("\n");
  }

  /** Waits for so many ASAP messages of a type from the PC of a role. @returns the last of them */
  async seesAsap<Type extends AsapMessage["type"]>(
    type: Type,
    sender: Role,
    options: {
      readonly matches?: (message: Extract<AsapMessage, { type: Type }>, seen: SeenMessage) => boolean;
      readonly count?: number;
      readonly from?: number;
    } = {},
  ): Promise<Extract<AsapMessage, { type: Type }>> {
    type Wanted = Extract<AsapMessage, { type: Type }>;
    const { matches = () => true, ...rest } = options;
    const addresses = Lab.addresses(sender);
    const { asap } = await this.sees(
      `${rest.count ?? 1} ASAP ${type} of ${sender}`,
      (seen) =>
        seen.asap?.type === type && addresses.includes(seen.source) && matches(seen.asap as Wanted, seen),
      rest,
    );
    return asap as Wanted;
  }

  /** Waits for so many ENRP messages of a type from the PC of one role to that of another. @returns the last of them */
  async seesEnrp<Type extends EnrpMessage["type"]>(
    type: Type,
    sender: Role,
    receiver: Role,
    options: {
      readonly matches?: (message: Extract<EnrpMessage, { type: Type }>) => boolean;
      readonly count?: number;
      readonly from?: number;
      readonly limitMs?: number;
    } = {},
  ): Promise<Extract<EnrpMessage, { type: Type }>> {
    type Wanted = Extract<EnrpMessage, { type: Type }>;
    const { matches = () => true, ...rest } = options;
    const senders = Lab.addresses(sender), receivers = Lab.addresses(receiver);
    const { enrp } = await this.sees(
      `${rest.count ?? 1} ENRP ${type} of ${sender} to ${receiver}`,
      (seen) =>
        seen.enrp?.type === type && senders.includes(seen.source) && receivers.includes(seen.destination) &&
        matches(seen.enrp as Wanted),
      rest,
    );
    return enrp as Wanted;
  }

  /** Ends the capture. @returns the pcap file's octets */
  async endCapture(): Promise<Uint8Array> {
    return await this.#capture?.end() ?? new Uint8Array(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await this.endCapture();
    for (const name of this.#namespaces.splice(0)) await ip("netns", "del", name);
  }

  #start(role: Role, name: string, command: readonly string[]): Program {
    const words = ["ip", "netns", "exec", this.#name(role), ...command];
    const program = new Program(`${name} (${role})`, words);
    this.#programs.push(program);
    return program;
  }

  #name(place: string): string {
    return `${this.#prefix}-${place}`;
  }

  async #addNamespace(place: string): Promise<string> {
    const name = this.#name(place);
    await ip("netns", "add", name);
    this.#namespaces.push(name);
    return name;
  }

  async #build(): Promise<void> {
    const hub = await this.#addNamespace("switch");
    const places = Object.keys(PCS) as Role[];
    for (const role of places) await this.#addNamespace(role);
    await ipBatch(hub, [
      "link add br0 type bridge mcast_snooping 0",
      "link set br0 up",
      ...places.flatMap((role) => [
        `link add v${PCS[role]} type veth peer name eth0 netns ${this.#name(role)}`,
        `link set v${PCS[role]} master br0 up`,
      ]),
    ]);
    for (const role of places) {
      const [ipv4, ipv6] = Lab.addresses(role);
      await ipBatch(this.#name(role), [
        "link set lo up",
        `addr add ${ipv4}/24 dev eth0`,
        `addr add ${ipv6}/64 dev eth0 nodad`,
        // Else the kernel hands several packets down as one, which is cut up on real cables only.
        "link set eth0 gso_max_size 1500",
        "link set eth0 up",
        "route add 224.0.0.0/4 dev eth0",
      ]);
    }
    this.#capture = await LiveCapture.start(hub, "br0");
  }
}

/**
 * Waits until a registrar listens, ours or RSPLIB's. RSPLIB's element that is refused tries again only when it would have
 * registered again.
 */
export async function serving(registrar: Program): Promise<Program> {
  await registrar.says(SERVES);
  return registrar;
}

/** What tshark has to say against packets of some addresses: a line for each, or none. */
export async function complaints(pcapFile: string, addresses: readonly string[]): Promise<string[]> {
  return await faults(pcapFile, sentBy(addresses));
}

/** A display filter for packets of some addresses. */
export function sentBy(addresses: readonly string[]): string {
  return addresses.map((address) => `${address.includes(":") ? "ipv6" : "ip"}.src == ${address}`).join(
    " or ",
  );
}

/**
 * Text has no payload protocol. tshark would go by the ports then, of which chance may choose one that it knows: at 36412 a
 * greeting is a broken message of a telephone network.
 */
const PLAIN_DATA = ["-d", "sctp.ppi==0,data"] as const;
/**
 * What tshark warns of, but is no fault of who sent it: an acknowledgement was under way when a time-out sent its data again,
 * since the machine stood still; many others arrived while a lost packet waits for its time-out.
 */
const NO_FAULT = ["sctp.retransmitted_after_ack", "sctp.sack_number_of_tsns_gap_acked.100"] as const;
const FAULTY = `(_ws.malformed or (_ws.expert.severity >= "Warning" and ${
  NO_FAULT.map((one) => `not ${one}`).join(" and ")
}))`;

/** What tshark has to say against packets of a display filter: a line for each, or none. */
export async function faults(pcapFile: string, filter: string): Promise<string[]> {
  const { stdout, success, stderr } = await new Deno.Command("tshark", {
    args: ["-r", pcapFile, ...PLAIN_DATA, "-Y", `${FAULTY} and (${filter})`],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).split("\n").filter((line) => line.length > 0);
}
