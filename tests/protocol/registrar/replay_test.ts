import assert from "node:assert/strict";
import { AsapType, readAsap } from "../../../protocol/asap/mod.ts";
import { PoolMembership } from "../../../protocol/element/membership.ts";
import type { MembershipEffect } from "../../../protocol/element/membership.ts";
import { Outbox, Prng } from "../../../protocol/machine.ts";
import { Ppid } from "../../../protocol/net.ts";
import { readCapture } from "../../golden/captures.ts";
import { message, up } from "../user/harness.ts";
import { RegistrarHarness } from "./harness.ts";

// The conversation of rspserver with rspregistrar (RSPLIB 3.4.4) as one of the lab PCs saw it. Each of our sides takes
// the place of one of theirs, and has to say the same octets in the same order.

const FROM_ELEMENT: readonly number[] = [
  AsapType.registration,
  AsapType.deregistration,
  AsapType.endpointKeepAliveAck,
];
const FROM_REGISTRAR: readonly number[] = [
  AsapType.registrationResponse,
  AsapType.deregistrationResponse,
  AsapType.endpointKeepAlive,
];

const conversation = readCapture("exercise-h2.pcap").messages
  .filter(({ ppid }) => ppid === Ppid.asap)
  .map(({ data }) => data)
  .filter((data) => FROM_ELEMENT.includes(data[0]!) || FROM_REGISTRAR.includes(data[0]!));

const said = (by: readonly number[]) =>
  conversation.filter((data) => by.includes(data[0]!)).map((data) => data.toHex());

Deno.test("Registrar says to rspserver what rspregistrar said", () => {
  const keepAlive = conversation.map((data) => readAsap(data)).find(({ type }) =>
    type === "endpointKeepAlive"
  );
  assert.ok(keepAlive?.type === "endpointKeepAlive");
  const harness = new RegistrarHarness({ registrarId: keepAlive.registrarId });
  const association = harness.up(["10.1.0.2", "10.2.0.2", "fd01::2", "fd02::2"]);
  for (const data of conversation) {
    if (FROM_ELEMENT.includes(data[0]!)) harness.octets(association, data);
    else if (data[0] === AsapType.endpointKeepAlive) harness.run(5000);
  }
  assert.ok(harness.answers.length > 8);
  assert.deepEqual(harness.answers.map(({ octets }) => octets.toHex()), said(FROM_REGISTRAR));
});

Deno.test("PoolMembership says to rspregistrar what rspserver said", () => {
  const first = conversation.map((data) => readAsap(data)).find(({ type }) => type === "registration");
  assert.ok(first?.type === "registration");
  const { poolHandle, element } = first;
  const outbox = new Outbox<MembershipEffect>();
  const registrar = [{ address: "10.2.0.1", port: 12740 }];
  const membership = new PoolMembership(
    "hunt",
    "announces",
    { elementId: element.elementId, poolHandle, policy: element.policy, hunt: { registrars: [registrar] } },
    outbox,
    new Prng(1),
  );
  membership.start(
    element.userTransport.port,
    ["127.0.0.1", ...element.userTransport.addresses, "fe80::2%3"],
    0,
  );
  const event = (event: ReturnType<typeof message>) =>
    membership.handle({ type: "transport", endpoint: "hunt", event }, 0);
  event(up(1, 1, "10.1.0.1", "10.2.0.1"));
  let registrations = 0;
  for (const data of conversation) {
    if (FROM_REGISTRAR.includes(data[0]!)) event(message(1, data));
    else if (data[0] === AsapType.registration && ++registrations > 1) membership.tick(30_000);
  }
  const ours = outbox.drain().flatMap((effect) =>
    effect.type === "transport" && effect.command.type === "send" ? [effect.command.data.toHex()] : []
  );
  assert.ok(ours.length > 8);
  assert.deepEqual(ours, said(FROM_ELEMENT));
});
