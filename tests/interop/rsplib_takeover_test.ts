/**
 * A registrar dies silently (its cable is pulled), and another one takes its pool elements over: RSPLIB's registrar and
 * ours, RSPLIB's pool elements and ours, RSPLIB's user. Run by `scripts/kernel-lab test registrar`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import type { EnrpMessage } from "../../protocol/enrp/mod.ts";
import { readEnrp } from "../../protocol/enrp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import type { SeenMessage } from "./live_capture.ts";
import type { Program } from "./program.ts";
import { complaints, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, serving } from "./rsplib_lab.ts";

const ignore = !kernelSctpSupport().available;
/** Where the captures go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");

/** Shorter than by default, so that a test does not take minutes: all registrars have the same. */
const TIMES = [
  ...["-peerheartbeatcycle=1000", "-peermaxtimelastheard=2500", "-peermaxtimenoresponse=2500"],
  ...["-takeoverexpiryinterval=3000", "-endpointkeepalivetransmissioninterval=2000", PATIENT_REGISTRAR],
];
/** An element that registers again just when its registrar dies goes to another one by itself, before that takes it over. */
const NOT_AGAIN = "-rereginterval=600000";

/** The two pools: an element of RSPLIB's and one of ours. */
const THEIR_ELEMENT = 0x11111111, OUR_ELEMENT = 0x22222222;

/** Keep-alives of the new home that each element has to answer. */
const KEEP_ALIVES = 4;

/** How often a line is typed. */
const ATTEMPTS = 12;

type Make = "ours" | "original";

/** Where the first registrar serves: it does so from the start, but announces itself only after 5 s. */
const FIRST_REGISTRAR = `${Lab.addresses("registrar")[0]}:3863`;

/** Starts a registrar of one make with this ID. @returns when it listens */
async function startRegistrar(lab: Lab, make: Make, role: Role, registrarId: number): Promise<Program> {
  const words = [`-identifier=0x${registrarId.toString(16)}`, ...TIMES];
  if (role === "registrar") words.push(`-asap=${FIRST_REGISTRAR}`);
  return await serving(
    make === "original"
      ? lab.original(role, "rspregistrar", ...words)
      : lab.ours(role, "registrar", "-loglevel=4", ...words),
  );
}

/** What a message says, if it is one of ENRP. */
function enrpOf({ ppid, data }: SeenMessage): EnrpMessage | undefined {
  if (ppid !== Ppid.enrp) return undefined;
  try {
    return readEnrp(data);
  } catch {
    return undefined;
  }
}

async function seesEnrp(
  lab: Lab,
  type: EnrpMessage["type"],
  matches: (message: EnrpMessage) => boolean,
  from = 0,
): Promise<void> {
  await lab.sees(`ENRP ${type}`, (seen) => {
    const message = enrpOf(seen);
    return message?.type === type && matches(message);
  }, { from });
}

/** An element of each make, at the only registrar that there is. */
async function startElements(lab: Lab): Promise<readonly [Program, Program]> {
  const at = (
    elementId: number,
  ) => [`-registrar=${FIRST_REGISTRAR}`, `-identifier=0x${elementId.toString(16)}`, NOT_AGAIN];
  const theirs = lab.original("server", "rspserver", "-echo", PATIENT_ELEMENT, ...at(THEIR_ELEMENT));
  const ours = lab.ours(
    "server",
    ...["server", "-fractal", "-poolhandle=OurPool", "-loglevel=4"],
    ...at(OUR_ELEMENT),
  );
  for (const elementId of [THEIR_ELEMENT, OUR_ELEMENT]) {
    await lab.seesAsap("registrationResponse", "registrar", {
      matches: (message) => message.elementId === elementId && !message.rejected,
    });
  }
  return [theirs, ours];
}

