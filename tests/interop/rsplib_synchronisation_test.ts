/**
 * Our registrar and RSPLIB's as peers: each fetches what the other knows at its start, tells the other what comes and
 * goes, and agrees with it from then on. Run by `scripts/kernel-lab test registrar`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { type AsapMessage, writeAsap } from "../../protocol/asap/mod.ts";
import { type EnrpMessage, writeEnrp } from "../../protocol/enrp/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { showText } from "../../protocol/wire/text.ts";
import type { Program } from "./program.ts";
import { complaints, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, serving } from "./rsplib_lab.ts";

const ignore = !kernelSctpSupport().available;
/** Where the captures go; the caller's choice, else a temporary folder. */
const KEEP = Deno.env.get("RSP_CAPTURES");

/** The registrars: which is whose depends on the test. */
const FIRST = "registrar", SECOND = "secondServer";
const IDS = { [FIRST]: 0x1111, [SECOND]: 0x2222 } as const;
type RegistrarRole = keyof typeof IDS;
/** Where the elements are, and who asks about them. */
const ELEMENTS: Role = "server", ASKER: Role = "user";

/** Presences of 2.4 s, ±12.5 %, of each: more than 60 s. */
const AGREEING_CYCLES = 29;
/** More than one handle table response takes. */
const MANY_ELEMENTS = 300;
const QUIET_LIMIT_MS = 240_000;
/**
 * Nobody is missed here, nor removed, however long something stands still; and hundreds of elements are not asked so often
 * that a capture of many minutes is more than a process of the guest can hold.
 */
const PATIENT = [
  ...[PATIENT_REGISTRAR, "-peermaxtimelastheard=300000"],
  "-endpointkeepalivetransmissioninterval=15000",
];

type Make = "ours" | "original";

/** Starts a registrar. @returns when it listens */
async function startRegistrar(
  lab: Lab,
  make: Make,
  role: RegistrarRole,
  ...options: readonly string[]
): Promise<Program> {
  const [address] = Lab.addresses(role);
  const places = [`-asap=${address}:3863`, `-enrp=${address}:9901`];
  const words = [`-identifier=0x${IDS[role].toString(16)}`, ...places, ...PATIENT, ...options];
  return await serving(
    make === "original"
      ? lab.original(role, "rspregistrar", ...words)
      : lab.ours(role, "registrar", "-loglevel=4", ...words),
  );
}

/** Starts an element at a registrar. @returns when it is accepted */
async function startElement(
  lab: Lab,
  make: Make,
  { at, pool, elementId }: { readonly at: RegistrarRole; readonly pool: string; readonly elementId: number },
  ...options: readonly string[]
): Promise<Program> {
  const words = [
    ...options,
    ...[`-registrar=${Lab.addresses(at)[0]}:3863`, "-asapannounce=off", `-poolhandle=${pool}`],
    `-identifier=0x${elementId.toString(16)}`,
  ];
  const program = make === "original"
    ? lab.original(ELEMENTS, "rspserver", "-echo", PATIENT_ELEMENT, ...words)
    : lab.ours(ELEMENTS, "server", "-fractal", ...words);
  await lab.seesAsap("registrationResponse", at, {
    matches: (message) => message.elementId === elementId && !message.rejected,
  });
  return program;
}

/** Asks a registrar for a pool, as a user does. @returns whether it offers an element */
async function offers(lab: Lab, role: RegistrarRole, pool: string): Promise<boolean> {
  const [address] = Lab.addresses(role);
  const options = ["-asap=resolve", `-poolhandle=${pool}`, "-elements=0", "-count=1", "-json"];
  const asker = lab.ours(ASKER, "bench", `${address}:3863`, ...options);
  assert.equal(await asker.ends(), 0, asker.quote());
  const [, refused] = await asker.says(/"refused":(\d+)/);
  return refused === "0";
}

/** A registrar tells the other one that an element of its own came or went. */
async function tells(
  lab: Lab,
  [from, to]: readonly [RegistrarRole, RegistrarRole],
  wanted: { readonly action: "add" | "delete"; readonly elementId: number },
  start = 0,
): Promise<void> {
  const { element } = await lab.seesEnrp("handleUpdate", from, to, {
    matches: ({ action, element }) => action === wanted.action && element.elementId === wanted.elementId,
    from: start,
  });
  assert.equal(element.homeRegistrarId, IDS[from]);
  assert.ok(element.asapTransport !== undefined, "an update says where the element's registrar reaches it");
}

