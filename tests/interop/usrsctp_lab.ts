/**
 * The embedded stack ("ours") and usrsctp ("theirs"), each in a network namespace of its own: two stacks with raw sockets
 * on one host would abort each other's associations. Two links join them, and each direction can be cut.
 */
import assert from "node:assert/strict";
import { encodeSockaddr } from "../../ffi/sockaddr.ts";
import type { EndpointOptions, IpAddress, TransportCommand, TransportEvent } from "../../protocol/net.ts";
import { ChunkType } from "../../protocol/sctp/chunk.ts";
import { Agent } from "./agent.ts";
import { LATEST } from "./agent_protocol.ts";
import type {
  EmbeddedEvent,
  EmbeddedOrder,
  EmbeddedReport,
  ReceivedMessage,
  SeenChunk,
  UsrsctpFields,
  UsrsctpMessage,
  UsrsctpOption,
  UsrsctpOrder,
  UsrsctpReport,
} from "./agent_protocol.ts";
import { LiveCapture } from "./live_capture.ts";

/** One of the two. */
export type Side = "ours" | "theirs";
/** IP version. */
export type Family = "ipv4" | "ipv6";

const LINKS = [7, 8];
const SIDES = ["ours", "theirs"] as const;
const UDP_PORT = 9899;
/** UDP ports of the embedded stack are those of SCTP and so much. */
const UDP_PORT_OFFSET = 10_000;
/** Nobody's: what is sent there is lost. */
const NOWHERE = "02:00:00:00:00:ff";

/** Addresses of a side on the links: 10.113.7.1, 10.113.8.1; fd13:7::1, fd13:8::1. */
export function addressesOf(side: Side, family: Family): string[] {
  const host = side === "ours" ? 1 : 2;
  return LINKS.map((link) => family === "ipv4" ? `10.113.${link}.${host}` : `fd13:${link}::${host}`);
}

function linkAddress(side: Side, link: number): string {
  return `02:00:00:00:0${link}:0${side === "ours" ? 1 : 2}`;
}

function other(side: Side): Side {
  return side === "ours" ? "theirs" : "ours";
}

/** What the lab needs, how to ask whether it is there, and Debian's package. */
const PROGRAMS = [
  ["ip", "-V", "iproute2"],
  ["tcpdump", "--version", "tcpdump"],
  ["tshark", "--version", "tshark"],
] as const;

/** Why the lab cannot be opened here; undefined = it can. */
export async function whyNoLab(): Promise<string | undefined> {
  if (Deno.uid() !== 0) return "needs root";
  try {
    Deno.dlopen("libusrsctp.so.2", {}).close();
  } catch {
    return "needs libusrsctp.so.2 (Debian: libusrsctp2)";
  }
  for (
    const [program, flag, wanted] of PROGRAMS
  ) {
    const command = new Deno.Command(program, { args: [flag], stdout: "null", stderr: "null" });
    if (
      await command.output().catch(() => undefined) === undefined
    ) return `needs ${program} (Debian: ${wanted})`;
  }
  return undefined;
}

async function ip(namespace: string, ...lines: string[]): Promise<void> {
  const child = new Deno.Command("ip", {
    args: ["-n", namespace, "-batch", "-"],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`ip -batch: ${new TextDecoder().decode(stderr)}`);
}

/** The two namespaces and the links. */
export class UsrsctpNetwork implements AsyncDisposable {
  readonly #name: string;

  /** @param name short, and unlike those of all other tests' */
  constructor(name: string) {
    this.#name = `rspus-${Deno.pid}-${name}`;
  }

  /** The namespace of a side. */
  namespace(side: Side): string {
    return `${this.#name}-${side}`;
  }

  /** Makes it. */
  async make(): Promise<void> {
    for (const side of SIDES) {
      await new Deno.Command("ip", { args: ["netns", "add", this.namespace(side)] }).output();
    }
    const [ours, theirs] = SIDES;
    await ip(
      this.namespace(ours),
      ...LINKS.map((link) =>
        `link add v${link} address ${linkAddress(ours, link)} type veth ` +
        `peer name v${link} address ${linkAddress(theirs, link)} netns ${this.namespace(theirs)}`
      ),
    );
    for (const side of SIDES) {
      await ip(
        this.namespace(side),
        "link set lo up",
        ...LINKS.flatMap((link, i) => [
          `addr add ${addressesOf(side, "ipv4")[i]}/24 dev v${link}`,
          `addr add ${addressesOf(side, "ipv6")[i]}/64 dev v${link} nodad`,
          `link set dev v${link} up`,
        ]),
      );
      await this.mend(side);
    }
  }

  /** Loses all that a side sends from now on. */
  async cut(side: Side): Promise<void> {
    await this.#pointTo(side, () => NOWHERE);
  }

  /** The opposite of `cut`. */
  async mend(side: Side): Promise<void> {
    await this.#pointTo(side, (link) => linkAddress(other(side), link));
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const side of SIDES) {
      await new Deno.Command("ip", { args: ["netns", "del", this.namespace(side)], stderr: "null" }).output();
    }
  }

  async #pointTo(side: Side, target: (link: number) => string): Promise<void> {
    const neighbours = LINKS.flatMap((link, i) =>
      (["ipv4", "ipv6"] as const).map((family) =>
        `neigh replace ${addressesOf(other(side), family)[i]} lladdr ${
          target(link)
        } dev v${link} nud permanent`
      )
    );
    await ip(this.namespace(side), ...neighbours);
  }
}

