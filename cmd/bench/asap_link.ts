/**
 * One association to a registrar. ASAP's messages have no numbers: an answer belongs to the oldest request of its
 * association that has none yet (reference/rsplib.md §0.4), so a queue of those who wait is all there is to know.
 */
import { AsapType, describeAsap, readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import { addressScope, Ppid, scopeRank } from "../../protocol/net.ts";
import type { AssociationUp, Endpoint, IpAddress, TransportEvent } from "../../protocol/net.ts";
import type { PoolHandle } from "../../protocol/param/mod.ts";
import { DecodeError } from "../../protocol/wire/mod.ts";
import { randomIdentifier } from "../driver/random.ts";
import type { Socket } from "../options.ts";
import type { ElementIds } from "./asap_requests.ts";
import { connect, type ConnectTask, showPeer } from "./connect.ts";
import { RunFailure } from "./party.ts";

/** An answer to a single request may take so long. */
const ANSWER_LIMIT_MS = 5000;

/** Takes an answer, as octets that it may keep. */
type Waiter = (octets: Uint8Array, now: number) => void;

/** See the file's description. Made by {@linkcode openAsapLink}. */
export class AsapLink implements ElementIds {
  readonly endpoint: Endpoint;
  readonly up: AssociationUp;
  readonly #peer: Socket;
  /** Those who wait, oldest first, from `#first` on. */
  #waiters: Waiter[] = [];
  #first = 0;
  readonly #broken = Promise.withResolvers<never>();
  readonly #elementIds = new Set<number>();
  #closing = false;

  constructor(endpoint: Endpoint, up: AssociationUp, peer: Socket) {
    this.endpoint = endpoint;
    this.up = up;
    this.#peer = peer;
    this.#broken.promise.catch(() => {}); // whoever waits for something races it
  }

  /** Rejects with a {@linkcode RunFailure} when the registrar is lost or says what no registrar says. */
  get broken(): Promise<never> {
    return this.#broken.promise;
  }

  /** Where a pool element at this endpoint would be reached. */
  get elementAddresses(): readonly IpAddress[] {
    const overLoopback = this.up.peerAddresses.every((address) => addressScope(address) === "loopback");
    return this.endpoint.addresses.filter((address) => {
      const scope = addressScope(address);
      return scope === "loopback" ? overLoopback : scopeRank(scope) >= scopeRank("site-local");
    });
  }

  join(): number {
    const elementId = randomIdentifier();
    this.#elementIds.add(elementId);
    return elementId;
  }

  leave(elementId: number): void {
    this.#elementIds.delete(elementId);
  }

  /** Sends a request. @param waiter gets the answer */
  request(data: Uint8Array, waiter: Waiter): void {
    this.#waiters.push(waiter);
    this.#send(data);
  }

  /** Sends a request and waits for its answer. @throws {RunFailure} when none comes */
  async ask(message: AsapMessage): Promise<AsapMessage> {
    const answer = Promise.withResolvers<Uint8Array>();
    this.request(writeAsap(message), answer.resolve);
    const limit = setTimeout(() => answer.reject(new RunFailure("does not answer")), ANSWER_LIMIT_MS);
    try {
      return readAsap(await Promise.race([answer.promise, this.broken]));
    } catch (error) {
      if (error instanceof DecodeError) throw new RunFailure(`answers with nonsense: ${error.message}`);
      throw error;
    } finally {
      clearTimeout(limit);
    }
  }

  handle(event: TransportEvent, now: number): void {
    if (event.type === "message" && event.ppid === Ppid.asap) this.#message(event.data, now);
    else if (event.type === "down" && !this.#closing) this.#break(`ended the association (${event.reason})`);
  }

  /** Deregisters what is registered, if there is still somebody to tell, and ends the association in order. */
  async close(poolHandle: PoolHandle): Promise<void> {
    try {
      const leaving = [...this.#elementIds].map((elementId) => ({ elementId, poolHandle }));
      await Promise.all(leaving.map((element) => this.ask({ type: "deregistration", ...element })));
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error; // what broke it is known, or it does not matter any more
    }
    this.#closing = true;
    await this.endpoint.close();
  }

  #message(octets: Uint8Array, now: number): void {
    if (octets[0] === AsapType.endpointKeepAlive) return this.#answerKeepAlive(octets);
    const waiter = this.#waiters[this.#first];
    if (waiter === undefined) return this.#break(`sends what nobody asked for: ${describe(octets)}`);
    if (++this.#first === this.#waiters.length) {
      this.#waiters = [];
      this.#first = 0;
    }
    waiter(octets, now);
  }

  /** Registrars drop elements that do not answer. RSPLIB's names the element, and ours does. */
  #answerKeepAlive(octets: Uint8Array): void {
    let message: AsapMessage;
    try {
      message = readAsap(octets);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#break(`sends a keep-alive that is none: ${error.message}`);
    }
    if (message.type !== "endpointKeepAlive" || message.elementId === undefined) return;
    const { poolHandle, elementId } = message;
    this.#send(writeAsap({ type: "endpointKeepAliveAck", poolHandle, elementId }));
  }

  #send(data: Uint8Array): void {
    this.endpoint.execute({ type: "send", association: this.up.association, data, ppid: Ppid.asap });
  }

  #break(clause: string): void {
    this.#broken.reject(new RunFailure(`${showPeer(this.#peer)} ${clause}`));
  }
}

/** What a message says, for people. */
function describe(octets: Uint8Array): string {
  try {
    return describeAsap(readAsap(octets));
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

/** Sets an association to a registrar up. @throws {RunFailure} */
export async function openAsapLink(task: ConnectTask): Promise<AsapLink> {
  const holder: { link?: AsapLink } = {}, early: TransportEvent[] = [];
  const { endpoint, up } = await connect(task, (event, now) => {
    if (holder.link === undefined) early.push(event);
    else holder.link.handle(event, now);
  });
  const link = holder.link = new AsapLink(endpoint, up, task.peer);
  for (const event of early) link.handle(event, performance.now());
  return link;
}
