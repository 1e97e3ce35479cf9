import assert from "node:assert/strict";
import { AsapType, readAsap, writeAsap } from "../../../protocol/asap/mod.ts";
import { readEnrp, writeEnrp } from "../../../protocol/enrp/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import type { AssociationId, TransportEvent } from "../../../protocol/net.ts";
import type { TransportParameter } from "../../../protocol/param/transport.ts";
import { Registrar } from "../../../protocol/registrar/mod.ts";
import type { RegistrarEffect, RegistrarInput } from "../../../protocol/registrar/mod.ts";
import { RFC_SAMPLES as ASAP_RFC, RSPLIB_SAMPLES as ASAP_RSPLIB } from "../asap/samples.ts";
import { RFC_SAMPLES as ENRP_RFC, RSPLIB_SAMPLES as ENRP_RSPLIB } from "../enrp/samples.ts";
import { fromHex } from "../param/codec_checks.ts";
import { element, REGISTRAR_ID } from "./harness.ts";

/**
 * A whole registrar against users, elements and registrars that say anything: mutated messages, right ones with wrong
 * identifiers, associations that come, go, restart and do not take answers, at any time. The registrar must not throw,
 * has to keep its structures in order and its limits, says only what can be read, and answers little for what it is told.
 */

const LIMITS = { maxAssociations: 40, maxPools: 20, maxElements: 60, maxPeers: 8 };

/** Effects that one input, or one tick, may have at most: no input makes a flood. */
const MAX_EFFECTS = 4000;

/** Transports that nobody uses, some of them long; each is of a pool of its own. */
const RARE_TRANSPORTS: readonly TransportParameter[] = [
  { protocol: "dccp", port: 7, use: "data", serviceCode: 1, addresses: ["10.6.6.6"] },
  ...[4, 1024, 1025, 32_000, 65_480].map((length) => {
    return {
      protocol: "opaque",
      port: 0,
      use: "data",
      addresses: [],
      value: new Uint8Array(length),
    } as const;
  }),
];

const ASAP_SAMPLES = [
  ...[...ASAP_RSPLIB, ...ASAP_RFC].map(({ hex }) => fromHex(hex)),
  ...RARE_TRANSPORTS.flatMap((userTransport, index) => {
    const poolHandle = Uint8Array.of(0xee, index);
    return [
      writeAsap({ type: "registration", poolHandle, element: element(1, { userTransport }) }),
      writeAsap({ type: "handleResolution", poolHandle, items: 128 }),
    ];
  }),
];
const ENRP_SAMPLES = [
  ...[...ENRP_RSPLIB, ...ENRP_RFC].map(({ hex }) => fromHex(hex)),
  ...RARE_TRANSPORTS.map((userTransport, index) => {
    return writeEnrp({
      type: "handleUpdate",
      senderId: 0x3333,
      receiverId: 0,
      action: "add",
      poolHandle: Uint8Array.of(0xee, index),
      element: element(1, { homeRegistrarId: 0x3333, userTransport }),
    });
  }),
];

/** Registrars that messages may speak of; ours is among them, since others may say anything. */
const REGISTRAR_IDS = [REGISTRAR_ID, 0x3333, 0x1111, 0xe7bbf4ba, 0x7777, 0];

interface Association {
  readonly association: AssociationId;
  readonly endpoint: "asap" | "enrp";
}

/** What a campaign did. */
export interface FuzzReport {
  readonly associations: number;
  /** Elements that were registered, and those that other registrars told of. */
  readonly elements: number;
  /** Other registrars that are known at the end. */
  readonly peers: number;
}

class Fuzzer {
  readonly #random: Prng;
  readonly registrar: Registrar;
  readonly #up: Association[] = [];
  /** Connects that the registrar waits for. */
  readonly #connects: { readonly endpoint: "asap" | "enrp"; readonly request: number }[] = [];
  #now = 0;
  associations = 0;

