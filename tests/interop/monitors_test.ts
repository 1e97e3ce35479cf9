/**
 * Component status across the makes: RSPLIB's cspmonitor shows our registrars, elements and users, and ours shows RSPLIB's,
 * while they appear, work, die and leave. Run by `scripts/kernel-lab test status`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { ComponentGroup } from "../../protocol/csp/mod.ts";
import { PageView } from "./page_view.ts";
import { type Picture, Pictures, type ShownComponent } from "./monitor_pictures.ts";
import type { Program } from "./program.ts";
import { complaints, Lab, PATIENT_ELEMENT, PATIENT_REGISTRAR, type Role } from "./rsplib_lab.ts";
import { type Make, MAKER, PATIENCE_WITH_ORIGINALS_MS } from "./service_lab.ts";
import { packWork } from "./work_package.ts";

const ignore = !kernelSctpSupport().available;
/** The caller's folder for the captures. */
const KEEP = Deno.env.get("RSP_CAPTURES");

const MONITOR: Role = "secondServer";
const PLACE = "127.0.0.1:8080", PAGE = `http://${PLACE}/`;
const REPORTS = [`-cspserver=${Lab.addresses(MONITOR)[0]}`, "-cspinterval=500"];
/** Elements learn soon who their registrar is, and none that stands still for a moment loses it for the other one. */
const KEEP_ALIVES = ["-endpointkeepalivetransmissioninterval=1000", PATIENT_REGISTRAR];

const FRACTAL = "0x000000f1", PING_PONG = ["0x000000a1", "0x000000a2"] as const;
/** Users whose jobs do not end before the scene does. */
const ENDLESS = /calcappclient|scriptingclient/;
/** What users speak with elements. */
const SPOKEN = ["FractGen", "PingPong", "CalcApp", "Scripting", "Data"];
/** Far longer than a scene, in seconds and calculations. */
const JOB_SECONDS = 600, JOB_CALCULATIONS = 1e12;

for (const [stage, monitor] of [["ours", "original"], ["original", "ours"]] as const) {
  Deno.test({
    name: `cspmonitor ${MAKER[monitor]} shows registrars, elements and users that are ${MAKER[stage]}`,
    ignore,
    fn: (t) => withScene(stage, monitor, (scene) => play(t, scene)),
  });
}

/** Programs of one make, and a monitor of the other one. */
class Scene {
  readonly lab: Lab;
  readonly make: Make;
  readonly folder: string;
  readonly pictures: Pictures;
  /** What our monitor's page knows. */
  readonly page: PageView | undefined;

  constructor(lab: Lab, make: Make, folder: string, monitor: Program) {
    this.lab = lab;
    this.make = make;
    this.folder = folder;
    this.pictures = new Pictures(monitor, () => lab.quote());
    if (make === "original") this.page = new PageView(lab.script(MONITOR, "page_reader.ts", PAGE));
  }

  /** Starts a program, by RSPLIB's name, that reports its status. */
  start(role: Role, name: keyof typeof OUR_NAMES, ...words: readonly string[]): Program {
    return this.make === "ours"
      ? this.lab.ours(role, OUR_NAMES[name], ...words, ...REPORTS)
      : this.lab.original(role, name, ...words, ...REPORTS);
  }

  /** Starts a registrar, as the only one of its ID. */
  startRegistrar(role: Role, id: string): Program {
    return this.start(role, "rspregistrar", `-identifier=${id}`, ...KEEP_ALIVES);
  }

  /** Starts an element that reports under its own ID, which RSPLIB's would not do by itself. */
  startElement(role: Role, id: string, ...words: readonly string[]): Program {
    const patience = this.make === "original" ? [PATIENT_ELEMENT] : [];
    return this.start(role, "rspserver", `-identifier=${id}`, `-cspidentifier=${id}`, ...patience, ...words);
  }
}

const OUR_NAMES = {
  rspregistrar: "registrar",
  rspserver: "server",
  fractalpooluser: "pooluser",
  pingpongclient: "pingpongclient",
  calcappclient: "calcappclient",
  scriptingclient: "scriptingclient",
  rspterminal: "terminal",
} as const;

