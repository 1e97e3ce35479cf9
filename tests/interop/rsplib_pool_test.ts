/**
 * What registrar, pool elements and pool users say to each other apart from the work itself: refusals, unknown pools,
 * keep-alives, deregistration, a registrar that is started anew. Ours at RSPLIB's and RSPLIB's at ours. Run by
 * `scripts/kernel-lab test rsplib`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { CauseCode, poolPolicyOf } from "../../protocol/param/operation_error.ts";
import { showText } from "../../protocol/wire/text.ts";
import { assertPng } from "./fractal_image.ts";
import { complaints, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, serving } from "./rsplib_lab.ts";

const ignore = !kernelSctpSupport().available;
/** Where the captures go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");
/** RSPLIB's registrar announces itself only after 5 s, but serves from the start whoever knows where it is. */
const REGISTRAR = `${Lab.addresses("registrar")[0]}:3863`;
/** Cycles of keep-alives that an element has to survive: more than two. */
const KEEP_ALIVES = 3;
const KEEP_ALIVE_CYCLE = ["-endpointkeepalivetransmissioninterval=1000", PATIENT_REGISTRAR];
/** Requests that show that a program tries again. */
const TRIES = 3;
const EXIT_REFUSED = 1;

/** A response of the registrar's that goes to a role. */
function to(role: Role): (seen: { readonly destination: string }) => boolean {
  const addresses = Lab.addresses(role);
  return ({ destination }) => addresses.includes(destination);
}

function names(poolHandle: Uint8Array, name: string): boolean {
  return showText(poolHandle) === name;
}

/** The registrar accepts the element of a role. */
async function accepted(lab: Lab, role: Role, from = 0): Promise<void> {
  await lab.seesAsap("registrationResponse", "registrar", {
    matches: ({ rejected }, seen) => !rejected && to(role)(seen),
    from,
  });
}

/** The registrar asks the element of a role for a sign of life, cycle after cycle, and is answered. */
async function keptAlive(lab: Lab, role: Role): Promise<void> {
  await lab.seesAsap("endpointKeepAlive", "registrar", {
    matches: (_, seen) => to(role)(seen),
    count: KEEP_ALIVES,
  });
  await lab.seesAsap("endpointKeepAliveAck", role, { count: KEEP_ALIVES });
}

/** The element of a role leaves its pool in order. */
async function deregistered(lab: Lab, role: Role, from: number): Promise<void> {
  const { elementId } = await lab.seesAsap("deregistration", role, { from });
  const response = await lab.seesAsap("deregistrationResponse", "registrar", {
    matches: (message, seen) => message.elementId === elementId && to(role)(seen),
    from,
  });
  assert.equal(response.error, undefined);
}

/** The registrar tells a pool user, each time that it asks, that there is no such pool. */
async function toldUnknown(lab: Lab, pool: string, tries: number): Promise<void> {
  const { error } = await lab.seesAsap("handleResolutionResponse", "registrar", {
    matches: ({ poolHandle, error }) => names(poolHandle, pool) && error !== undefined,
    count: tries,
  });
  assert.equal(error?.[0]?.code, CauseCode.unknownPoolHandle);
}

/** Asks the registrar for a pool. @returns the name of the policy that it has */
async function policyOf(lab: Lab, pool: string): Promise<string | undefined> {
  const from = lab.messages.length;
  const options = ["-asap=resolve", `-poolhandle=${pool}`, "-elements=0", "-count=1"];
  const asker = lab.ours("user", "bench", REGISTRAR, ...options);
  const { policy } = await lab.seesAsap("handleResolutionResponse", "registrar", {
    matches: ({ poolHandle }) => names(poolHandle, pool),
    from,
  });
  assert.equal(await asker.ends(), 0, asker.quote());
  return policy?.name;
}

async function assertClean(lab: Lab, folder: string, name: string, roles: readonly Role[]): Promise<void> {
  const file = `${KEEP ?? folder}/rsplib-${name}.pcap`;
  await Deno.writeFile(file, await lab.endCapture());
  assert.deepEqual(await complaints(file, roles.flatMap((role) => Lab.addresses(role))), []);
}

