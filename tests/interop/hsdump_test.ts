/**
 * `rsp hsdump` and RSPLIB's `hsdump` at RSPLIB's registrars and at ours, over kernel SCTP. RSPLIB's registrar tells its
 * peers only, and waits for all of them when it takes another one over: the tests show that ours can be read, and that
 * it takes over while it is read. Run by `scripts/kernel-lab test registrar`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { readEnrp } from "../../protocol/enrp/mod.ts";
import type { EnrpMessage } from "../../protocol/enrp/mod.ts";
import type { StateObject } from "../../protocol/dump/mod.ts";
import { Ppid } from "../../protocol/net.ts";
import { DecodeError } from "../../protocol/wire/mod.ts";
import { showText } from "../../protocol/wire/text.ts";
import type { SeenMessage } from "./live_capture.ts";
import type { Program } from "./program.ts";
import { Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role, serving } from "./rsplib_lab.ts";

const ignore = !kernelSctpSupport().available;

/** The registrars of a test: the first one serves the element and dies, the second one is read, the third one agrees. */
const REGISTRARS = [
  { role: "registrar", id: "0x00001111" },
  { role: "secondServer", id: "0x00002222" },
  { role: "user", id: "0x00003333" },
] as const satisfies readonly { readonly role: Role; readonly id: string }[];
const [FIRST, SECOND, THIRD] = REGISTRARS;
/** Where the element and the readers are. */
const READER: Role = "server";
const SECOND_ENRP = `${Lab.addresses(SECOND.role)[0]}:9901`;
/** Our registrar has found a mentor, or done without one: until then it shows nobody what it has. */
const IN_SERVICE = /in service/;
/** RSPLIB's registrar forgets readers after 10 s, a patient one after 30; the rest is for a slow guest. */
const FORGOTTEN_LIMIT_MS = 120_000;

/** The third one does not find the first one dead, so that the second one takes it over and nobody else. */
const PATIENT = "-peermaxtimelastheard=300000";