/** How an association is set up and carried. */
export interface Way {
  readonly client: Side;
  readonly family: Family;
  readonly udp: boolean;
}

/** What an association is set up with. */
export interface Wishes {
  readonly ours?: EndpointOptions;
  /** Options of our endpoint, before the association. */
  readonly ourOptions?: readonly {
    readonly name: string;
    readonly value: Readonly<Record<string, unknown>>;
  }[];
  readonly theirs?: readonly UsrsctpOption[];
  /** Their addresses. Default: any. */
  readonly theirAddresses?: readonly string[];
}

/** SCTP_RTOINFO, SCTP_ASSOCINFO, SCTP_INITMSG, SCTP_PEER_ADDR_PARAMS */
const RTOINFO = 1, ASSOCINFO = 2, INITMSG = 3, PEER_ADDR_PARAMS = 0x0a, REMOTE_UDP_ENCAPS_PORT = 0x24;
/** A message that we send. */
export type EmbeddedMessage = Pick<Extract<EmbeddedOrder, { do: "send" }>, "length" | "fields">;

/** How long usrsctp may say "not yet", in milliseconds. */
const RETRY_LIMIT_MS = 120_000;
/** What is lost is sent again soon: tests wait for it. Of a shutdown that takes five times the longest one we say "timeout". */
const RTO = { initialMs: 200, minMs: 100, maxMs: 10_000 };
/**
 * usrsctp sends again at a time-out only what is out for as long as the round trips want it, and does not start the timer anew
 * when that is nothing: where a side has stood still for more than a third of its largest time-out, what is lost would stay so.
 */
const THEIR_LONGEST_RTO_MS = 60_000;
/** So often that neither a path nor a peer is given up while a side stands still: by default that is a matter of seconds. */
const RETRANSMISSIONS = 100;

/** A structure of numbers, in hexadecimal: each with its width in octets, little endian. */
export function structure(...numbers: readonly (readonly [width: 1 | 2 | 4, value: number])[]): string {
  return numbers.map(([width, value]) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, true);
    return new Uint8Array(view.buffer, 0, width).toHex();
  }).join("");
}

/** `struct sctp_assoc_value` of the only association. */
export function associationValue(value: number): string {
  return structure([4, 0], [4, value]);
}

/** The lab, with both agents in it. */
export class UsrsctpLab implements AsyncDisposable {
  readonly network: UsrsctpNetwork;
  readonly #captures: LiveCapture[] = [];
  ours!: Agent<EmbeddedOrder, EmbeddedReport>;
  theirs!: Agent<UsrsctpOrder, UsrsctpReport>;
  #lastPort = 5100;

  constructor(name: string) {
    this.network = new UsrsctpNetwork(name);
  }

  /** Makes the network and starts the agents. */
  static async open(name: string): Promise<UsrsctpLab> {
    const lab = new UsrsctpLab(name);
    await lab.network.make();
    for (const link of LINKS) {
      lab.#captures.push(await LiveCapture.start(lab.network.namespace("ours"), `v${link}`));
    }
    lab.startOurs();
    lab.startTheirs();
    return lab;
  }

  /** Starts our agent, again after `ours.kill()`. */
  startOurs(): void {
    this.ours = new Agent("The embedded stack", this.network.namespace("ours"), "./embedded_agent.ts");
  }