/** The newcomer asks the other one for its peers and for all elements. @returns the number of table responses */
async function synchronises(lab: Lab, newcomer: RegistrarRole, mentor: RegistrarRole): Promise<number> {
  await lab.seesEnrp("listRequest", newcomer, mentor);
  const { servers } = await lab.seesEnrp("listResponse", mentor, newcomer, {
    matches: ({ rejected }) => !rejected,
  });
  assert.ok(servers.every(({ registrarId }) => registrarId !== IDS[mentor]));
  await lab.seesEnrp("handleTableRequest", newcomer, mentor, {
    matches: ({ ownChildrenOnly }) => !ownChildrenOnly,
  });
  await lab.seesEnrp("handleTableResponse", mentor, newcomer, {
    matches: ({ more, rejected }) => !more && !rejected,
  });
  return lab.messages.filter(({ enrp }) => enrp?.type === "handleTableResponse").length;
}

/** Sends a registrar one message of somebody else's. @returns how many messages there were up to this one */
async function tellsBySomebody(
  lab: Lab,
  role: RegistrarRole,
  message: AsapMessage | EnrpMessage,
): Promise<number> {
  const isAsap = message.type === "endpointUnreachable";
  const octets = isAsap ? writeAsap(message) : writeEnrp(message as EnrpMessage);
  const [address] = Lab.addresses(role);
  const words = isAsap ? [3863, Ppid.asap] : [9901, Ppid.enrp];
  const told = octets.toHex();
  const teller = lab.script(ASKER, "one_message.ts", address, ...words.map(String), told);
  const seen = await lab.sees("what somebody tells", ({ data }) => data.toHex() === told);
  assert.equal(await teller.ends(), 0, teller.quote());
  return lab.messages.indexOf(seen) + 1;
}

/** A registrar has seen by the other one's checksum that it misses or has something. @returns the table that it got */
async function repairs(lab: Lab, role: RegistrarRole, owner: RegistrarRole, from: number): Promise<number[]> {
  await lab.seesEnrp("handleTableRequest", role, owner, {
    matches: ({ ownChildrenOnly }) => ownChildrenOnly,
    from,
  });
  const { pools } = await lab.seesEnrp("handleTableResponse", owner, role, {
    matches: ({ more }) => !more,
    from,
  });
  return pools.flatMap(({ elements }) => elements.map(({ elementId }) => elementId));
}

/** For a minute, both say what they own, and neither finds that the other one knows something else. */
async function agree(lab: Lab): Promise<void> {
  const from = lab.messages.length;
  await Promise.all(
    ([[FIRST, SECOND], [SECOND, FIRST]] as const).map(([sender, receiver]) =>
      lab.seesEnrp("presence", sender, receiver, { count: AGREEING_CYCLES, from, limitMs: QUIET_LIMIT_MS })
    ),
  );
  const requests = lab.messages.slice(from).filter(({ enrp }) => enrp?.type === "handleTableRequest");
  assert.deepEqual(requests.map(({ source }) => source), []);
}