function enrpOf(seen: SeenMessage): EnrpMessage | undefined {
  if (seen.ppid !== Ppid.enrp) return undefined;
  try {
    return readEnrp(seen.data);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Waits for an ENRP message from one role to another. */
async function seesEnrp(
  lab: Lab,
  type: EnrpMessage["type"],
  from: Role,
  to: Role,
  start = 0,
): Promise<void> {
  await lab.sees(`ENRP ${type} of ${from} to ${to}`, (seen) => {
    return Lab.addresses(from).includes(seen.source) && Lab.addresses(to).includes(seen.destination) &&
      enrpOf(seen)?.type === type;
  }, { from: start });
}

/**
 * Starts three registrars of RSPLIB's, and an element at the first one.
 *
 * @param options of the second registrar, which is to take the first one over
 * @returns the registrars
 */
async function startScope(lab: Lab, options: readonly string[]): Promise<readonly Program[]> {
  const registrars = REGISTRARS.map(({ role, id }) => {
    const [address] = Lab.addresses(role);
    return lab.original(
      role,
      ...["rspregistrar", `-identifier=${id}`, `-asap=${address}:3863`, `-enrp=${address}:9901`],
      ...["-loglevel=4", "-logcolor=off", PATIENT_REGISTRAR],
      ...(role === SECOND.role ? options : role === THIRD.role ? [PATIENT] : []),
    );
  });
  // A registrar that still looks for a mentor would take a reader for one.
  for (const [from, to] of [[FIRST, SECOND], [SECOND, FIRST], [SECOND, THIRD], [THIRD, SECOND]] as const) {
    await seesEnrp(lab, "presence", from.role, to.role);
  }
  // It hears of no other registrar, so that it is there to be taken over; and it lives until then without registering again.
  const hunt = [`-registrar=${Lab.addresses(FIRST.role)[0]}:3863`, "-asapannounce=off"];
  lab.original(READER, "rspserver", "-echo", "-rereginterval=600000", PATIENT_ELEMENT, ...hunt);
  await lab.seesAsap("registrationResponse", FIRST.role);
  await seesEnrp(lab, "handleUpdate", FIRST.role, SECOND.role);
  return registrars;
}

/** The last dump of a reader that writes JSON. */
function lastDump({ output }: Program): StateObject {
  // What comes behind the last line feed is the beginning of a line.
  const line = output.split("\n").slice(0, -1).findLast((line) => line.startsWith("{"));
  assert.ok(line !== undefined, output);
  return JSON.parse(line);
}

/** The home of each element of a dump. */
function homes({ pools }: StateObject): string[] {
  return pools.flatMap(({ elements }) => elements.map(({ homeRegistrarId }) => homeRegistrarId));
}

/** Pools and elements of a dump in RSPLIB's layout, without what each program sees its own way. */
function essence({ output }: Program): string[] {
  const lines = output.split("\n").filter((line) => /^ \+-- Pool|^ {5}(t=|userT:|regT:)/.test(line));
  const elements = output.matchAll(
    /^ {3}- idx:#\d+: (\$\w+) flags=.*\n *chsum=\$\w+ (home=\$\w+ life=\d+ms)/gm,
  );
  return [...lines, ...[...elements].map(([, id, rest]) => `${id} ${rest}`)];
}

Deno.test({
  name: "RSPLIB's registrar takes over while our hsdump watches it, and forgets it afterwards",
  ignore,
  fn: (t) =>
    withLab(async (lab) => {
      // The acknowledgements come, however late.
      const [first, second] = await startScope(lab, ["-takeoverexpiryinterval=60000"]);
      const watch = lab.ours(READER, "hsdump", SECOND_ENRP, "-json", "-watch=1");
      await t.step("it shows the element and both peers", async () => {
        await watch.says(/"elementCount":1,"ownedCount":0.*"0x00001111".*"0x00003333".*\n/);
        assert.deepEqual(homes(lastDump(watch)), [FIRST.id]);
      });

      await t.step("it acknowledges the takeover, which is completed", async () => {
        const from = lab.messages.length;
        await first?.kill();
        await seesEnrp(lab, "initTakeover", SECOND.role, READER, from);
        await seesEnrp(lab, "initTakeoverAck", READER, SECOND.role, from);
        await second?.says(/Takeover of peer \$00001111 completed/);
      });

      await t.step("Ctrl+C lets it stay until it is forgotten", async () => {
        watch.signal("SIGINT");
        await watch.says(/staying until registrar \$00002222 has forgotten us/);
        assert.equal(await watch.ends(FORGOTTEN_LIMIT_MS), 0, watch.quote());
      });

      await t.step("no trace of it is left", async () => {
        const once = lab.ours(READER, "hsdump", SECOND_ENRP, "-json", "-loglevel=4");
        await once.says(/^\{.*\}\n/m);
        assert.deepEqual(lastDump(once).peers.map(({ registrarId }) => registrarId), [THIRD.id]);
        await once.says(/tells its peers only/);
        assert.equal(await once.ends(FORGOTTEN_LIMIT_MS), 0, once.quote());
      });
    }),
});

Deno.test({
  name: "RSPLIB's hsdump makes the same takeover expire, and shows the same as ours",
  ignore,
  fn: (t) =>
    withLab(async (lab) => {
      // The reader that does not acknowledge has so long to come, between the death and the takeover.
      const [first, second] = await startScope(lab, ["-peermaxtimelastheard=25000"]);
      const original = lab.original(READER, "hsdump", SECOND_ENRP);
      assert.equal(await original.ends(), 0, original.quote());
      await t.step("both show the same", async () => {
        const ours = lab.ours(READER, "hsdump", SECOND_ENRP);
        assert.equal(await ours.ends(FORGOTTEN_LIMIT_MS), 0, ours.quote());
        assertSame(ours, original);
      });

      await t.step("it does not acknowledge", async () => {
        await first?.kill();
        await lab.original(READER, "hsdump", SECOND_ENRP).ends();
        await second?.says(/Takeover of peer \$00001111 has expired, 1 outstanding/, FORGOTTEN_LIMIT_MS);
      });
    }),
});

Deno.test({
  name: "RSPLIB's hsdump and ours read our registrar, and neither stays on",
  ignore,
  fn: (t) =>
    withLab(async (lab) => {
      const [address] = Lab.addresses(FIRST.role);
      const words = [
        "registrar",
        `-identifier=${FIRST.id}`,
        `-asap=${address}:3863`,
        `-enrp=${address}:9901`,
      ];
      const registrar = await serving(lab.ours(FIRST.role, ...words, "-loglevel=4", PATIENT_REGISTRAR));
      lab.original(READER, "rspserver", "-echo", PATIENT_ELEMENT, `-registrar=${address}:3863`);
      await lab.seesAsap("registrationResponse", FIRST.role);
      await registrar.says(IN_SERVICE);
      const ours = lab.ours(READER, "hsdump", `${address}:9901`, "-loglevel=4");
      assert.equal(await ours.ends(), 0, ours.quote());
      assert.doesNotMatch(ours.output, /tells its peers only|staying/);
      const original = lab.original(READER, "hsdump", `${address}:9901`);
      assert.equal(await original.ends(), 0, original.quote());
      await t.step("both show the same", () => assertSame(ours, original));

      await t.step("the registrar shows it, too, when it is asked by SIGUSR1", async () => {
        registrar.signal("SIGUSR1");
        await registrar.says(/\*{15} \S+ state \*{15}\nPeerList of \$00001111 .*^\*{40}/ms);
        assertSame(registrar, original);
      });

      assert.equal(await registrar.interrupt(), 0, registrar.quote());
    }),
});

/** Whatever a slow guest's distances are, they are shown as 0. */
const NO_DISTANCE = "-distancestep=60000";

/** Every policy that RSPLIB's server can be given and its registrar can hand on (reference/rsplib.md §2). */
const POLICIES = [
  ...["RoundRobin", "WeightedRoundRobin:7", "Random", "WeightedRandom:9", "Priority:11", "LeastUsed"],
  ...["LeastUsedDegradation:0.25", "PriorityLeastUsed:0.5", "RandomizedLeastUsed"],
  ...["RandomizedPriorityLeastUsed", "PriorityLeastUsedDegradation:0.5", "WeightedRandomDPF:13:0.5"],
  ...["LeastUsedDPF:0.5", "LeastUsedDegradationDPF:0.25:0.5"],
];

Deno.test({
  name: "our registrar takes elements of every policy, and RSPLIB's registrar has the same from ours",
  ignore,
  fn: (t) =>
    withLab(async (lab) => {
      const [address] = Lab.addresses(FIRST.role), at = `${address}:3863`;
      const enrp = `-enrp=${address}:9901`;
      const options = [NO_DISTANCE, PATIENT_REGISTRAR];
      const registrar = await serving(
        lab.ours(FIRST.role, "registrar", `-identifier=${FIRST.id}`, `-asap=${at}`, enrp, ...options),
      );
      for (const policy of POLICIES) {
        const pool = policy.replace(/:.*/, "");
        lab.original(
          READER,
          "rspserver",
          "-echo",
          `-poolhandle=${pool}`,
          `-policy=${policy}`,
          `-registrar=${at}`,
          PATIENT_ELEMENT,
        );
        await lab.seesAsap("registrationResponse", FIRST.role, {
          matches: ({ rejected, poolHandle }) => !rejected && showText(poolHandle) === pool,
        });
      }
      await registrar.says(IN_SERVICE);
      const { role, id } = SECOND, [other] = Lab.addresses(role);
      const places = [`-asap=${other}:3863`, `-enrp=${other}:9901`];
      lab.original(role, "rspregistrar", `-identifier=${id}`, ...places, ...options);
      await lab.seesEnrp("handleTableResponse", FIRST.role, role, { matches: ({ more }) => !more });
      const theirs = lab.original(READER, "hsdump", `${other}:9901`);
      const ours = lab.original(READER, "hsdump", `${address}:9901`);
      for (const dump of [theirs, ours]) assert.equal(await dump.ends(), 0, dump.quote());
      for (const policy of POLICIES) {
        const [name = ""] = policy.split(":");
        await t.step(policy, () => {
          const [one, other] = [ours, theirs].map((dump) => poolOf(dump, name));
          assert.match(one?.[0] ?? "", new RegExp(`Policy "${name}"`));
          assert.deepEqual(one, other);
        });
      }
    }),
});

/** The lines of a pool in a dump of RSPLIB's layout, without what each registrar counts itself. */
function poolOf(dump: Program, name: string): string[] {
  const lines = essence(dump), start = lines.findIndex((line) => line.includes(`Pool "${name}"`));
  const end = lines.findIndex((line, i) => i > start && line.includes("Pool "));
  return start < 0 ? [] : lines.slice(start, end < 0 ? undefined : end);
}

function assertSame(ours: Program, original: Program): void {
  const expected = essence(original);
  assert.ok(expected.some((line) => line.includes('Pool "EchoPool"')), original.quote());
  assert.deepEqual(essence(ours), expected);
}

async function withLab(body: (lab: Lab) => Promise<void>): Promise<void> {
  await using lab = await Lab.make(`hsdump-${Deno.pid}`);
  await body(lab);
}