  /** Starts their agent, again after `theirs.kill()`. */
  startTheirs(): void {
    this.theirs = new Agent("usrsctp", this.network.namespace("theirs"), "./usrsctp_agent.ts", `${UDP_PORT}`);
  }

  /** An association that is not set up yet. */
  prepare(way: Way, wishes: Wishes = {}): Conversation {
    return new Conversation(this, way, wishes, this.#lastPort += 2);
  }

  /** Sets an association up. */
  async associate(way: Way, wishes: Wishes = {}): Promise<Conversation> {
    const conversation = this.prepare(way, wishes);
    await conversation.open("ours", way.client === "theirs");
    await conversation.open("theirs", way.client === "ours");
    await conversation.connect(way.client);
    await conversation.up();
    return conversation;
  }

  /** Ends both agents. @returns what was captured on the links, a pcap file each */
  async end(): Promise<Uint8Array[]> {
    await Promise.all([this.ours.kill(), this.theirs.kill()]);
    return await Promise.all(this.#captures.map((capture) => capture.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.network[Symbol.asyncDispose]();
  }
}

/** One association, and both its ends. */
export class Conversation {
  readonly #lab: UsrsctpLab;
  readonly #wishes: Wishes;
  readonly way: Way;
  /** Our SCTP port; theirs is the next one. */
  readonly port: number;
  /** Endpoint and socket have this name. */
  readonly name: string;

  constructor(lab: UsrsctpLab, way: Way, wishes: Wishes, port: number) {
    this.#lab = lab;
    this.#wishes = wishes;
    this.way = way;
    this.port = port;
    this.name = `a${port}`;
  }

  /** Opens our endpoint or their socket. */
  async open(side: Side, listen: boolean): Promise<void> {
    const { name, port, way: { udp, family } } = this;
    if (side === "ours") {
      const options: EndpointOptions = {
        port,
        listen,
        rto: RTO,
        maxInitRetransmissions: RETRANSMISSIONS,
        associationMaxRetransmissions: RETRANSMISSIONS,
        pathMaxRetransmissions: RETRANSMISSIONS,
        ...this.#wishes.ours,
      };
      await this.ours({ do: "open", endpoint: name, raw: !udp, options });
      for (const option of this.#wishes.ourOptions ?? []) {
        await this.ours({ do: "option", endpoint: name, ...option });
      }
      return;
    }
    const options: UsrsctpOption[] = [
      {
        number: RTOINFO,
        value: structure([4, 0], [4, RTO.initialMs], [4, THEIR_LONGEST_RTO_MS], [4, RTO.minMs]),
      },
      { number: ASSOCINFO, value: structure([4, 0], [4, 0], [4, 0], [4, 0], [2, RETRANSMISSIONS], [2, 0]) },
      { number: INITMSG, value: structure([2, 0], [2, 0], [2, RETRANSMISSIONS], [2, 0]) },
      { number: PEER_ADDR_PARAMS, value: peerAddressParameters("", { maxRetransmissions: RETRANSMISSIONS }) },
      ...this.#wishes.theirs ?? [],
    ];
    if (udp && !listen) options.push({ number: REMOTE_UDP_ENCAPS_PORT, value: encapsulation(family, port) });
    const addresses = this.#wishes.theirAddresses ?? [family === "ipv4" ? "0.0.0.0" : "::"];
    await this.theirs({ do: "open", socket: name, addresses, port: port + 1, options, listen });
  }

  /** Lets a side set the association up. */
  async connect(side: Side): Promise<void> {
    const { name, port, way: { udp, family } } = this, [address = ""] = addressesOf(other(side), family);
    if (side === "theirs") return await this.theirs({ do: "connect", socket: name, address, port });
    await this.execute({
      type: "connect",
      request: port,
      addresses: [address],
      port: port + 1,
      encapsulationPort: udp ? UDP_PORT : 0,
    });
  }

  /** Waits until both sides say that it is established. */
  async up(): Promise<void> {
    await this.event("up");
    await this.notice("ASSOC_CHANGE", ({ state }) => state === 1);
  }

  /** Orders to our side, one right after the other. An error when it refuses one. */
  async ours(...orders: readonly EmbeddedOrder[]): Promise<void> {
    for (const [i, { problem }] of (await this.#lab.ours.orders(orders)).entries()) {
      assert.equal(problem, undefined, JSON.stringify(orders[i]));
    }
  }

  /**
   * An order to usrsctp. An error when it refuses.
   *
   * @param notYet as long as it says so, it is asked again
   */
  async theirs(order: UsrsctpOrder, notYet?: number): Promise<void> {
    for (const deadline = performance.now() + RETRY_LIMIT_MS;;) {
      const { errno } = await this.#lab.theirs.order(order);
      if (errno === notYet && performance.now() < deadline) continue;
      const failures = this.#lab.theirs.take(({ type }) => type === "failed");
      assert.equal(errno, 0, JSON.stringify([order, ...failures]));
      return;
    }
  }

  /** A command to our side; the association need not be given. */
  async execute(command: Unassociated<TransportCommand>): Promise<void> {
    const whole = { association: LATEST, ...command } as TransportCommand;
    await this.ours({ do: "execute", endpoint: this.name, command: whole });
  }

  /** Sets a socket option of theirs. */
  async theirOption(number: number, value: string, notYet?: number): Promise<void> {
    await this.theirs({ do: "option", socket: this.name, option: { number, value } }, notYet);
  }

  /** We send a message. */
  async weSend(length: number, fields: EmbeddedMessage["fields"] = {}): Promise<void> {
    await this.weSendAll([{ length, fields }]);
  }

  /** We send messages, one right after the other. */
  async weSendAll(messages: readonly EmbeddedMessage[]): Promise<void> {
    await this.ours(...messages.map((message) => ({ do: "send", endpoint: this.name, ...message }) as const));
  }

  /** They send a message. */
  async theySend(length: number, message: Omit<UsrsctpMessage, "length"> = {}): Promise<void> {
    await this.theySendAll([{ length, ...message }]);
  }

  /** They send messages, one right after the other. */
  async theySendAll(messages: readonly UsrsctpMessage[]): Promise<void> {
    const orders = messages.map((message) => ({ do: "send", socket: this.name, ...message }) as const);
    for (const [i, { errno }] of (await this.#lab.theirs.orders(orders)).entries()) {
      assert.equal(errno, 0, JSON.stringify(orders[i]));
    }
  }

  /** Waits for an event of our side. */
  async event<Type extends TransportEvent["type"]>(
    type: Type,
    matches: (event: EmbeddedEvent<Type>) => boolean = () => true,
  ): Promise<EmbeddedEvent<Type>> {
    const report = await this.#lab.ours.sees(
      (one) =>
        one.type === "event" && one.endpoint === this.name && one.event.type === type &&
        matches(one.event as unknown as EmbeddedEvent<Type>),
      `${type} of ${this.name}`,
    );
    return (report as { event: unknown }).event as EmbeddedEvent<Type>;
  }

  /** Waits for a notification of theirs. */
  async notice(
    name: string,
    matches: (fields: UsrsctpFields) => boolean = () => true,
  ): Promise<UsrsctpFields> {
    const report = await this.#lab.theirs.sees(
      (one): one is Extract<UsrsctpReport, { type: "notice" }> =>
        one.type === "notice" && one.socket === this.name && one.name === name && matches(one.fields),
      `${name} of ${this.name}`,
    );
    return report.fields;
  }

  /** Waits for the next message that we get: whole, and as it was sent. */
  async weGet(length: number): Promise<EmbeddedEvent<"message">> {
    const message = await this.event("message");
    assert.deepEqual(
      [message.length, message.same],
      [length, true],
      "length of the next message, its octets",
    );
    return message;
  }

  /** Waits for the next message that they get: whole, and as it was sent. */
  async theyGet(length: number): Promise<ReceivedMessage> {
    const message = await this.#lab.theirs.sees(
      (one): one is Extract<UsrsctpReport, { type: "message" }> =>
        one.type === "message" && one.socket === this.name,
      `a message of ${this.name}`,
    );
    assert.deepEqual(
      [message.length, message.same],
      [length, true],
      "length of the next message, its octets",
    );
    return message;
  }

  /** A message each way. */
  async exchange(length: number, stream = 0): Promise<void> {
    await this.weSend(length, { stream });
    assert.equal((await this.theyGet(length)).stream, stream);
    await this.theySend(length + 1, { stream });
    assert.equal((await this.weGet(length + 1)).stream, stream);
  }

  /** Chunks that passed since the last call. */
  async chunks(): Promise<readonly SeenChunk[]> {
    await this.ours({ do: "chunks", endpoint: this.name });
    const report = await this.#lab.ours.sees(
      (one): one is Extract<EmbeddedReport, { type: "chunks" }> =>
        one.type === "chunks" && one.endpoint === this.name,
      "chunks",
    );
    return report.chunks;
  }

