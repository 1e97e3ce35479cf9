/**
 * Registrars, pool elements and pool users natively: `rsp` programs alone, on the embedded stack, each PC in a namespace
 * of its own. What the course sheet wants to be seen of ASAP and ENRP (exercise 4, 5, 6, 8.1), judged by tshark.
 */
import assert from "node:assert/strict";
import { labIsPossible } from "./lab.ts";
import {
  interruptAll,
  pcOf,
  play,
  REGISTRATION_INTERVAL_MS,
  saysNext,
  type Wire,
} from "./registrar_scene.ts";
import type { WireMessage, WirePart } from "./rserpool_wire.ts";

/** tcpdump wants to be root for all the world. */
const possible = Deno.uid() === 0 && await labIsPossible();
/** More than one handle table response takes. */
const MANY_ELEMENTS = 200;
/** They register one after another: on a machine that has other things to do, that takes a while. */
const MANY_LIMIT_MS = 300_000;
const EXIT_REFUSED = 1;
const ASAP_PORT = 3863, ENRP_PORT = 9901;
/** RSPLIB's option of a resolution: how many elements are wanted. */
const ITEM_COUNT = 0x803f;
const POLICY_ROUND_ROBIN = 1, POLICY_LEAST_USED = 0x40000001;
const CAUSE_INCONSISTENT_POLICY = 5, CAUSE_UNKNOWN_POOL = 9;
const DATA_ONLY = 0, DATA_AND_CONTROL = 1;
/** The default of a server: three times the interval at which it registers again. */
const REGISTRATION_LIFE_MS = 90_000;

Deno.test({
  name:
    "registrars join: announces, presences, list, handle table, updates (exercise 4, 5.1, 5.2, 5.5, 6.1, 8.1)",
  ignore: !possible,
  fn: (t) =>
    play({ name: "join", pcs: 4 }, async (scene) => {
      const first = scene.registrar(1, 0x1111);
      const server = scene.server(2, 0x22);
      await server.says(/registered as/);
      const many = scene.rsp(
        2,
        ...["bench", "10.1.0.1:3863", "-asap=resolve", "-poolhandle=LargePool", "-think=1000"],
        ...[`-elements=${MANY_ELEMENTS}`, "-duration=3600", "-interval=0.2", "-json"],
      );
      await many.says(/asapInterval/, MANY_LIMIT_MS);

      const second = scene.registrar(3, 0x3333);
      await t.step("it is in service when it knows what its mentor knows", async () => {
        await second.says(/took 201 elements from registrar 0x00001111/);
        await second.says(/in service/);
        await first.says(/registrar 0x00003333 is a peer/);
        assert.ok(await scene.offers(4, 3, "LargePool"));
      });
      const third = scene.registrar(4, 0x4444);
      await t.step("a third one learns of both", async () => {
        await third.says(/in service, with 201 elements/);
        for (const id of ["1111", "3333"]) await third.says(new RegExp(`registrar 0x0000${id} is a peer`));
        await first.says(/registrar 0x00004444 is a peer/);
        await second.says(/registrar 0x00004444 is a peer/);
        // It may have been heard of by a presence to all; but an update does not wait for an association.
        await second.says(/association \d+ \(enrp\) is up: .*10\.1\.0\.4:9901/);
        await third.says(/association \d+ \(enrp\) is up: .*10\.1\.0\.3:9901/);
      });
      await t.step("what comes and goes at one is known at the others", async () => {
        const at = ["-registrar=10.1.0.3:3863", "-asapannounce=off"];
        const other = scene.steadyServer(4, 0x44, "-poolhandle=OtherPool", ...at);
        for (const one of [first, third]) await one.says(/0x00000044: /);
        assert.ok(await scene.offers(2, 1, "OtherPool"));
        const gone = [first, third].map((one) => saysNext(one, /0x00000044: /));
        await interruptAll(other);
        for (const one of gone) await one();
        assert.ok(!await scene.offers(2, 1, "OtherPool"));
      });
      // From a PC without a registrar, so that what it asks is on the wire.
      await t.step("users draw with what they find", () => scene.draws(2));
      await interruptAll(many, server, third, second, first);
    }, async (wire) => {
      await t.step("4.1, 4.3, 4.4: announces", () => judgeAnnounces(wire));
      await t.step("4.2: presences", () => judgePresences(wire));
      await t.step("5.1, 5.2, 5.5: an element comes and goes", () => judgeElement(wire));
      await t.step("6.1: a resolution", () => judgeResolution(wire));
      await t.step("8.1: the start of the second registrar", () => {
        assert.equal(judgeStart(wire, 0x3333), 0x1111);
      });
      await t.step("8.1: the start of the third one", () => {
        const mentorId = judgeStart(wire, 0x4444);
        const listed = listResponse(wire, mentorId, 0x4444).parts("server_information_server_identifier");
        const otherId = mentorId === 0x1111 ? 0x3333 : 0x1111;
        const other = listed.find((part) => part.number("server_information_server_identifier") === otherId);
        assert.ok(other !== undefined, "the other peer is in the list");
        assert.deepEqual(other.numbers("sctp_transport_port"), [ENRP_PORT]);
        assert.ok(other.texts("ipv4_address").every((address) => pcOf(address) === otherId >> 12));
      });
    }),
});

