/**
 * Registrars that die, and registrars that do not know what they should: `rsp` programs alone, on the embedded stack, each
 * PC in a namespace of its own (exercise 8.2, 8.3), judged by tshark.
 */
import assert from "node:assert/strict";
import { labIsPossible } from "./lab.ts";
import type { Program } from "./lab.ts";
import { interruptAll, pcOf, play, type Scene, USER_LIMIT_MS, type Wire } from "./registrar_scene.ts";
import type { WireMessage } from "./rserpool_wire.ts";

/** tcpdump wants to be root for all the world. */
const possible = Deno.uid() === 0 && await labIsPossible();
/** Images that a user draws from before the takeover until after it. */
const IMAGES = 3;
const DEAD_ID = 0x1111, ELEMENT_ID = 0x44;

/** How a registrar dies. */
type Death = "killed" | "silent";

/**
 * The registrar of PC 1 dies. When it is killed, its host refuses what others send it; but not what the server of PC 4
 * sends, be it the answer of a keep-alive just then: the server would find itself another registrar, before anybody could
 * take it over.
 */
async function die(scene: Scene, registrar: Program, death: Death): Promise<void> {
  if (death === "killed") {
    registrar.signal("SIGSTOP"); // meanwhile it does not miss the server
    await scene.way(1, 4, "lost");
    return registrar.signal("SIGKILL");
  }
  for (const network of ["blue", "yellow"] as const) await scene.lab.pc(1).cable(network, "out");
}

/** The ID of the registrar of a PC. */
function idOf(pc: number): number {
  return pc * 0x1111;
}

for (const [registrars, death] of [[2, "killed"], [2, "silent"], [3, "killed"], [3, "silent"]] as const) {
  Deno.test({
    name: `one of ${registrars} registrars is ${death}: another takes its elements over (exercise 8.2)`,
    ignore: !possible,
    fn: (t) =>
      play({ name: `takeover-${registrars}-${death}`, pcs: 5, hasDeath: true }, async (scene) => {
        const dead = scene.registrar(1, DEAD_ID);
        const server = scene.steadyServer(4, ELEMENT_ID);
        await server.says(/registered as/);
        await dead.says(/in service/);
        const heirs = [2, 3].slice(0, registrars - 1).map((pc) => scene.registrar(pc, idOf(pc)));
        for (const heir of heirs) {
          await heir.says(/in service, with 1 elements?; its mentor/);
          await heir.says(/registrar 0x00001111 is a peer/);
        }
        for (const [n, heir] of heirs.entries()) {
          if (registrars === 3) {
            await heir.says(new RegExp(`registrar 0x0000${n === 0 ? 3333 : 2222} is a peer`));
          }
        }
        const user = scene.user(5, "-images=0", "-interimagetime=0");
        await user.saysTimes(": complete in", IMAGES);

        await t.step("it dies, and another one takes over", async () => {
          await die(scene, dead, death);
          for (const heir of heirs) {
            await heir.says(/takeover of registrar 0x00001111 by 0x0000(?:2222|3333): completed/);
          }
          await server.says(/ took over/);
        });
        await t.step("users did not notice, and do not afterwards", async () => {
          await scene.draws(2);
          const before = user.output.split(": complete in").length - 1;
          await user.saysTimes(": complete in", before + IMAGES);
          assert.doesNotMatch(user.output, /[1-9]\d* failover|not complete|ended before/);
          for (const heir of heirs) assert.doesNotMatch(heir.output, /0x00000044 was removed/);
          assert.doesNotMatch(server.output, /refused/);
        });
        await user.interrupt();
        await interruptAll(server, ...heirs);
      }, async (wire) => {
        let homeId = 0;
        await t.step("wire: one of the others claims the element", () => {
          homeId = judgeClaim(wire);
        });
        if (registrars === 3) {
          await t.step("wire: and asks the third one first", () => judgeTakeover(wire, homeId));
        }
      }),
  });
}

/** The keep-alives of the new home. @returns its ID */
function judgeClaim(wire: Wire): number {
  const claims = wire.all("asap.endpointKeepAlive", (message) => message.number("h_bit") === 1);
  const [claim] = claims;
  assert.ok(claim !== undefined, "a keep-alive with the H bit");
  const homeId = idOf(pcOf(claim.source));
  assert.notEqual(homeId, DEAD_ID);
  assert.ok(claims.every((one) => one.number("server_identifier") === homeId), "of one registrar only");
  const registration = wire.first(
    "asap.registration",
    (message) => message.number("pool_element_pe_identifier") === ELEMENT_ID,
  );
  assert.deepEqual([pcOf(claim.destination), claim.destinationPort], [4, registration.sourcePort]);
  const answer = wire.first(
    "asap.endpointKeepAliveAck",
    (message) => pcOf(message.destination) === pcOf(claim.source),
  );
  assert.equal(answer.number("pe_identifier"), ELEMENT_ID);
  // In the end it leaves, at its new home.
  const farewell = wire.first("asap.deregistration");
  assert.equal(pcOf(farewell.destination), pcOf(claim.source));
  wire.assertOrder(registration, claim, answer, farewell);
  return homeId;
}