  /**
   * Waits until neither side has anything to say: what was sent is acknowledged, also by delayed SACKs. What was not asked
   * for by `chunks` yet has to have DATA both ways. For a side that is about to lose its memory: a last packet could meet
   * its new life before that has set anything up, and be answered by ABORT.
   */
  async quiet(): Promise<void> {
    const deadline = performance.now() + RETRY_LIMIT_MS, seen: SeenChunk[] = [];
    for (;;) {
      seen.push(...await this.chunks());
      if (allAnswered(seen, "sent", "received") && allAnswered(seen, "received", "sent")) return;
      assert.ok(performance.now() < deadline, `something stays without an answer: ${JSON.stringify(seen)}`);
    }
  }

  /** What we know of it. */
  // deno-lint-ignore no-explicit-any
  async status(): Promise<any> {
    await this.ours({ do: "status", endpoint: this.name });
    const report = await this.#lab.ours.sees(
      (one): one is Extract<EmbeddedReport, { type: "status" }> =>
        one.type === "status" && one.endpoint === this.name,
      "the status",
    );
    return report.status;
  }

  /** Shuts it down, and checks that nothing was left over. */
  async end(by: Side = "ours"): Promise<void> {
    if (by === "ours") await this.execute({ type: "shutdown" });
    else await this.theirs({ do: "shutdown", socket: this.name });
    assert.equal((await this.event("down")).reason, "shutdown");
    await this.notice("ASSOC_CHANGE", ({ state }) => state === 4);
    const messages = [
      ...this.#lab.ours.take((one) =>
        one.type === "event" && one.endpoint === this.name && one.event.type === "message"
      ),
      ...this.#lab.theirs.take((one) => one.type === "message" && one.socket === this.name),
    ];
    assert.deepEqual(messages, [], "messages that nobody expected");
    await this.ours({ do: "close", endpoint: this.name });
    await this.theirs({ do: "close", socket: this.name });
  }
}