function judgeAnnounces(wire: Wire): void {
  const announces = wire.all("asap.serverAnnounce");
  for (const id of [0x1111, 0x3333, 0x4444]) {
    const own = announces.filter((message) => message.number("server_identifier") === id);
    assert.ok(own.length > 0, `announces of 0x${id.toString(16)}`);
    for (const { carrier, source, sourcePort, destination, destinationPort } of own) {
      assert.deepEqual([carrier, destination, destinationPort], ["udp", "239.0.0.50", ASAP_PORT]);
      assert.deepEqual([pcOf(source), sourcePort], [id >> 12, ASAP_PORT], "where it serves ASAP");
    }
  }
  // That is where the element, which knows nothing else, finds its registrar.
  const { destination, destinationPort } = wire.first("asap.registration", registers(0x22));
  assert.ok(announces.some((a) => a.source === destination && a.sourcePort === destinationPort));
}

function judgePresences(wire: Wire): void {
  for (const id of [0x1111, 0x3333, 0x4444]) {
    const own = wire.all("enrp.presence", (message) => message.number("sender_servers_id") === id);
    const announced = own.filter(({ carrier }) => carrier === "udp");
    for (const message of announced) {
      assert.deepEqual([message.destination, message.destinationPort], ["239.0.0.51", ENRP_PORT]);
      assert.equal(message.sourcePort, ENRP_PORT);
      assert.equal(message.number("receiver_servers_id"), 0, "to whom it may concern");
      assert.equal(message.number("server_information_server_identifier"), id);
    }
    assert.ok(announced.length > 0);
    const receivers = new Set(
      own.filter(({ carrier }) => carrier === "sctp").map((message) => message.number("receiver_servers_id")),
    );
    for (const peerId of [0x1111, 0x3333, 0x4444]) {
      if (peerId !== id) assert.ok(receivers.has(peerId), `of ${id} to ${peerId}`);
    }
    assert.ok(own.every((message) => message.texts("pe_checksum").length === 1), "with a checksum");
  }
}

