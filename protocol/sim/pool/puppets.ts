import { readAsap, writeAsap } from "../../asap/mod.ts";
import type { AsapMessage } from "../../asap/mod.ts";
import { Outbox, TimerQueue } from "../../machine.ts";
import type { Machine } from "../../machine.ts";
import { Ppid } from "../../net.ts";
import type {
  AssociationId,
  EndpointOpened,
  Instant,
  IpAddress,
  NetworkEffect,
  NetworkInput,
  TransportAddress,
  TransportEvent,
} from "../../net.ts";
import type { PolicyParameter } from "../../param/policy.ts";
import type { PoolHandle } from "../../param/pool_handle.ts";

/** After a lost registrar the next one is tried so much later. */
const RETRY_MS = 1000;

/** One element of a puppeteer. */
export interface Puppet {
  readonly elementId: number;
  readonly poolHandle: PoolHandle;
  readonly policy: PolicyParameter;
}

/** What a puppeteer is. */
export interface PuppeteerOptions {
  readonly puppets: readonly Puppet[];
  /** Where registrars are; the first one is the home, the others stand in. */
  readonly registrars: readonly TransportAddress[];
  readonly reregistrationIntervalMs: number;
}

/** What a puppeteer takes. */
export type PuppeteerInput = NetworkInput | EndpointOpened | { readonly type: "start" };

/**
 * Many pool elements in one program, which share one association and do no more than they must: register, register again,
 * answer keep-alives, follow a registrar that takes them over. For worlds of a hundred thousand elements.
 */
export class Puppeteer implements Machine<PuppeteerInput, NetworkEffect> {
  readonly #options: PuppeteerOptions;
  readonly #outbox = new Outbox<NetworkEffect>();
  readonly #timers = new TimerQueue<"connect" | "register">();
  /** Registrations that were confirmed. */
  registeredCount = 0;
  #addresses: readonly IpAddress[] = [];
  #port = 0;
  #home: AssociationId | undefined;
  #turn = 0;
  #lastRequest = 0;
  #nextPuppet = 0;

  /** @param options who they are, and where their registrars */
  constructor(options: PuppeteerOptions) {
    this.#options = options;
  }

  handle(input: PuppeteerInput, now: Instant): void {
    switch (input.type) {
      case "endpointOpened":
        this.#addresses = input.addresses;
        this.#port = input.port;
        return;
      case "start":
        return this.#connect();
      case "transport":
        return this.#event(input.event, now);
      case "datagram":
        return;
    }
  }

  tick(now: Instant): void {
    for (let key = this.#timers.takeDue(now); key !== undefined; key = this.#timers.takeDue(now)) {
      if (key === "connect") this.#connect();
      else this.#registerNext(now);
    }
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  drain(): NetworkEffect[] {
    return this.#outbox.drain();
  }

  #connect(): void {
    if (this.#home !== undefined) return;
    const { registrars } = this.#options;
    const { address, port } = registrars[this.#turn++ % registrars.length]!;
    const request = ++this.#lastRequest;
    this.#execute({ type: "connect", request, addresses: [address], port });
  }

  #event(event: TransportEvent, now: Instant): void {
    switch (event.type) {
      case "up":
        if (event.request === undefined || this.#home !== undefined) return; // a registrar that wants something
        this.#home = event.association;
        for (const puppet of this.#options.puppets) this.#register(puppet);
        return this.#registerLater(now);
      case "down":
        if (event.request !== undefined && this.#home === undefined) {
          this.#timers.set("connect", now + RETRY_MS);
        }
        if (event.association !== this.#home) return;
        this.#home = undefined;
        this.#timers.clear("register");
        this.#timers.set("connect", now + RETRY_MS);
        return;
      case "message":
        if (event.ppid === Ppid.asap) this.#message(event.association, readAsap(event.data), now);
        return;
      default:
        return;
    }
  }

  #message(association: AssociationId, message: AsapMessage, now: Instant): void {
    switch (message.type) {
      case "endpointKeepAlive": {
        if (message.home && association !== this.#home) this.#moveTo(association, now);
        const { poolHandle, elementId } = message;
        if (elementId !== undefined) {
          this.#send(association, { type: "endpointKeepAliveAck", poolHandle, elementId });
        }
        return;
      }
      case "registrationResponse":
        if (!message.rejected) this.registeredCount++;
        return;
      default:
        return;
    }
  }

  /** Another registrar is the home from now on (RFC 5352 §3.4). */
  #moveTo(association: AssociationId, now: Instant): void {
    const old = this.#home;
    this.#home = association;
    if (old !== undefined) {
      this.#execute({ type: "abort", association: old, reason: "another registrar took over" });
    }
    this.#timers.clear("connect");
    this.#registerLater(now);
  }

  #registerNext(now: Instant): void {
    const { puppets } = this.#options;
    const puppet = puppets[this.#nextPuppet++ % puppets.length];
    if (puppet !== undefined) this.#register(puppet);
    this.#registerLater(now);
  }

  #registerLater(now: Instant): void {
    const { puppets, reregistrationIntervalMs } = this.#options;
    if (puppets.length > 0) this.#timers.set("register", now + reregistrationIntervalMs / puppets.length);
  }

  #register({ elementId, poolHandle, policy }: Puppet): void {
    if (this.#home === undefined) return;
    const registrationLifeMs = 3 * this.#options.reregistrationIntervalMs;
    const element = {
      elementId,
      homeRegistrarId: 0,
      registrationLifeMs,
      userTransport: { protocol: "sctp", port: this.#port, use: "data+control", addresses: this.#addresses },
      policy,
    } as const;
    this.#send(this.#home, { type: "registration", poolHandle, element });
  }

  #send(association: AssociationId, message: AsapMessage): void {
    this.#execute({ type: "send", association, data: writeAsap(message), ppid: Ppid.asap });
  }

  #execute(command: Extract<NetworkEffect, { type: "transport" }>["command"]): void {
    this.#outbox.push({ type: "transport", endpoint: "hunt", command });
  }
}