/** `struct sctp_paddrparams` of an address of the only association, or of all that are to come. */
export function peerAddressParameters(
  address: IpAddress | "",
  { flags = 0, maxRetransmissions = 0 }: { readonly flags?: number; readonly maxRetransmissions?: number },
): string {
  const numbers = structure([4, 0], [4, 0], [4, 0], [4, flags], [4, 0], [2, maxRetransmissions], [1, 0], [
    1,
    0,
  ]);
  return (address === "" ? "".padEnd(256, "0") : sockaddrStorage(address)) + numbers;
}

/** `struct sockaddr_storage` */
export function sockaddrStorage(address: IpAddress): string {
  return new Uint8Array(encodeSockaddr({ address, port: 0 })).toHex().padEnd(256, "0");
}

/** Whether there is a SACK behind the last DATA, and an answer for each HEARTBEAT. */
function allAnswered(seen: readonly SeenChunk[], asked: SeenChunk[0], answered: SeenChunk[0]): boolean {
  const last = (direction: SeenChunk[0], ...types: readonly number[]) =>
    seen.findLastIndex(([way, type]) => way === direction && types.includes(type));
  return last(asked, ChunkType.data, ChunkType.iData) < last(answered, ChunkType.sack) &&
    count(seen, asked, ChunkType.heartbeat) <= count(seen, answered, ChunkType.heartbeatAck);
}

/** How many chunks of a type went in a direction. */
export function count(seen: readonly SeenChunk[], direction: SeenChunk[0], type: number): number {
  return seen.filter(([way, one]) => way === direction && one === type).length;
}

/** A command without its association. */
export type Unassociated<Command> = Command extends { readonly association: number }
  ? Omit<Command, "association">
  : Command;

/** `struct sctp_udpencaps` */
function encapsulation(family: Family, port: number): string {
  const view = new DataView(new ArrayBuffer(136));
  view.setUint16(0, family === "ipv6" ? 10 : 2, true);
  view.setUint16(132, port + UDP_PORT_OFFSET);
  return new Uint8Array(view.buffer).toHex();
}