/** What the element of PC 4 and the registrar of PC 3 send. */
function judgeElement(wire: Wire): void {
  const registration = wire.first("asap.registration", registers(0x44));
  assert.equal(pcOf(registration.destination), 3);
  assert.equal(registration.number("pool_element_home_enrp_server_identifier"), 0);
  assert.equal(registration.number("pool_element_registration_life"), 3 * REGISTRATION_INTERVAL_MS);
  const usual = wire.first("asap.registration", registers(0x22));
  assert.equal(usual.number("pool_element_registration_life"), REGISTRATION_LIFE_MS);
  assert.equal(registration.number("pool_member_selection_policy_type"), POLICY_ROUND_ROBIN);
  const [user, ...more] = registration.parts("sctp_transport_port");
  assert.ok(user !== undefined && more.length === 0, "the user transport only");

  const response = wire.first("asap.registrationResponse", isAbout(0x44));
  assert.equal(response.number("r_bit"), 0);
  assert.deepEqual(response.texts("pool_handle_pool_handle"), registration.texts("pool_handle_pool_handle"));
  assert.deepEqual(response.parts("pool_element_pe_identifier"), []);

  for (
    const [action, when] of [[0, registration], [
      1,
      wire.first("asap.deregistration", isAbout(0x44)),
    ]] as const
  ) {
    const updates = wire.all(
      "enrp.handleUpdate",
      (message) => registers(0x44)(message) && message.number("update_action") === action,
    );
    assert.deepEqual(updates.map(({ source }) => pcOf(source)), [3, 3]);
    assert.deepEqual(updates.map(({ destination }) => pcOf(destination)).toSorted(), [1, 4]);
    for (const update of updates) {
      wire.assertOrder(when, update);
      assertSame(update, registration, [
        ...["pool_handle_pool_handle", "pool_element_pe_identifier", "pool_element_registration_life"],
        "pool_member_selection_policy_type",
      ]);
      assert.equal(update.number("sender_servers_id"), 0x3333);
      assert.equal(update.number("pool_element_home_enrp_server_identifier"), 0x3333);
      const [its, asap, ...others] = update.parts("sctp_transport_port");
      assert.ok(its !== undefined && asap !== undefined && others.length === 0, "two transports");
      assertSame(its, user, ["sctp_transport_port", "transport_use", "ipv4_address", "ipv6_address"]);
      assert.equal(asap.number("sctp_transport_port"), registration.sourcePort);
      assert.ok(asap.texts("ipv4_address").includes(registration.source));
      assert.equal(asap.number("transport_use"), DATA_ONLY);
    }
  }
  assert.equal(user.number("transport_use"), DATA_AND_CONTROL);
  wire.assertOrder(
    wire.first("asap.deregistration", isAbout(0x44)),
    wire.first("asap.deregistrationResponse", isAbout(0x44)),
  );
}

function judgeResolution(wire: Wire): void {
  const asked = wire.first("asap.handleResolution", (message) => poolOf(message) === "FractalGeneratorPool");
  assert.equal(pcOf(asked.source), 2);
  assert.ok(asked.numbers("parameter_type").includes(ITEM_COUNT));
  assert.equal(asked.texts("hropt_items").length, 1);
  const answer = wire.first(
    "asap.handleResolutionResponse",
    (message) => pcOf(message.destination) === 2 && poolOf(message) === "FractalGeneratorPool",
  );
  wire.assertOrder(asked, answer);
  assert.deepEqual(answer.numbers("pool_element_pe_identifier"), [0x22]);
  // The pool's own policy, and its element's.
  const policies = answer.numbers("pool_member_selection_policy_type");
  assert.deepEqual(policies, [POLICY_ROUND_ROBIN, POLICY_ROUND_ROBIN]);
}

/** The start sequence of a registrar that is not alone. @returns its mentor */
function judgeStart(wire: Wire, registrarId: number): number {
  const isFrom = (id: number) => (message: WireMessage) => message.number("sender_servers_id") === id;
  const asked = wire.first("enrp.listRequest", isFrom(registrarId));
  const mentorId = [0x1111, 0x3333, 0x4444].find((id) => pcOf(asked.destination) === id >> 12)!;
  const heard = wire.first(
    "enrp.presence",
    (message) => message.carrier === "udp" && isFrom(mentorId)(message),
  );
  const requests = wire.all("enrp.handleTableRequest", isFrom(registrarId));
  const responses = wire.all(
    "enrp.handleTableResponse",
    (message) => message.number("receiver_servers_id") === registrarId,
  );
  const announce = wire.first(
    "asap.serverAnnounce",
    (message) => message.number("server_identifier") === registrarId,
  );
  wire.assertOrder(
    ...[heard, asked, listResponse(wire, mentorId, registrarId)],
    ...[requests[0]!, responses[0]!, responses.at(-1)!, announce],
  );

  assert.ok(requests.every((message) => message.number("w_bit") === 0), "all elements, whosoever they are");
  assert.equal(requests.length, responses.length);
  assert.ok(responses.length > 1);
  const more = responses.map((message) => message.number("m_bit"));
  assert.deepEqual(more, [...Array(responses.length - 1).fill(1), 0]);
  const elementIds = responses.flatMap((message) => message.numbers("pool_element_pe_identifier"));
  assert.equal(elementIds.length, MANY_ELEMENTS + 1);
  assert.equal(new Set(elementIds).size, MANY_ELEMENTS + 1, "each once");
  assert.ok(elementIds.includes(0x22));
  return mentorId;
}

