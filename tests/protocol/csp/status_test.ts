import assert from "node:assert/strict";
import { ComponentGroup, componentId } from "../../../protocol/csp/component_id.ts";
import { elementStatus } from "../../../protocol/csp/element_status.ts";
import { componentLocation } from "../../../protocol/csp/location.ts";
import { RegistrarContact } from "../../../protocol/csp/registrar_contact.ts";
import { registrarStatus } from "../../../protocol/csp/registrar_status.ts";
import { UserStatus } from "../../../protocol/csp/user_status.ts";
import { Handlespace } from "../../../protocol/handlespace/mod.ts";
import { Prng } from "../../../protocol/machine.ts";
import { Ppid } from "../../../protocol/net.ts";
import { Peer, PeerList } from "../../../protocol/registrar/mod.ts";
import { encodeText } from "../../../protocol/wire/mod.ts";
import { element } from "../registrar/harness.ts";

const found = {
  type: "registrarFound",
  association: 1,
  registrar: [],
  registrarId: 7,
  adopted: false,
} as const;

for (
  const [addresses, text] of [
    [["127.0.0.1", "10.1.1.1", "fe80::1"], "pc1: 10.1.1.1:3863"],
    [["10.1.1.1", "fd01::1"], "pc1: 10.1.1.1:3863, fd01::1"],
    [["10.1.1.1", "193.99.144.80", "2001:db8::1"], "pc1: 193.99.144.80:3863, 2001:db8::1"],
    [["127.0.0.1"], "pc1"],
  ] as const
) {
  Deno.test(`componentLocation() of ${addresses.join(", ")} is ${text}`, () => {
    assert.equal(componentLocation("pc1", addresses, 3863), text);
  });
}

Deno.test("componentLocation() without a port, without a host, without anything", () => {
  assert.equal(componentLocation("pc1", ["10.1.1.1"], undefined), "pc1: 10.1.1.1");
  assert.equal(componentLocation("", ["10.1.1.1"], undefined), "10.1.1.1");
  assert.equal(componentLocation("", [], 1), "(local only)");
});

Deno.test("registrarStatus() counts as RSPLIB does, and names the peers", () => {
  const handlespace = new Handlespace(new Prng(1)), peers = new PeerList();
  const status = () => registrarStatus({ handlespace, peers }, 1, "here");
  assert.equal(status().status, "0[0] PEs in 0 Pools, 0 Peers");
  handlespace.register(encodeText("A"), element(1, { homeRegistrarId: 1 }));
  handlespace.register(encodeText("A"), element(2, { homeRegistrarId: 2 }));
  peers.add(new Peer(2, ["10.1.1.2"], 9901, false));
  assert.equal(status().status, "2[1] PEs in 1 Pool, 1 Peer");
  assert.deepEqual(status().associations, [
    { receiver: componentId(ComponentGroup.registrar, 2), durationUs: undefined, protocol: 132, ppid: 12 },
  ]);
});

Deno.test("elementStatus() has sessions, pool, load and registrar", () => {
  const poolHandle = encodeText("Echo\x07Pool");
  const contact = new RegistrarContact();
  contact.report({ type: "huntWaiting" }, 0);
  const idle = elementStatus({ sessionCount: 0, load: undefined, poolHandle }, contact, "here", 0);
  assert.deepEqual(idle, {
    location: "here",
    status: "Looking for Registrar ...",
    workload: undefined,
    associations: [],
  });
  contact.report(found, 1000);
  const busy = elementStatus({ sessionCount: 1, load: 0.25, poolHandle }, contact, "here", 3000);
  assert.deepEqual(busy, {
    location: "here",
    status: "1 Session in Echo\\x07Pool",
    workload: 0.25,
    associations: [
      { receiver: componentId(ComponentGroup.registrar, 7), durationUs: 2_000_000n, protocol: 132, ppid: 11 },
    ],
  });
  contact.report({ type: "registrarLost", registrar: [], reason: "gone" }, 4000);
  assert.deepEqual(
    elementStatus({ sessionCount: 2, load: 0, poolHandle }, contact, "here", 4000).associations,
    [],
  );
});

Deno.test("RegistrarContact learns from a keep-alive whose registrar that is", () => {
  const contact = new RegistrarContact();
  contact.report({ ...found, registrarId: 0 }, 0);
  assert.equal(contact.associations(1)[0]?.receiver, componentId(ComponentGroup.registrar, 0));
  contact.report({ type: "keepAlive", elementId: 1, registrarId: 9, home: false }, 2);
  assert.equal(contact.associations(3)[0]?.receiver, componentId(ComponentGroup.registrar, 9));
});

Deno.test("UserStatus follows its sessions from element to element", () => {
  const user = new UserStatus(Ppid.fractalGenerator);
  const elements = (now: number) =>
    user.status("here", now).associations.map((
      { receiver, durationUs, ppid },
    ) => [receiver, durationUs, ppid]);
  user.report(found, 0);
  user.report({ type: "sessionUp", session: 1, elementId: 0x11, peer: [] }, 1000);
  user.says("Requesting calculation ...");
  assert.equal(user.status("here", 1000).status, "Requesting calculation ...");
  assert.deepEqual(elements(1500), [
    [componentId(ComponentGroup.registrar, 7), 1_500_000n, 11],
    [componentId(ComponentGroup.element, 0x11), 500_000n, 32],
  ]);
  const failover = {
    type: "sessionFailover",
    session: 1,
    hasCookie: true,
    loss: undefined,
    reason: "",
  } as const;
  user.report({ ...failover, state: "necessary", elementId: 0x11 }, 2000);
  assert.equal(user.status("here", 2000).status, "0 Sessions");
  user.report({ ...failover, state: "complete", elementId: 0x12 }, 3000);
  user.report({ type: "sessionUp", session: 2, elementId: 0x13, peer: [] }, 3000);
  assert.equal(user.status("here", 3000).status, "2 Sessions");
  user.report({ type: "sessionDown", session: 1, reason: "" }, 4000);
  assert.deepEqual(elements(4000).at(-1), [componentId(ComponentGroup.element, 0x13), 1_000_000n, 32]);
  user.report({ type: "huntWaiting" }, 5000);
  assert.equal(user.status("here", 5000).status, "Looking for Registrar ...");
});

Deno.test("UserStatus tells what is spoken last in a session, and a text about all sessions always", () => {
  const user = new UserStatus(Ppid.none);
  user.report({ type: "sessionUp", session: 1, elementId: 0x11, peer: [] }, 0);
  user.report({ type: "sessionUp", session: 2, elementId: 0x12, peer: [] }, 0);
  user.speaks(2, Ppid.pingPong);
  user.speaks(3, Ppid.calcApp); // there is no such session
  assert.deepEqual(user.status("here", 0).associations.map(({ ppid }) => ppid), [0, 33]);
  user.says("one of them");
  assert.equal(user.status("here", 0).status, "2 Sessions");
  user.says("all of them", "all");
  assert.equal(user.status("here", 0).status, "all of them");
});

Deno.test("elementStatus() tells what the element does while it has one session", () => {
  const contact = new RegistrarContact();
  const poolHandle = encodeText("EchoPool");
  const text = (sessionCount: number) =>
    elementStatus({ sessionCount, load: undefined, poolHandle }, contact, "here", 0, "works").status;
  assert.deepEqual([0, 1, 2].map(text), ["0 Sessions in EchoPool", "works", "2 Sessions in EchoPool"]);
});