async function withLab(body: (lab: Lab, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`rsplib-${Deno.pid}`);
    await body(lab, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "our registrar serves RSPLIB's programs by the rules",
  ignore,
  fn: (t) =>
    withLab(async (lab, folder) => {
      const registrar = await serving(lab.ours("registrar", "registrar", "-loglevel=4", ...KEEP_ALIVE_CYCLE));
      const server = lab.original("server", "rspserver", "-fractal", PATIENT_ELEMENT);
      await accepted(lab, "server");

      const other = lab.original(
        "secondServer",
        ...["rspserver", "-fractal", PATIENT_ELEMENT, "-policy=LeastUsed", "-rereginterval=2000"],
      );
      await t.step("a server with another policy is told the pool's, and tries again", async () => {
        const { error } = await lab.seesAsap("registrationResponse", "registrar", {
          matches: ({ rejected }, seen) => rejected && to("secondServer")(seen),
          count: 2,
        });
        assert.equal(error?.[0]?.code, CauseCode.inconsistentPolicy);
        assert.equal(poolPolicyOf(error)?.name, "RoundRobin");
        await other.says(/Registration failed: incompatible pool policy/);
        await registrar.says(/refused: inconsistent policy/);
        assert.ok(other.isRunning, other.quote());
      });

      await t.step("users of unknown pools are told so, and go on asking", async () => {
        const fractal = lab.original("user", "fractalpooluser", "-poolhandle=NoFractalPool");
        const terminal = lab.original("user", "rspterminal", "-poolhandle=NoEchoPool");
        await terminal.type("Is anybody there?\n");
        await toldUnknown(lab, "NoFractalPool", TRIES);
        await toldUnknown(lab, "NoEchoPool", 2); // at the start, and for what was typed
        await terminal.says(/FAILOVER #1/);
        await fractal.says(/FAILOVER/);
        for (const user of [fractal, terminal]) assert.ok(user.isRunning, user.quote());
        await registrar.says(/asks for pool NoFractalPool, which has no elements/);
        await Promise.all([fractal.interrupt(), terminal.interrupt()]);
      });

      await t.step("a server that answers keep-alives stays registered", async () => {
        await keptAlive(lab, "server");
        assert.doesNotMatch(registrar.output, /was removed/);
      });

      await t.step("Ctrl+C deregisters a server", async () => {
        const from = lab.messages.length;
        assert.equal(await server.interrupt(), 0, server.quote());
        await deregistered(lab, "server", from);
        await registrar.says(/deregistered/);
      });

      await t.step(
        "the server that was refused gets the pool, which is free now, with its policy",
        async () => {
          await accepted(lab, "secondServer", lab.messages.length);
          assert.equal(await policyOf(lab, "FractalGeneratorPool"), "LeastUsed");
        },
      );

      assert.equal(await other.interrupt(), 0, other.quote());
      assert.equal(await registrar.interrupt(), 0, registrar.quote());
      await assertClean(lab, folder, "at-ours", ["registrar"]);
    }),
});

Deno.test({
  name: "RSPLIB's registrar is content with our programs",
  ignore,
  fn: (t) =>
    withLab(async (lab, folder) => {
      const startRegistrar = () => {
        return lab.original("registrar", "rspregistrar", `-asap=${REGISTRAR}`, ...KEEP_ALIVE_CYCLE);
      };
      const atRegistrar = `-registrar=${REGISTRAR}`;
      const image = `${folder}/image.png`;
      const registrar = startRegistrar();
      const server = lab.ours("server", "server", "-fractal", atRegistrar);
      const user = lab.ours(
        "user",
        ...["pooluser", "-fractal", atRegistrar, "-poolhandle=LatePool"],
        ...["-width=64", "-height=64", `-output=${image}`],
      );
      await accepted(lab, "server");

      const leastUsed = ["server", "-fractal", "-policy=LeastUsed", atRegistrar];
      const resigned = lab.ours("secondServer", ...leastUsed, "-giveup");
      const patient = lab.ours("secondServer", ...leastUsed, "-rereginterval=2000");
      await t.step("another policy than the pool's is refused, and -giveup ends the program", async () => {
        assert.equal(await resigned.ends(), EXIT_REFUSED, resigned.quote());
        await resigned.says(
          /registration in pool FractalGeneratorPool refused: inconsistent policy/,
        );
      });
      await t.step("without -giveup it is tried again", async () => {
        await patient.says(/refused: inconsistent policy.*; next attempt in .*refused: inconsistent policy/s);
      });

      await t.step("an unknown pool is told, and its image drawn when a server has come", async () => {
        await user.says(/the registrar knows no pool LatePool/);
        await toldUnknown(lab, "LatePool", TRIES);
        const late = lab.original(
          "secondServer",
          "rspserver",
          "-fractal",
          "-poolhandle=LatePool",
          atRegistrar,
        );
        assert.equal(await user.ends(), 0, user.quote());
        await assertPng(image, 64, 64);
        await late.interrupt();
      });

      await t.step("our server answers keep-alives and keeps its registrar", async () => {
        await keptAlive(lab, "server");
        assert.doesNotMatch(server.output, /lost/);
      });

      await t.step("Ctrl+C deregisters our server", async () => {
        const from = lab.messages.length;
        assert.equal(await server.interrupt(), 0, server.quote());
        await deregistered(lab, "server", from);
        assert.match(server.output, /deregistered from pool FractalGeneratorPool$/m);
      });

      await t.step("the server that was refused gets the pool, which is free now", async () => {
        await patient.says(/registered as .* in pool FractalGeneratorPool/);
        assert.equal(await policyOf(lab, "FractalGeneratorPool"), "LeastUsed");
      });

      await t.step("it registers again with the registrar that was started anew", async () => {
        const from = lab.messages.length;
        await registrar.kill();
        await patient.says(/registrar .* lost/);
        startRegistrar();
        await accepted(lab, "secondServer", from);
        await patient.says(/registered as .*lost.*registered as/s);
        assert.equal(await patient.interrupt(), 0, patient.quote());
      });

      await assertClean(lab, folder, "at-rsplibs", ["server", "user", "secondServer"]);
    }),
});