/** How the survivors agreed, and that they do. */
function judgeTakeover(wire: Wire, homeId: number): void {
  const otherId = idOf(2) + idOf(3) - homeId;
  const isOf = (senderId: number, receiverId: number) => (message: WireMessage) =>
    message.number("sender_servers_id") === senderId &&
    message.number("receiver_servers_id") === receiverId &&
    message.number("target_servers_id") === DEAD_ID;
  const initiated = wire.first(
    "enrp.initTakeover",
    (message) =>
      message.number("sender_servers_id") === homeId && pcOf(message.destination) === otherId / 0x1111,
  );
  const agreed = wire.first("enrp.initTakeoverAck", isOf(otherId, homeId));
  const taken = wire.first(
    "enrp.takeoverServer",
    (message) =>
      message.number("sender_servers_id") === homeId && message.number("target_servers_id") === DEAD_ID,
  );
  const claim = wire.first("asap.endpointKeepAlive", (message) => message.number("h_bit") === 1);
  const gone = wire.first(
    "enrp.handleUpdate",
    (message) =>
      message.number("pool_element_pe_identifier") === ELEMENT_ID && message.number("update_action") === 1,
  );
  wire.assertOrder(initiated, agreed, taken, gone);
  wire.assertOrder(agreed, claim, gone);
  assert.equal(initiated.number("target_servers_id"), DEAD_ID);
  assert.equal(gone.number("pool_element_home_enrp_server_identifier"), homeId);
  assert.deepEqual(wire.all("enrp.takeoverServer", isOf(otherId, homeId)), []);
  // Both know whose the element is now: nobody has to ask for a table.
  const from = wire.messages.indexOf(taken);
  const late = wire.messages.slice(from).filter(({ type }) => type === "enrp.handleTableRequest");
  assert.deepEqual(late, []);
}

Deno.test({
  name: "IPv6 only and no multicast: registrars that were told of each other synchronise, and take over",
  ignore: !possible,
  fn: () =>
    play({ name: "ipv6", pcs: 4, hasDeath: true }, async (scene) => {
      for (const pc of [1, 2, 3, 4]) {
        for (const name of ["eth0", "eth1"]) {
          await scene.lab.pc(pc).run("ip", "-4", "address", "flush", "dev", name);
        }
      }
      const quiet = ["-asapannounce=off"];
      const first = scene.registrar(1, DEAD_ID, ...quiet, "-enrpannounce=off");
      await first.says(/in service/);
      const server = scene.steadyServer(4, ELEMENT_ID, ...quiet, "-registrar=[fd01::1]:3863");
      await server.says(/registered as/);
      const second = scene.registrar(2, idOf(2), ...quiet, "-enrpannounce=off", "-peer=[fd02::1]:9901");
      await second.says(/in service, with 1 elements?; its mentor/);
      await first.says(/registrar 0x00002222 is a peer/);
      await scene.draws(3, ...quiet, "-registrar=[fd02::2]:3863");
      await die(scene, first, "killed");
      await second.says(/takeover of registrar 0x00001111 by 0x00002222: completed/);
      await server.says(/ took over/);
      await scene.draws(3, ...quiet, "-registrar=[fd01::2]:3863");
      assert.doesNotMatch(second.output, /0x00000044 was removed/);
      await interruptAll(server, second);
    }, (wire) => {
      assert.deepEqual(
        wire.messages.filter(({ carrier }) => carrier === "udp"),
        [],
      );
      assert.equal(judgeClaim(wire), idOf(2));
    }),
});

Deno.test({
  name: "a registrar that lost an element of another one's finds out and repairs it (exercise 8.3)",
  ignore: !possible,
  fn: () =>
    play({ name: "repair", pcs: 4 }, async (scene) => {
      const owner = scene.registrar(1, 0x1111);
      const server = scene.steadyServer(4, ELEMENT_ID, "-registrar=10.1.0.1:3863", "-asapannounce=off");
      await server.says(/registered as/);
      await owner.says(/in service/);
      const other = scene.registrar(2, 0x2222, "-maxbadpereports=1");
      await other.says(/took 1 elements? from registrar 0x00001111 \(mentor\)/);
      await other.says(/in service/);

      // A user cannot reach the element for a while, and says so to the registrar that does not own it.
      await scene.way(4, 3, "lost");
      const user = scene.user(3, "-registrar=10.1.0.2:3863", "-asapannounce=off");
      await other.says(/0x00000044 was removed: reported unreachable/);
      await scene.way(4, 3, "open");
      await other.says(/took 1 elements? from registrar 0x00001111 \(checksum\)/);
      assert.equal(await user.exitCode(USER_LIMIT_MS), 0, user.output);
      assert.ok(await scene.offers(3, 2, "FractalGeneratorPool"));
      await interruptAll(server, other, owner);
    }, (wire) => {
      const reported = wire.first("asap.endpointUnreachable");
      assert.equal(pcOf(reported.destination), 2);
      const asked = wire.first("enrp.handleTableRequest", (message) => message.number("w_bit") === 1);
      assert.deepEqual([asked.number("sender_servers_id"), asked.number("receiver_servers_id")], [
        0x2222,
        0x1111,
      ]);
      const answered = wire.all("enrp.handleTableResponse").find((message) =>
        wire.messages.indexOf(message) > wire.messages.indexOf(asked)
      );
      assert.deepEqual(answered?.numbers("pool_element_pe_identifier"), [ELEMENT_ID]);
      wire.assertOrder(reported, asked, answered);
    }),
});
