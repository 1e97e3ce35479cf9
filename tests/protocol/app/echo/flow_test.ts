/** An echo service on the embedded stack, over a simulated network: users that send and do not read. */
import assert from "node:assert/strict";
import { ApplicationMachine } from "../../../../protocol/app/application.ts";
import { EchoServer } from "../../../../protocol/app/echo/server.ts";
import type { EchoReport } from "../../../../protocol/app/echo/server.ts";
import { REPLY_RECEIVE_BUFFER, REPLY_SEND_BUFFER } from "../../../../protocol/app/reply_flow.ts";
import type { Endpoint, TransportEvent } from "../../../../protocol/net.ts";
import { ServiceHost } from "../../../../protocol/session/mod.ts";
import { SimulatedNetwork } from "../../../../protocol/sim/network.ts";
import { encodeText } from "../../../../protocol/wire/text.ts";
import { hmacSha256 } from "../../sim/mac.ts";

/** What the user would like to have echoed: many times what anybody may keep. */
const TOTAL = 8 * 1024 * 1024;
const USER_BUFFER = 64 * 1024;
/** How long it may take, in virtual milliseconds. */
const LIMIT_MS = 120_000;

class EchoLab {
  readonly network: SimulatedNetwork = new SimulatedNetwork({ seed: 1, mac: hmacSha256 });
  readonly machine: ApplicationMachine<never, never, EchoReport>;
  /** Octets that the service has answered. */
  echoed = 0;
  readonly givenUp: string[] = [];
  readonly #serverEndpoint: Endpoint;
  readonly #user: Endpoint;
  readonly #messageLength: number;
  #association = 0;
  #sent = 0;
  #blocked = false;
  /** Octets that came back. */
  received = 0;
  /** Of these the user has read so many. */
  #read = 0;
  reading = false;
  down: TransportEvent | undefined;

  constructor(messageLength: number) {
    this.#messageLength = messageLength;
    const segment = this.network.addSegment();
    const serverHost = this.network.addHost([segment]), userHost = this.network.addHost([segment]);
    const host = new ServiceHost({
      elementId: 1,
      poolHandle: encodeText("EchoPool"),
      policy: { name: "RoundRobin", type: 1 },
      seed: 1,
      manualReceive: true,
    });
    this.machine = new ApplicationMachine(host, (outlet) => new EchoServer(outlet));
    const options = {
      port: 7,
      listen: true,
      manualReceive: true,
      receiveBuffer: REPLY_RECEIVE_BUFFER,
      sendBuffer: REPLY_SEND_BUFFER,
    };
    this.#serverEndpoint = serverHost.open(options, (events) => {
      for (const event of events) {
        this.machine.handle({ type: "transport", endpoint: "data", event }, this.network.now);
      }
      this.#serve();
    });
    const { port, addresses } = this.#serverEndpoint;
    this.machine.handle({ type: "endpointOpened", endpoint: "data", port, addresses }, 0);
    this.machine.handle({ type: "start" }, 0);
    this.#user = userHost.open({ manualReceive: true, receiveBuffer: USER_BUFFER }, (events) => {
      for (const event of events) this.#userEvent(event);
    });
    this.#user.execute({ type: "connect", request: 1, addresses: serverHost.addresses, port: 7 });
  }

  /** Lets time pass until something is so. Bounded by the virtual time. */
  until(condition: () => boolean, limitMs = LIMIT_MS): boolean {
    for (const end = this.network.now + limitMs; this.network.now < end && !condition();) {
      this.network.run(100);
      this.machine.tick(this.network.now);
      this.#serve();
      this.#talk();
    }
    return condition();
  }

  #serve(): void {
    for (const effect of this.machine.drain()) {
      if (effect.type === "transport" && effect.endpoint === "data") {
        this.#serverEndpoint.execute(effect.command);
      } else if (effect.type === "report" && effect.report.type === "echoed") {
        this.echoed += effect.report.lengthBytes;
      } else if (effect.type === "report" && effect.report.type === "sessionGivenUp") {
        this.givenUp.push(effect.report.reason);
      }
    }
  }

  #userEvent(event: TransportEvent): void {
    if (event.type === "up") this.#association = event.association;
    else if (event.type === "message") this.received += event.data.length;
    else if (event.type === "blocked") this.#blocked = true;
    else if (event.type === "writable") this.#blocked = false;
    else if (event.type === "down") this.down = event;
  }

  #talk(): void {
    const association = this.#association;
    if (association === 0 || this.down !== undefined) return;
    for (let count = 0; count < 1000 && !this.#blocked && this.#sent < TOTAL; count++) {
      const data = new Uint8Array(this.#messageLength);
      this.#user.execute({ type: "send", association, ppid: 0, data });
      this.#sent += data.length;
    }
    if (!this.reading || this.#read === this.received) return;
    this.#user.execute({ type: "consumed", association, octets: this.received - this.#read });
    this.#read = this.received;
  }
}

Deno.test("an echo service keeps a bounded part of what a user sends that does not read, and all comes when it does", () => {
  const lab = new EchoLab(1024);
  lab.until(() => false, 20_000);
  const most = USER_BUFFER + REPLY_SEND_BUFFER + REPLY_RECEIVE_BUFFER + 64 * 1024;
  assert.ok(lab.echoed > 64 * 1024 && lab.echoed <= most, `${lab.echoed} octets were echoed, not ${most}`);
  assert.equal(lab.down, undefined);
  lab.reading = true;
  assert.ok(lab.until(() => lab.received === TOTAL), `${lab.received} octets came back`);
  assert.equal(lab.echoed, TOTAL);
  assert.deepEqual(lab.givenUp, []);
});

Deno.test("an echo service aborts a user that does not read for a minute", () => {
  const lab = new EchoLab(1024);
  assert.ok(lab.until(() => lab.down !== undefined), "the user hears of it");
  assert.deepEqual(lab.givenUp, ["the user has taken no answer for 60 s"]);
  assert.ok(lab.down?.type === "down" && lab.down.reason === "aborted");
});

Deno.test("an echo service aborts a user that floods it with tiny messages and does not read", () => {
  const lab = new EchoLab(1);
  assert.ok(lab.until(() => lab.down !== undefined), "the user hears of it");
  assert.match(lab.givenUp[0] ?? "", /sends and does not read/);
  assert.ok(lab.echoed < 200_000, `${lab.echoed} messages were echoed`);
});