/** A registrar gets to know both elements. */
async function knowsBoth(lab: Lab, registrarId: number): Promise<void> {
  await seesEnrp(lab, "handleTableResponse", (message) => {
    if (message.type !== "handleTableResponse" || message.receiverId !== registrarId) return false;
    const ids = message.pools.flatMap(({ elements }) => elements.map(({ elementId }) => elementId));
    return [THEIR_ELEMENT, OUR_ELEMENT].every((elementId) => ids.includes(elementId));
  });
}

/** The elements get a new home, and answer it again and again. */
async function rehomed(lab: Lab, homes: readonly Role[], from: number): Promise<Role> {
  const claims = (elementId: number) =>
    lab.sees(
      `a keep-alive with the H bit for 0x${elementId.toString(16)}`,
      ({ asap }) => asap?.type === "endpointKeepAlive" && asap.home && asap.elementId === elementId,
      { from },
    );
  const sources = [(await claims(THEIR_ELEMENT)).source, (await claims(OUR_ELEMENT)).source];
  const home = homes.find((role) => sources.every((source) => Lab.addresses(role).includes(source)));
  assert.ok(home !== undefined, `one registrar takes both over, not ${sources}`);
  for (const elementId of [THEIR_ELEMENT, OUR_ELEMENT]) {
    await lab.seesAsap("endpointKeepAliveAck", "server", {
      matches: (message, { destination }) =>
        message.elementId === elementId && Lab.addresses(home).includes(destination),
      count: KEEP_ALIVES,
      from,
    });
  }
  const others = lab.messages.slice(from).filter(({ asap, source }) =>
    asap?.type === "endpointKeepAlive" && asap.home && !Lab.addresses(home).includes(source)
  );
  assert.deepEqual(others.map(({ source }) => source), [], "nobody else takes them over");
  return home;
}

/** RSPLIB's user says something to the pool of RSPLIB's server, until it is answered: without a session that is lost. */
async function echoes(terminal: Program, text: string): Promise<void> {
  const answer = new RegExp(`from PE .*> ${text}`);
  await terminal.typesUntil(text, (limitMs) => terminal.says(answer, limitMs), ATTEMPTS);
}

async function withLab(name: string, body: (lab: Lab) => Promise<readonly Role[]>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`takeover-${Deno.pid}`);
    const ours = await body(lab);
    const file = `${KEEP ?? folder}/takeover-${name}.pcap`;
    await Deno.writeFile(file, await lab.endCapture());
    assert.deepEqual(await complaints(file, ours.flatMap((role) => Lab.addresses(role))), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const dead of ["original", "ours"] as const) {
  Deno.test({
    name: `two registrars: ours takes over from one of ${dead === "ours" ? "ours" : "RSPLIB's"} that dies`,
    ignore,
    fn: () =>
      withLab(`two-${dead}`, async (lab) => {
        await startRegistrar(lab, dead, "registrar", 1);
        const [theirs, ours] = await startElements(lab);
        const heir = await startRegistrar(lab, "ours", "secondServer", 2);
        await knowsBoth(lab, 2);
        await heir.says(/in service/i);
        const terminal = lab.original("user", "rspterminal");
        await echoes(terminal, "before");
        const from = lab.messages.length, said = terminal.output.length;
        await lab.pull("registrar");

        await rehomed(lab, ["secondServer"], from);

        await heir.says(/takeover|took over|taken over/i);
        await echoes(terminal, "afterwards");
        for (const element of [theirs, ours]) assert.ok(element.isRunning, element.quote());
        assert.doesNotMatch(heir.output, /was removed/);
        assert.doesNotMatch(terminal.output.slice(said), /FAILOVER/);
        return ["secondServer"];
      }),
  });
}

const TRIOS: readonly { readonly dead: Make; readonly heirs: readonly [Make, Make] }[] = [
  { dead: "original", heirs: ["original", "ours"] },
  { dead: "ours", heirs: ["original", "ours"] },
  { dead: "original", heirs: ["ours", "original"] },
  { dead: "ours", heirs: ["ours", "ours"] },
];