function listResponse(wire: Wire, mentorId: number, registrarId: number): WireMessage {
  return wire.first("enrp.listResponse", (message) =>
    message.number("sender_servers_id") === mentorId &&
    message.number("receiver_servers_id") === registrarId);
}

/** Whether a message has this element's parameter. */
function registers(elementId: number): (message: WireMessage) => boolean {
  return (message) => message.number("pool_element_pe_identifier") === elementId;
}

/** Whether a message names this element, and says nothing else of it. */
function isAbout(elementId: number): (message: WireMessage) => boolean {
  return (message) => message.number("pe_identifier") === elementId;
}

/** The pool that a message is about, as text. */
function poolOf(message: WireMessage): string {
  const [handle = ""] = message.texts("pool_handle_pool_handle");
  return String.fromCharCode(...handle.split(":").map((octet) => Number.parseInt(octet, 16)));
}

function assertSame(one: WirePart, other: WirePart, fields: readonly string[]): void {
  for (const field of fields) {
    assert.deepEqual(one.texts(field), other.texts(field), field);
    assert.ok(one.texts(field).length > 0, field);
  }
}

for (const encapsulation of ["raw", "udp"] as const) {
  Deno.test({
    name:
      `another policy, an unknown pool, a pool that begins anew (exercise 5.3, 5.4, 6.2), ${encapsulation}`,
    ignore: !possible,
    fn: (t) =>
      play({ name: `policy-${encapsulation}`, pcs: 3, encapsulation }, async (scene) => {
        const registrar = scene.registrar(1, 0x1111);
        const server = scene.server(2, 0x22);
        await server.says(/registered as/);
        const patient = scene.server(3, 0x33, "-policy=LeastUsed");

        await t.step("another policy than the pool's is refused", async () => {
          const other = scene.server(3, 0x34, "-policy=LeastUsed", "-giveup");
          assert.equal(await other.exitCode(), EXIT_REFUSED, other.output);
          assert.match(other.output, /refused: inconsistent policy/);
          await patient.says(/refused: inconsistent policy/);
        });
        await t.step("a user of an unknown pool is told so, and tries again", async () => {
          const user = scene.user(3, "-poolhandle=NoSuchPool");
          await user.saysTimes("NoSuchPool", 3);
          await registrar.says(/asks for pool NoSuchPool, which has no elements/);
          await user.interrupt();
        });
        await t.step("when all have left, the pool may have another policy", async () => {
          await interruptAll(server);
          await patient.says(/registered as/);
          await registrar.says(/policy LeastUsed/);
          await scene.draws(2);
        });
        await interruptAll(patient, registrar);
      }, (wire) => {
        for (const elementId of [0x33, 0x34]) {
          const refused = wire.first("asap.registrationResponse", isAbout(elementId));
          assert.equal(refused.number("r_bit"), 1);
          assert.equal(refused.number("cause_code"), CAUSE_INCONSISTENT_POLICY);
        }
        const left = wire.first("asap.deregistrationResponse", isAbout(0x22));
        const accepted = wire.first(
          "asap.registrationResponse",
          (message) => isAbout(0x33)(message) && message.number("r_bit") === 0,
        );
        const answer = wire.first("asap.handleResolutionResponse", registers(0x33));
        wire.assertOrder(left, accepted, answer);
        const policies = answer.numbers("pool_member_selection_policy_type");
        assert.deepEqual(policies, [POLICY_LEAST_USED, POLICY_LEAST_USED]);

        const asked = wire.all("asap.handleResolution", (message) => poolOf(message) === "NoSuchPool");
        const answers = wire.all("asap.handleResolutionResponse", (message) =>
          poolOf(message) === "NoSuchPool");
        assert.ok(asked.length > 1, "it asks again");
        assert.ok(answers.every((message) =>
          message.number("cause_code") === CAUSE_UNKNOWN_POOL
        ));
        // The last one may have been asked in the very moment in which the user was interrupted.
        assert.ok(answers.length === asked.length || answers.length === asked.length - 1);
        assert.ok(wire.all("asap.serverAnnounce").every(({ carrier }) => carrier === "udp"));
      }),
  });
}