  constructor(seed: number) {
    this.#random = new Prng(seed);
    this.registrar = new Registrar({
      ...LIMITS,
      registrarId: REGISTRAR_ID,
      seed,
      takeoverSuggestion: this.#random.chance(0.5),
      mentorDiscoveryTimeoutMs: this.#random.chance(0.5) ? 0 : 5000,
      peers: this.#random.chance(0.5) ? [{ addresses: ["10.9.9.9"], port: 9901 }] : [],
      ...(this.#random.chance(0.3) && { maxResolutionRate: 5, maxUnreachableRate: 5 }),
    });
    for (const endpoint of ["asap", "enrp"]) {
      this.#give({ type: "endpointOpened", endpoint, port: 3863, addresses: ["10.1.1.254"] });
    }
    this.#give({ type: "start" });
  }

  step(): void {
    const random = this.#random, action = random.below(100);
    if (action < 60) this.#message();
    else if (action < 70) this.#comeUp();
    else if (action < 74) this.#event("down");
    else if (action < 77) this.#event(random.chance(0.5) ? "blocked" : "writable");
    else if (action < 78) this.#event("restarted");
    else if (action < 84) this.#answerConnect();
    else if (action < 90) this.#datagram();
    else if (action < 92) this.#roundTrip();
    else this.#pass(random.chance(0.1) ? random.below(20_000) : random.below(300));
  }

  check(): void {
    const { registrar } = this;
    registrar.checkInvariants();
    assert.ok(registrar.handlespace.elementCount <= LIMITS.maxElements);
    assert.ok(registrar.handlespace.poolCount <= LIMITS.maxPools);
    assert.ok(registrar.peers.size <= LIMITS.maxPeers + 1, `${registrar.peers.size} peers`);
  }

  #message(): void {
    const one = this.#up[this.#random.below(this.#up.length)];
    if (one === undefined) return this.#comeUp();
    const asap = this.#random.chance(one.endpoint === "asap" ? 0.97 : 0.03);
    const data = this.#octets(asap);
    const ppid = this.#random.chance(0.98) ? (asap ? 11 : 12) : this.#random.below(40);
    const { association } = one;
    this.#transport(one, {
      type: "message",
      association,
      stream: 0,
      ssn: 0,
      tsn: 0,
      ppid,
      unordered: false,
      data,
    });
  }

  /** A message of ASAP or ENRP: as a sample has it, with other identifiers, or damaged. */
  #octets(asap: boolean): Uint8Array {
    const random = this.#random, samples = asap ? ASAP_SAMPLES : ENRP_SAMPLES;
    const octets = samples[random.below(samples.length)]!.slice();
    const view = new DataView(octets.buffer);
    if (!asap && octets.length >= 12) {
      view.setUint32(4, REGISTRAR_IDS[random.below(REGISTRAR_IDS.length)]!);
      if (random.chance(0.7)) view.setUint32(8, random.chance(0.5) ? REGISTRAR_ID : 0);
      if (octets.length === 16 && random.chance(0.8)) {
        view.setUint32(12, REGISTRAR_IDS[random.below(REGISTRAR_IDS.length)]!);
      }
    }
    if (asap && octets[0] === AsapType.registration && random.chance(0.7)) {
      octets[octets.indexOf(10, 4) + 6] = random.below(32); // the element's identifier
    }
    if (random.chance(0.5)) return octets;
    switch (random.below(4)) {
      case 0:
        return octets.subarray(0, random.below(octets.length + 1));
      case 1:
        return Uint8Array.from([...octets, ...octets]);
      default:
        for (let n = random.below(4); n >= 0; n--) octets[random.below(octets.length)] = random.u32() & 255;
        return octets;
    }
  }

  #comeUp(request?: number, endpoint: "asap" | "enrp" = this.#random.chance(0.6) ? "asap" : "enrp"): void {
    const association = ++this.associations;
    const one = { association, endpoint };
    this.#up.push(one);
    this.#transport(one, {
      type: "up",
      association,
      request,
      peerAddresses: [`10.1.1.${1 + this.#random.below(6)}`, "10.6.6.6"].slice(0, 1 + this.#random.below(2)),
      peerPort: 9901,
      outboundStreams: 10,
      inboundStreams: 10,
    });
  }

  #event(type: "down" | "blocked" | "writable" | "restarted"): void {
    const index = this.#random.below(this.#up.length), one = this.#up[index];
    if (one === undefined) return;
    if (type === "down") this.#down(one);
    else this.#transport(one, { type, association: one.association });
  }

  #down(one: Association): void {
    const index = this.#up.findIndex(({ association }) => association === one.association);
    if (index < 0) return;
    this.#up.splice(index, 1);
    const { association } = one;
    const reason = this.#random.chance(0.5) ? "aborted" : "timeout";
    this.#transport(one, {
      type: "down",
      association,
      request: undefined,
      reason,
      origin: "peer",
      cause: undefined,
    });
  }

  #answerConnect(): void {
    const [connect] = this.#connects.splice(this.#random.below(this.#connects.length), 1);
    if (connect === undefined) return;
    const { endpoint, request } = connect;
    if (this.#random.chance(0.6)) return this.#comeUp(request, endpoint);
    const event = {
      type: "down",
      association: 0,
      request,
      reason: "refused",
      origin: "peer",
      cause: undefined,
    } as const;
    this.#give({ type: "transport", endpoint, event });
  }

  #datagram(): void {
    const channel = this.#random.chance(0.9) ? "enrp-presence" : "asap-announce";
    const source = { address: `10.1.1.${1 + this.#random.below(6)}`, port: 9901 };
    this.#give({ type: "datagram", channel, source, data: this.#octets(false) });
  }

  #roundTrip(): void {
    const association = this.#random.below(this.associations + 2);
    this.#give({ type: "roundTrip", association, roundTripMs: this.#random.below(1000) });
  }

  #pass(ms: number): void {
    const end = this.#now + ms;
    for (let n = 0; n < 1000; n++) {
      const due = this.registrar.nextTimeout();
      if (due === undefined || due > end) break;
      this.#now = Math.max(this.#now, due);
      this.registrar.tick(this.#now);
      this.#drain();
    }
    this.#now = end;
  }

  #transport({ endpoint }: Association, event: TransportEvent): void {
    this.#give({ type: "transport", endpoint, event });
  }

  #give(input: RegistrarInput): void {
    this.registrar.handle(input, this.#now);
    this.#drain();
  }

  #drain(): void {
    const effects = this.registrar.drain();
    assert.ok(effects.length <= MAX_EFFECTS, `${effects.length} effects at once`);
    for (const effect of effects) this.#effect(effect);
  }

  #effect(effect: RegistrarEffect): void {
    if (effect.type === "datagram") {
      if (effect.channel === "asap-announce") readAsap(effect.data);
      else readEnrp(effect.data);
    }
    if (effect.type !== "transport") return;
    const { command } = effect, endpoint = effect.endpoint as "asap" | "enrp";
    if (command.type === "send") {
      if (endpoint === "asap") readAsap(command.data);
      else readEnrp(command.data);
    } else if (command.type === "connect") this.#connects.push({ endpoint, request: command.request });
    else if (command.type === "abort" || command.type === "shutdown") {
      this.#down({ endpoint, association: command.association });
    }
  }
}

/** One seed. @throws when the registrar does what it must not */
export function registrarCampaign(seed: number, inputs: number): FuzzReport {
  const fuzzer = new Fuzzer(seed);
  for (let step = 1; step <= inputs; step++) {
    fuzzer.step();
    if (step % 100 === 0) fuzzer.check();
  }
  fuzzer.check();
  const { registrar, associations } = fuzzer;
  return {
    associations,
    elements: registrar.statistics.registrations + registrar.statistics.updatesReceived,
    peers: registrar.peers.size,
  };
}
