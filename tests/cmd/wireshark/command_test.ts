import assert from "node:assert/strict";
import { runProgram } from "../../../cmd/run.ts";
import { ownProfile } from "../../../cmd/wireshark/profile.ts";
import { filesOfProfile, profileFiles } from "../../../cmd/wireshark/profile_files.ts";
import { renderProfile } from "../../../cmd/wireshark/render.ts";
import { recordOutput } from "../world.ts";

async function wireshark(
  line: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  isTerminal = false,
) {
  const stdout = { ...recordOutput(), isTerminal }, stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["wireshark", ...line],
    stdout,
    stderr,
    variable: (name) => variables[name],
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** Runs a test in a folder that is removed behind it. */
async function withFolder(check: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "rsp-wireshark-" });
  try {
    await check(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The files of a folder by name. */
function contents(folder: string): Map<string, string> {
  return new Map(
    [...Deno.readDirSync(folder)].map(({ name }) => [name, Deno.readTextFileSync(`${folder}/${name}`)]),
  );
}

/** Contrast of two colours, from 1 to 21 (Web Content Accessibility Guidelines 2.1, "contrast ratio"). */
function contrast(one: string, other: string): number {
  const [dark = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const parts = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0]! + 0.7152 * parts[1]! + 0.0722 * parts[2]!;
}

Deno.test("contrast() is that of the guidelines", () => {
  assert.equal(contrast("#000000", "#ffffff"), 21);
  assert.equal(contrast("#777777", "#ffffff").toFixed(2), "4.48");
});

Deno.test("every line of the profile's files is read, and every rule can be read on its ground", () => {
  const { colouring, columns, displayFilters } = ownProfile();
  const lines = (name: string) => profileFiles.get(name)!.split("\n");
  const rules = colouring.flatMap((group) => group.rules);
  assert.equal(rules.length, lines("colorfilters").filter((line) => line.startsWith("@")).length);
  assert.equal(displayFilters.length, lines("dfilters").filter((line) => line !== "").length);
  assert.equal(columns.length, lines("preferences").filter((line) => line.startsWith("\t")).length);
  for (const named of [rules, displayFilters]) {
    assert.equal(new Set(named.map(({ name }) => name)).size, named.length);
  }
  for (const { name, background, text } of rules) {
    assert.ok(contrast(background, text) >= 4.5, `${name}: ${contrast(background, text)}`);
  }
});

Deno.test("renderProfile() shows names in their colours on a terminal alone", () => {
  const profile = {
    colouring: [{
      headline: "What is wrong",
      rules: [{ name: "Malformed", filter: "_ws.malformed", background: "#102030", text: "#ff00fe" }],
    }],
    displayFilters: [{ name: "ASAP: all", filter: "asap" }],
    columns: ["No.", "Info"],
  };
  assert.deepEqual(renderProfile(profile, false).filter((line) => line !== ""), [
    "Colouring rules; the first one that matches colours a packet:",
    "  What is wrong",
    `    ${"Malformed".padEnd(42)} _ws.malformed`,
    "Display filters:",
    "  ASAP: all",
    "      asap",
    "Columns: No., Info",
  ]);
  assert.ok(renderProfile(profile, true)[3]!.startsWith("    \x1b[38;2;255;0;254;48;2;16;32;48mMalformed "));
});

Deno.test("rsp wireshark lists rules, filters and columns", async () => {
  const { exitCode, stdout, stderr } = await wireshark([]);
  assert.deepEqual([exitCode, stderr], [0, ""]);
  for (const word of ["ASAP Registration ", "ENRP: takeovers", "Pool Element"]) {
    assert.ok(stdout.includes(word), word);
  }
  assert.ok(!stdout.includes("\x1b"));
});

Deno.test("rsp wireshark has colours on a terminal, unless NO_COLOR says more than nothing", async () => {
  for (const [value, inColour] of [[undefined, true], ["", true], ["1", false]] as const) {
    const { stdout } = await wireshark([], value === undefined ? {} : { NO_COLOR: value }, true);
    assert.equal(stdout.includes("\x1b"), inColour, `NO_COLOR=${value}`);
  }
});

Deno.test("rsp wireshark -json is the profile for programs", async () => {
  const { exitCode, stdout } = await wireshark(["-json"]);
  assert.equal(exitCode, 0);
  assert.deepEqual(JSON.parse(stdout), ownProfile());
});

Deno.test("rsp wireshark FILE… writes files of the profile", async () => {
  const { exitCode, stdout } = await wireshark(["dfilters", "colorfilters"]);
  assert.equal(exitCode, 0);
  assert.equal(stdout, profileFiles.get("dfilters")! + profileFiles.get("colorfilters")!);
});

for (
  const [line, complaint] of [
    [["colourfilters"], 'has no file "colourfilters"; there are colorfilters, dfilters,'],
    [["-install", "dfilters"], "-install takes no files"],
    [["-install", "-json"], "-json shows the profile"],
    [["-force"], "-force is for -install"],
    [
      ["-install", "-profile=../evil", "-configdir=/nowhere"],
      "option -profile: must be the name of a folder",
    ],
    [["-install", "-profile=..", "-configdir=/nowhere"], "option -profile: must be the name of a folder"],
    [["-install"], "-install wants -configdir=DIR where there is no home folder"],
  ] as const
) {
  Deno.test(`rsp wireshark ${line.join(" ")} is refused`, async () => {
    const { exitCode, stdout, stderr } = await wireshark(line);
    assert.deepEqual([exitCode, stdout], [2, ""]);
    assert.ok(stderr.startsWith(`rsp wireshark: ${complaint}`), stderr);
  });
}

Deno.test("rsp wireshark -install installs the profile, and once more changes nothing", () =>
  withFolder(async (folder) => {
    const first = await wireshark(["-install", `-configdir=${folder}`]);
    assert.deepEqual([first.exitCode, first.stderr], [0, ""]);
    assert.ok(first.stdout.startsWith(`The profile is installed in ${folder}/profiles/rsp\n`), first.stdout);
    const installed = contents(`${folder}/profiles/rsp`);
    assert.deepEqual([...installed].sort(), [...profileFiles].sort());

    const second = await wireshark(["-install", `-configdir=${folder}`]);
    assert.equal(second.exitCode, 0);
    assert.ok(second.stdout.startsWith("The profile was installed already"), second.stdout);
  }));

Deno.test("rsp wireshark -install leaves what a person has changed, unless -force says otherwise", () =>
  withFolder(async (folder) => {
    const profile = `${folder}/profiles/class`;
    await Deno.mkdir(profile, { recursive: true });
    await Deno.writeTextFile(`${profile}/dfilters`, '"mine" asap\n');

    const line = ["-install", "-profile=class", `-configdir=${folder}`];
    const refused = await wireshark(line);
    assert.equal(refused.exitCode, 1);
    assert.ok(
      refused.stderr.includes(`${profile} has a changed dfilters: nothing is installed`),
      refused.stderr,
    );
    assert.deepEqual([...contents(profile)], [["dfilters", '"mine" asap\n']]);

    assert.equal((await wireshark([...line, "-force"])).exitCode, 0);
    assert.equal(contents(profile).get("dfilters"), profileFiles.get("dfilters"));
  }));

Deno.test("rsp wireshark -install -udp takes the embedded stack's UDP ports for SCTP, and goes back", () =>
  withFolder(async (folder) => {
    const entries = () => contents(`${folder}/profiles/rsp`).get("decode_as_entries")!;
    for (const words of [[], ["-udp"], []]) {
      assert.equal((await wireshark(["-install", ...words, `-configdir=${folder}`])).exitCode, 0);
      assert.equal(entries(), filesOfProfile(words.length > 0).get("decode_as_entries"));
    }
    const lines = filesOfProfile(true).get("decode_as_entries")!.split("\n");
    assert.ok(lines.includes("decode_as_entry: udp.port,13863,(none),SCTP"));
    assert.equal(lines.filter((line) => /udp\.port,3[0-2]\d{3},/.test(line)).length, 2768);
    assert.deepEqual(lines.slice(-2), ["decode_as_entry: udp.port,32767,(none),SCTP", ""]);
  }));

Deno.test("rsp wireshark -install finds the folder as Wireshark does", () =>
  withFolder(async (home) => {
    const place = async (variables: Record<string, string>) => {
      const { exitCode, stdout } = await wireshark(["-install"], variables);
      assert.equal(exitCode, 0);
      return /in (.*)\/profiles\/rsp$/m.exec(stdout)?.[1];
    };
    await Deno.mkdir(`${home}/.wireshark`);
    assert.equal(await place({ HOME: home }), `${home}/.wireshark`);
    await Deno.mkdir(`${home}/.config/wireshark`, { recursive: true });
    assert.equal(await place({ HOME: home, XDG_CONFIG_HOME: "" }), `${home}/.config/wireshark`);
    assert.equal(await place({ HOME: home, XDG_CONFIG_HOME: `${home}/xdg` }), `${home}/.wireshark`);
    await Deno.remove(`${home}/.wireshark`, { recursive: true });
    assert.equal(await place({ HOME: home, XDG_CONFIG_HOME: `${home}/xdg` }), `${home}/xdg/wireshark`);
    assert.equal(await place({ HOME: home, WIRESHARK_CONFIG_DIR: `${home}/own` }), `${home}/own`);
  }));

Deno.test("rsp wireshark -install says why it cannot", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/profiles`, "");
    const { exitCode, stderr } = await wireshark(["-install", `-configdir=${folder}`]);
    assert.equal(exitCode, 1);
    assert.ok(stderr.startsWith(`rsp wireshark: cannot install into ${folder}/profiles/rsp: `), stderr);
    assert.equal(stderr.split("\n").length, 2);
  }));