async function withLab(name: string, ours: Role, body: (lab: Lab) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${KEEP ?? folder}/synchronisation-${name}.pcap`;
    await using lab = await Lab.make(`sync-${Deno.pid}`);
    try {
      await body(lab);
    } finally {
      await Deno.writeFile(file, await lab.endCapture());
    }
    assert.deepEqual(await complaints(file, Lab.addresses(ours)), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const [owner, receiver] of [["original", "ours"], ["ours", "original"]] as const) {
  Deno.test({
    name: `checksums that differ are seen, and repaired: registrar ${
      owner === "ours" ? "ours" : "RSPLIB's"
    } owns, ${receiver === "ours" ? "ours" : "RSPLIB's"} has lost an element`,
    ignore,
    fn: (t) =>
      withLab(`checksum-${owner}`, owner === "ours" ? FIRST : SECOND, async (lab) => {
        await startRegistrar(lab, owner, FIRST);
        const program = await startRegistrar(lab, receiver, SECOND, "-maxbadpereports=1");
        for (const [from, to] of [[FIRST, SECOND], [SECOND, FIRST]] as const) {
          await lab.seesEnrp("presence", from, to);
        }
        // A registration renewed would repair it first.
        const element = { at: FIRST, pool: "AuditPool", elementId: 0x11 } as const;
        await startElement(lab, "original", element, "-rereginterval=600000");
        await tells(lab, [FIRST, SECOND], { action: "add", elementId: 0x11 });
        assert.ok(await offers(lab, SECOND, "AuditPool"));

        await t.step("it asks for the owner's table, and has the element again", async () => {
          const poolHandle = new TextEncoder().encode("AuditPool");
          const report = { type: "endpointUnreachable", poolHandle, elementId: 0x11 } as const;
          const from = await tellsBySomebody(lab, SECOND, report);
          assert.deepEqual(await repairs(lab, SECOND, FIRST, from), [0x11]);
          const told = lab.messages.slice(from).filter(({ enrp }) => enrp?.type === "handleUpdate");
          assert.deepEqual(told.map(({ source }) => source), [], "no update has repaired it");
          assert.ok(await offers(lab, SECOND, "AuditPool"), program.quote());
          if (receiver === "ours") {
            await program.says(/0x00000011 was removed: reported unreachable/);
          }
        });

        await t.step("an update of somebody else is refused by ours, and undone by RSPLIB's", async () => {
          const transport = { protocol: "sctp", port: 7, addresses: [...Lab.addresses(ASKER)] } as const;
          const from = await tellsBySomebody(lab, SECOND, {
            type: "handleUpdate",
            senderId: 0x7777,
            receiverId: IDS[SECOND],
            action: "add",
            poolHandle: new TextEncoder().encode("StrayPool"),
            element: {
              ...{ elementId: 0x99, homeRegistrarId: IDS[FIRST], registrationLifeMs: 600_000 },
              userTransport: { ...transport, use: "data" },
              asapTransport: { ...transport, use: "data" },
              policy: { name: "RoundRobin", type: 1 },
            },
          });
          if (receiver === "original") assert.deepEqual(await repairs(lab, SECOND, FIRST, from), [0x11]);
          assert.ok(!await offers(lab, SECOND, "StrayPool"), program.quote());
        });
      }),
  });
}

for (const [first, second] of [["original", "ours"], ["ours", "original"]] as const) {
  Deno.test({
    name: first === "original"
      ? "ours joins RSPLIB's: it learns what is there, both tell what changes, and they agree for a minute"
      : "RSPLIB's joins ours: it learns what is there, both tell what changes, and they agree for a minute",
    ignore,
    fn: (t) =>
      withLab(first, first === "ours" ? FIRST : SECOND, async (lab) => {
        const mentor = await startRegistrar(lab, first, FIRST);
        const early = await startElement(lab, "original", { at: FIRST, pool: "EarlyPool", elementId: 0x11 });
        const [address] = Lab.addresses(FIRST);
        const many = lab.ours(
          ELEMENTS,
          ...["bench", `${address}:3863`, "-asap=resolve", "-poolhandle=LargePool"],
          ...[`-elements=${MANY_ELEMENTS}`, "-think=1000", "-duration=3600"],
        );
        await lab.seesAsap("handleResolution", ELEMENTS, {
          matches: ({ poolHandle }) => showText(poolHandle) === "LargePool",
        });

        if (first === "ours") await mentor.says(/in service/); // until then it rejects what the newcomer asks
        const newcomer = await startRegistrar(lab, second, SECOND);
        await t.step("the newcomer fetches peers and elements, in more than one response", async () => {
          assert.ok(await synchronises(lab, SECOND, FIRST) > 1);
          assert.ok(await offers(lab, SECOND, "EarlyPool"), newcomer.quote());
          assert.ok(await offers(lab, SECOND, "LargePool"), newcomer.quote());
        });

        let late: Program | undefined, again: Program | undefined;
        await t.step("each tells the other one of new elements", async () => {
          late = await startElement(lab, "ours", { at: SECOND, pool: "LatePool", elementId: 0x22 });
          await tells(lab, [SECOND, FIRST], { action: "add", elementId: 0x22 });
          assert.ok(await offers(lab, FIRST, "LatePool"));
          again = await startElement(lab, "original", { at: FIRST, pool: "AgainPool", elementId: 0x33 });
          await tells(lab, [FIRST, SECOND], { action: "add", elementId: 0x33 });
          assert.ok(await offers(lab, SECOND, "AgainPool"));
        });

        await t.step("their checksums agree for a minute", () => agree(lab));

        await t.step("each tells the other one of elements that leave", async () => {
          const from = lab.messages.length;
          assert.equal(await late?.interrupt(), 0, late?.quote());
          await tells(lab, [SECOND, FIRST], { action: "delete", elementId: 0x22 }, from);
          assert.ok(!await offers(lab, FIRST, "LatePool"));
          assert.equal(await again?.interrupt(), 0, again?.quote());
          await tells(lab, [FIRST, SECOND], { action: "delete", elementId: 0x33 }, from);
          assert.ok(!await offers(lab, SECOND, "AgainPool"));
        });

        for (const program of [early, many]) assert.ok(program.isRunning, program.quote());
      }),
  });
}
