import type { IpAddress } from "../net.ts";
import { encapsulationPort } from "./encapsulation.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Target } from "./path.ts";

/** Tries without an answer that count as refusal when another candidate was refused outright. */
const SILENT_TRIES = 2;

interface Candidate extends Target {
  readonly kind: number;
  tries: number;
  refused: boolean;
  /** A router says that the host cannot be reached just now. */
  unreachable: boolean;
}

/** Whether something is about a candidate. */
type Matcher = (candidate: Target) => boolean;

/**
 * Where an INIT goes: to all candidates of one kind, plain SCTP or UDP, then to those of the next. Each of them is silent,
 * or has answered by ICMP or ABORT.
 */
export class Candidates {
  readonly #all: readonly Candidate[];
  readonly #toSend: Candidate[] = [];
  /** Candidates of kinds below this one have been tried. */
  #startedKinds = 0;

  /** @param ports the UDP port of each kind, 0 = plain SCTP */
  constructor(endpoint: Endpoint, addresses: readonly IpAddress[], ports: readonly number[]) {
    this.#all = ports.flatMap((port, kind) =>
      addresses.map((address) => ({
        address,
        encapsulationPort: port,
        source: endpoint.route(address)?.source,
        kind,
        tries: 0,
        refused: false,
        unreachable: false,
      }))
    );
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  /** Tries the next kind. @returns whether there is one more */
  startKind(): boolean {
    const kind = this.#startedKinds++;
    this.#sendTo((candidate) => candidate.kind === kind);
    return this.#all.some((candidate) => candidate.kind >= this.#startedKinds);
  }

  /** Tries those of all kinds so far once more. */
  repeat(): void {
    this.#sendTo(({ kind }) => kind < this.#startedKinds);
  }

  #sendTo(matches: (candidate: Candidate) => boolean): void {
    for (const candidate of this.#all) {
      if (!matches(candidate) || candidate.refused || this.#toSend.includes(candidate)) continue;
      this.#toSend.push(candidate);
    }
  }

  /** The next one to be sent to. */
  takeNext(): Target | undefined {
    const candidate = this.#toSend.shift();
    if (candidate !== undefined) candidate.tries++;
    return candidate;
  }

  /** Nothing is to be sent any more. */
  stop(): void {
    this.#toSend.length = 0;
  }

  /** These do not want us, if they were asked. @returns whether that was the last hope */
  refuse(matches: Matcher): boolean {
    for (const candidate of this.#all) candidate.refused ||= candidate.tries > 0 && matches(candidate);
    return this.#all.every((candidate) => candidate.refused);
  }

  /** These cannot be reached. */
  lose(matches: Matcher): void {
    for (const candidate of this.#all) candidate.unreachable ||= matches(candidate);
  }

  /** Whether nothing can be hoped for from the kinds that were tried. */
  get isHopeless(): boolean {
    return this.#all.every(({ kind, refused, unreachable }) =>
      kind >= this.#startedKinds || refused || unreachable
    );
  }

  /** Whether some were refused, and the others have been silent for so long that it counts as refusal. */
  get isRefused(): boolean {
    return this.#all.some(({ refused }) => refused) &&
      this.#all.every(({ refused, tries }) => refused || tries >= SILENT_TRIES);
  }
}

/** The UDP ports to try one after the other, 0 = plain SCTP. @param chosen by the user */
export function candidatePorts(chosen: number | undefined, raw: boolean, peerPort: number): number[] {
  if (chosen !== undefined) return [chosen];
  return raw ? [0, encapsulationPort(peerPort)] : [encapsulationPort(peerPort)];
}