async function withScene(
  make: Make,
  monitorMake: Make,
  body: (scene: Scene) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await using lab = await Lab.make(`status-${Deno.pid}`);
    const monitor = monitorMake === "ours"
      ? lab.ours(MONITOR, "cspmonitor", "-full", "-snapshots", "-updateinterval=500", `-web=${PLACE}`)
      : lab.original(MONITOR, "cspmonitor", "-full", "-updateinterval=500");
    if (monitorMake === "ours") await monitor.says(/awaiting reports[^]*page for a browser/);
    const file = `${KEEP ?? folder}/status-${make}.pcap`;
    try {
      await body(new Scene(lab, make, folder, monitor));
    } finally {
      await Deno.writeFile(file, await lab.endCapture());
    }
    assert.equal(await monitor.interrupt(), 0, monitor.quote());
    if (make === "original") return;
    const everywhere = ["registrar", "server", "user", "secondServer"] as const;
    assert.deepEqual(await complaints(file, everywhere.flatMap((role) => Lab.addresses(role))), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function play(t: Deno.TestContext, scene: Scene): Promise<void> {
  const { pictures, page } = scene;
  const startedAt = Date.now();
  const first = scene.startRegistrar("registrar", "0x1111");
  await t.step("a registrar appears", () => registrarAppears(pictures));

  const fractal = scene.startElement("server", FRACTAL, "-fractal", "-policy=LeastUsed");
  const pingPongs = [
    scene.startElement("server", PING_PONG[0], "-pingpong"),
    scene.startElement("secondServer", PING_PONG[1], "-pingpong"),
  ];
  const others = startOtherElements(scene);
  await t.step("elements appear with their registrar, and with their workload", async () => {
    await elementsAppear(pictures);
    await page?.knows("six elements", (page) => page.linkedTo("PR $00001111", "ASAP/SCTP").length === 6);
    if (page === undefined) return;
    const element = page.component(label(FRACTAL));
    assert.deepEqual([element?.load, element?.sessions], [0, 0]);
  });

  const second = scene.startRegistrar("secondServer", "0x2222");
  await t.step("the registrar's uptime grows, and is not longer than it has been there", async () => {
    const uptimeOf = (picture: Picture) => secondsOf(find(picture, "PR $00001111")?.uptime);
    const before = uptimeOf(await pictures.show("an uptime", (picture) => uptimeOf(picture) > 0));
    const after = uptimeOf(await pictures.show("a longer uptime", (picture) => uptimeOf(picture) > before));
    const most = (Date.now() - startedAt) / 1000;
    assert.ok(after <= most, `${after} s of ${most} s`);
  });
  await t.step("a second registrar appears, and both are peers", async () => {
    await pictures.show("two peers", (picture) => {
      const [one, other] = ofGroup(picture, "PR");
      return one?.status === "6[6] PEs in 5 Pools, 1 Peer" && has(one, "PR $00002222", "ENRP/SCTP") &&
        other?.status === "6[0] PEs in 5 Pools, 1 Peer" && has(other, "PR $00001111", "ENRP/SCTP");
    });
  });

  const users = await startUsers(scene);
  await t.step("users appear with their elements, in all services", async () => {
    await usersAppear(pictures);
    await page?.knows(
      "users of all services",
      (page) =>
        SPOKEN.every((name) =>
          [...page.components.values()].some(({ group, links }) =>
            group === ComponentGroup.user && links.some(({ kind }) => kind === `${name}/SCTP`)
          )
        ),
    );
  });
  await t.step("the fractal user says what it does, and its element how busy it is", () => work(scene));
  await t.step(
    "an element is killed: its user goes to another one, and it leaves, as it is silent",
    async () => {
      const serving = servingPingPong(
        await pictures.show("a ping-pong user", (picture) => servingPingPong(picture) !== undefined),
      );
      const dying = PING_PONG.findIndex((id) => label(id) === serving);
      await pingPongs[dying]?.kill();
      const other = label(PING_PONG[1 - dying] ?? "");
      await pictures.show(`a user at ${other}`, (picture) => servingPingPong(picture) === other);
      await pictures.show(`no ${serving}`, (picture) => find(picture, serving ?? "") === undefined);
      await page?.knows(
        "a failover",
        (page) => page.tells("failover", serving, other) && page.tells("silent"),
      );
    },
  );

  await t.step("a registrar ends: it leaves at once, and all others go to the second one", async () => {
    assert.equal(await first.interrupt(), 0, first.quote());
    await pictures.show("one registrar", ({ counts }) => counts[0] === 1);
    await pictures.show("all elements at the second one", (picture) => {
      return ofGroup(picture, "PE").every((one) => has(one, "PR $00002222", "ASAP/SCTP"));
    });
    await page?.knows("a takeover", (page) => page.tells("takeover", "PR $00001111", "PR $00002222"));
  });

  await t.step("all leave", async () => {
    for (const programs of [users, [fractal, ...pingPongs, ...others], [second]]) {
      await leave(scene, programs);
    }
    await pictures.showNobody();
    await page?.knows("nobody", ({ components }) => components.size === 0);
  });
}

async function registrarAppears(pictures: Pictures): Promise<void> {
  const id = "PR $00001111";
  const picture = await pictures.show("a registrar", (picture) => find(picture, id) !== undefined);
  const registrar = find(picture, id);
  assert.equal(registrar?.status, "0[0] PEs in 0 Pools, 0 Peers");
  assert.match(registrar.location, /: .*\bfd99::1\b/);
  assert.deepEqual([registrar.associationCount, registrar.load, registrar.links], [0, undefined, []]);
}

async function elementsAppear(pictures: Pictures): Promise<void> {
  const picture = await pictures.show("six elements with a registrar", (picture) => {
    const elements = ofGroup(picture, "PE");
    return elements.length === 6 && elements.every((one) => has(one, "PR $00001111", "ASAP/SCTP"));
  });
  const elements = ofGroup(picture, "PE");
  for (const { label, status, links } of elements) {
    assert.match(status, /^0 Sessions\b/, label); // of ours, the name of the pool follows
    assert.ok(links.every(({ hasDuration }) => hasDuration), label);
  }
  assert.equal(find(picture, label(FRACTAL))?.load, 0);
  for (const id of PING_PONG) assert.equal(find(picture, label(id))?.load, undefined);
  assert.equal(elements.filter(({ load }) => load !== undefined).length, 2, "the scripting service, too");
  assert.match(find(picture, label(PING_PONG[1]))?.location ?? "", /: .*\bfd99::4\b/);
  await pictures.show("their number", (picture) => {
    return find(picture, "PR $00001111")?.status === "6[6] PEs in 5 Pools, 0 Peers";
  });
}

async function usersAppear(pictures: Pictures): Promise<void> {
  const picture = await pictures.show("users of all services", (picture) => {
    const links = ofGroup(picture, "PU").flatMap(({ links }) => links);
    return SPOKEN.every((name) => links.some(({ protocol }) => protocol === `${name}/SCTP`));
  });
  const users = ofGroup(picture, "PU");
  assert.equal(users.length, SPOKEN.length);
  for (const { location } of users) assert.match(location, /: .*\bfd99::3\b/);
}

/** One of four sessions that the fractal server has by default. */
async function work({ make, pictures }: Scene): Promise<void> {
  await pictures.show("a busy element", (picture) => {
    const element = find(picture, label(FRACTAL));
    return element !== undefined && /^1 Session\b/.test(element.status) && element.load === 25;
  });
  // RSPLIB's user tells its own window only.
  const doing = make === "ours" ? /^Processed packet #\d+ of PE \$000000f1$/ : /^1 Session$/;
  await pictures.show("a user at work", (picture) => {
    return ofGroup(picture, "PU").some((user) =>
      doing.test(user.status) && has(user, label(FRACTAL), "FractGen/SCTP")
    );
  });
}

/** Programs end; ours say how it went. */
async function leave({ make }: Scene, programs: readonly Program[]): Promise<void> {
  await Promise.all(programs.map(async (program) => {
    if (!program.isRunning) return; // it was killed
    const code = await program.interrupt(make === "ours" ? undefined : PATIENCE_WITH_ORIGINALS_MS);
    if (make === "original") return;
    const isGood = code === (ENDLESS.test(program.name) ? 1 : 0); // nothing has come of a job without end
    assert.ok(isGood, `${program.name} ended with ${code ?? "force"}. ${program.quote()}`);
  }));
}

/** Our server has several services; RSPLIB's has one. */
function startOtherElements(scene: Scene): readonly Program[] {
  const calcApp = [`-capvector=${scene.folder}/server.vec`, `-capscalar=${scene.folder}/server.sca`];
  if (scene.make === "ours") {
    return [scene.start("server", "rspserver", "-echo", "-calcapp", "-scripting", ...calcApp)];
  }
  return [
    scene.startElement("server", "0xb1", "-echo"),
    scene.startElement("server", "0xb2", "-calcapp", ...calcApp),
    scene.startElement("server", "0xb3", "-scripting"),
  ];
}

/** A user of each service. */
async function startUsers(scene: Scene): Promise<readonly Program[]> {
  const { folder } = scene, role = "user";
  const image = ["-width=640", "-height=400", "-interimagetime=1"];
  const own = scene.make === "ours" ? ["-configdir=none", "-images=0", `-output=${folder}/image.png`] : [];
  const work = await packWork(folder, `sleep ${JOB_SECONDS}`);
  const terminal = scene.start(role, "rspterminal");
  const users = [
    terminal,
    scene.start(role, "fractalpooluser", ...image, ...own),
    scene.start(role, "pingpongclient", "-interval=200"),
    scene.start(
      role,
      "calcappclient",
      ...[
        `-jobsize=${JOB_CALCULATIONS}`,
        "-jobinterval=0.5",
        `-vector=${folder}/user.vec`,
        `-scalar=${folder}/user.sca`,
      ],
    ),
    scene.start(role, "scriptingclient", ...work, `-output=${folder}/result`),
  ];
  await terminal.type("Good morning\n");
  return users;
}

/** The element at which the ping-pong user is. */
function servingPingPong(picture: Picture): string | undefined {
  const links = ofGroup(picture, "PU").flatMap(({ links }) => links);
  return links.find(({ protocol }) => protocol === "PingPong/SCTP")?.receiver;
}

/** Seconds of an uptime such as 00:01:30; NaN when it is another text. */
function secondsOf(uptime = ""): number {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d)$/.exec(uptime) ?? [];
  return 3600 * Number(hours) + 60 * Number(minutes) + Number(seconds);
}

function ofGroup({ components }: Picture, group: string): readonly ShownComponent[] {
  return components.filter(({ label }) => label.startsWith(group));
}

function find({ components }: Picture, label: string): ShownComponent | undefined {
  return components.find((component) => component.label === label);
}

function has({ links }: ShownComponent, receiver: string, protocol: string): boolean {
  return links.some((link) => link.receiver === receiver && link.protocol === protocol);
}

/** How monitors call an element. */
function label(id: string): string {
  return `PE $${id.slice(2)}`;
}