for (const { dead, heirs } of TRIOS) {
  const names = { ours: "ours", original: "RSPLIB's" };
  Deno.test({
    name: `three registrars: one of ${names[dead]} dies; 2 is ${names[heirs[0]]}, 3 is ${names[heirs[1]]}`,
    ignore,
    fn: () =>
      withLab(`three-${dead}-${heirs.join("-")}`, async (lab) => {
        await startRegistrar(lab, dead, "registrar", 1);
        const elements = await startElements(lab);
        const roles = ["secondServer", "user"] as const;
        const registrars = await Promise.all(
          heirs.map((make, n) => startRegistrar(lab, make, roles[n]!, n + 2)),
        );
        for (const id of [2, 3]) {
          await seesEnrp(lab, "presence", ({ senderId, receiverId }) => senderId === id && receiverId === 1);
          await seesEnrp(lab, "presence", ({ senderId, receiverId }) =>
            senderId === id && receiverId === 5 - id);
          await knowsBoth(lab, id);
        }
        const from = lab.messages.length;
        await lab.pull("registrar");

        const home = await rehomed(lab, roles, from);

        const homeId = 2 + roles.indexOf(home as typeof roles[number]);
        for (const element of elements) {
          assert.ok(element.isRunning, element.quote());
        }
        for (const registrar of registrars) {
          assert.doesNotMatch(registrar.output, /was removed/);
        }
        // By now all know whose they are: no more tables are asked for.
        const settled = lab.messages.length;
        await seesEnrp(lab, "presence", ({ senderId, receiverId }) =>
          senderId === homeId && receiverId === 5 - homeId, settled);
        const late = lab.messages.length;
        await lab.sees("three more presences of the new home", (seen) => {
          const message = enrpOf(seen);
          return message?.type === "presence" && message.senderId === homeId;
        }, { from: late, count: 3 });
        const requests = lab.messages.slice(late).map(enrpOf).filter((m) =>
          m?.type === "handleTableRequest"
        );
        assert.deepEqual(requests, []);
        return roles.filter((_, n) =>
          heirs[n] === "ours"
        );
      }),
  });
}

Deno.test({
  name: "RSPLIB's registrar suggests its element to ours, whose ID suits it better; ours becomes its home",
  ignore,
  fn: () =>
    withLab("suggestion", async (lab) => {
      const suggest = "-supporttakeoversuggestion";
      const old = ["rspregistrar", "-identifier=0x1", `-asap=${FIRST_REGISTRAR}`, ...TIMES, suggest];
      await serving(lab.original("registrar", ...old));
      const theirs = lab.original(
        "server",
        ...["rspserver", "-echo", PATIENT_ELEMENT, "-rereginterval=5000", `-registrar=${FIRST_REGISTRAR}`],
        `-identifier=0x${THEIR_ELEMENT.toString(16)}`,
      );
      await lab.seesAsap("registrationResponse", "registrar", { matches: ({ rejected }) => !rejected });
      const words = ["registrar", "-identifier=0xeeeeeeee", "-loglevel=4", ...TIMES, suggest];
      const heir = lab.ours("secondServer", ...words);

      await lab.seesAsap("endpointKeepAlive", "secondServer", { matches: ({ home }) => home });

      await lab.seesAsap("registration", "server", {
        matches: ({ element }, { destination }) =>
          element.elementId === THEIR_ELEMENT && Lab.addresses("secondServer").includes(destination),
        count: 2,
      });
      await seesEnrp(
        lab,
        "handleUpdate",
        (message) =>
          message.type === "handleUpdate" && message.action === "add" && message.senderId === 0xeeeeeeee &&
          message.element.homeRegistrarId === 0xeeeeeeee,
      );
      assert.ok(theirs.isRunning, theirs.quote());
      assert.doesNotMatch(heir.output, /was removed/);
      return ["secondServer"];
    }),
});
