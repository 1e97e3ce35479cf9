import assert from "node:assert/strict";
import { callingScript, makeLinks, removeLinks } from "../../../cmd/link/links.ts";
import type { LinkPlan } from "../../../cmd/link/links.ts";
import { USUAL_NAMES, wantedNames } from "../../../cmd/link/names.ts";
import { OptionError } from "../../../cmd/options.ts";
import type { OwnProgram } from "../../../cmd/own_program.ts";
import { runProgram } from "../../../cmd/run.ts";
import { recordOutput } from "../world.ts";

interface Place {
  readonly folder: string;
  readonly program: OwnProgram & { readonly type: "file" };
}

/** A folder for links beside a program of one file, which are gone behind the test. */
async function withPlace(test: (place: Place) => void | Promise<void>): Promise<void> {
  const base = await Deno.makeTempDir({ prefix: "rsp-link-" });
  try {
    await Deno.writeTextFile(`${base}/program`, "#!/bin/sh\necho $0\n", { mode: 0o755 });
    await test({ folder: `${base}/bin`, program: { type: "file", path: `${base}/program` } });
  } finally {
    await Deno.remove(base, { recursive: true });
  }
}

function planOf(folder: string, names: readonly string[], program: OwnProgram): LinkPlan {
  return { folder, names, program, scripts: new Map() };
}

function here(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("the usual names are those of the course sheet, RSPLIB and lksctp-tools", () => {
  const sheet = ["registrar", "server", "fractalpooluser", "cspmonitor", "scriptingclient", "sctp_darn"];
  const rsplib = ["rspregistrar", "rspserver", "rspterminal", "hsdump", "pingpongclient", "calcappclient"];

  assert.deepEqual([...USUAL_NAMES].sort(), ["rsp", ...sheet, ...rsplib].sort());
  assert.deepEqual(wantedNames([]), USUAL_NAMES);
  assert.deepEqual(wantedNames(["doctor", "rsp", "doctor"]), ["doctor", "rsp"]);
  assert.throws(
    () => wantedNames(["rspsevrer"]),
    (error) => error instanceof OptionError && error.message.includes("such as rspserver"),
  );
});

Deno.test("makeLinks() makes links, says which, and finds them there the next time", () =>
  withPlace(({ folder, program }) => {
    const first = makeLinks(planOf(folder, ["registrar", "hsdump"], program), false);
    assert.deepEqual(first, { made: ["registrar", "hsdump"], kept: [], removed: [], strangers: [] });
    assert.equal(Deno.readLinkSync(`${folder}/registrar`), program.path);

    const again = makeLinks(planOf(folder, ["registrar", "server"], program), false);
    assert.deepEqual([again.made, again.kept], [["server"], ["registrar"]]);
    assert.deepEqual(here(folder), ["hsdump", "registrar", "server"]);
  }));

Deno.test("makeLinks() beside the program makes links that may move with it", () =>
  withPlace(({ program }) => {
    const folder = program.path.slice(0, program.path.lastIndexOf("/"));
    makeLinks(planOf(folder, ["registrar"], program), false);

    assert.equal(Deno.readLinkSync(`${folder}/registrar`), "program");
  }));

Deno.test("makeLinks() leaves the program itself alone, even with -force", () =>
  withPlace(({ folder, program }) => {
    Deno.mkdirSync(folder);
    Deno.renameSync(program.path, `${folder}/rsp`);
    const moved = { type: "file", path: `${folder}/rsp` } as const;
    const report = makeLinks(planOf(folder, ["rsp", "server"], moved), true);

    assert.deepEqual(report, { made: ["server"], kept: [], removed: [], strangers: [] });
    assert.ok(Deno.lstatSync(`${folder}/rsp`).isFile);
    assert.deepEqual(removeLinks(planOf(folder, ["rsp", "server"], moved)).removed, ["server"]);
    assert.deepEqual(here(folder), ["rsp"]);
  }));

Deno.test("makeLinks() makes nothing where strangers have names, and names them", () =>
  withPlace(({ folder, program }) => {
    Deno.mkdirSync(`${folder}/server`, { recursive: true });
    Deno.writeTextFileSync(`${folder}/registrar`, "mine");
    Deno.symlinkSync("/nowhere/hsdump", `${folder}/hsdump`);
    const names = ["cspmonitor", "registrar", "hsdump", "server"];

    const { made, strangers } = makeLinks(planOf(folder, names, program), false);
    assert.deepEqual(made, []);
    assert.deepEqual(strangers, [
      { name: "registrar", what: "a file" },
      { name: "hsdump", what: "a link to /nowhere/hsdump" },
      { name: "server", what: "a folder" },
    ]);
    assert.deepEqual(here(folder), ["hsdump", "registrar", "server"]);

    const forced = makeLinks(planOf(folder, names, program), true);
    assert.deepEqual([forced.made, forced.strangers], [[], [{ name: "server", what: "a folder" }]]);
    assert.equal(Deno.readTextFileSync(`${folder}/registrar`), "mine");

    const others = makeLinks(planOf(folder, names.slice(0, 3), program), true);
    assert.deepEqual(others.made, ["cspmonitor", "registrar", "hsdump"]);
    assert.equal(Deno.readLinkSync(`${folder}/registrar`), program.path);
    assert.deepEqual(here(folder), ["cspmonitor", "hsdump", "registrar", "server"]);
  }));

Deno.test("removeLinks() removes what leads to this program, and nothing else", () =>
  withPlace(({ folder, program }) => {
    makeLinks(planOf(folder, ["registrar", "server"], program), false);
    Deno.symlinkSync("/bin/sh", `${folder}/hsdump`);
    const report = removeLinks(planOf(folder, ["registrar", "server", "hsdump", "cspmonitor"], program));

    assert.deepEqual(report.removed, ["registrar", "server"]);
    assert.deepEqual(report.strangers, [{ name: "hsdump", what: "a link to /bin/sh" }]);
    assert.deepEqual(here(folder), ["hsdump"]);
  }));

Deno.test("links to the sources lead to a script, which knows the name it was called by", () =>
  withPlace(async ({ folder, program }) => {
    const base = program.path.slice(0, program.path.lastIndexOf("/"));
    // Stands for Deno, and says how it was called.
    const deno = `${base}/it's deno`;
    await Deno.writeTextFile(deno, '#!/bin/sh\necho "$RSP_CALLED_AS|$*"\n', { mode: 0o755 });
    const sources = { type: "sources", deno, main: `${base}/main.ts` } as const;

    assert.deepEqual(makeLinks(planOf(folder, ["hsdump"], sources), false).made, ["rsp", "hsdump"]);
    const { stdout } = await new Deno.Command(`${folder}/hsdump`, { args: ["-json", "a b"] }).output();
    assert.equal(
      new TextDecoder().decode(stdout),
      `${folder}/hsdump|run --allow-all --quiet ${base}/main.ts -json a b\n`,
    );

    const moved = { ...sources, deno: `${base}/other` };
    assert.deepEqual(makeLinks(planOf(folder, ["hsdump"], moved), false).made, ["rsp"]);
    assert.equal(await Deno.readTextFile(`${folder}/rsp`), callingScript(moved));
    const others = { ...sources, main: "/elsewhere/main.ts" };
    assert.deepEqual(makeLinks(planOf(folder, [], others), false).strangers, [{
      name: "rsp",
      what: "a file",
    }]);
    assert.deepEqual(removeLinks(planOf(folder, ["rsp", "hsdump"], sources)).removed, ["rsp", "hsdump"]);
  }));

Deno.test("makeLinks() writes scripts, renews old versions of them, and takes them for strangers' otherwise", () =>
  withPlace(({ folder, program }) => {
    const script = "#!/bin/sh\n# Draws.\necho new\n", path = `${folder}/draw`;
    const plan = { ...planOf(folder, ["server"], program), scripts: new Map([["draw", script]]) };
    assert.deepEqual(makeLinks(plan, false).made, ["server", "draw"]);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o755);
    assert.deepEqual(makeLinks(plan, false).kept, ["server", "draw"]);

    Deno.writeTextFileSync(path, "#!/bin/sh\n# Draws.\necho old\n");
    assert.deepEqual(makeLinks(plan, false).made, ["draw"]);
    assert.equal(Deno.readTextFileSync(path), script);
    assert.deepEqual(removeLinks(plan).removed, ["server", "draw"]);

    Deno.writeTextFileSync(path, "#!/bin/sh\n# Draws otherwise.\n");
    assert.deepEqual(makeLinks(plan, false).strangers, [{ name: "draw", what: "a file" }]);
    assert.deepEqual(removeLinks(plan).removed, []);
    Deno.removeSync(path);
    Deno.symlinkSync(program.path, path);
    assert.equal(makeLinks(plan, false).strangers[0]?.what, `a link to ${program.path}`);
  }));

async function link(...line: string[]) {
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await runProgram({
    calledAs: "rsp",
    arguments: ["link", ...line],
    stdout,
    stderr,
    variable: (name) => name === "PATH" ? "/usr/bin:/bin" : undefined,
    signal: AbortSignal.abort(),
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("rsp link says what it did, and what it did not", () =>
  withPlace(async ({ folder }) => {
    const first = await link(folder, "server");
    assert.equal(first.exitCode, 0);
    assert.match(first.stdout, /bin: made rsp server, for /);
    assert.match(first.stdout, /The shell finds them after: export PATH=.*bin:"\$PATH"/);
    await Deno.remove(`${folder}/server`);
    await Deno.writeTextFile(`${folder}/server`, "mine");

    const refused = await link(folder, "server");
    assert.deepEqual([refused.exitCode, refused.stdout], [1, ""]);
    assert.match(
      refused.stderr,
      /^rsp link: nothing is made in .*bin, where server is a file: -force replaces/,
    );

    const json = JSON.parse((await link(folder, "server", "-force", "-json")).stdout);
    assert.deepEqual([json.folder, json.made, json.kept], [folder, ["server"], ["rsp"]]);
    assert.match(
      (await link(folder, "rsp", "-scripts")).stdout,
      /made povray-distribute run-povray-for-files, /,
    );
    const help = await new Deno.Command(`${folder}/povray-distribute`).output();
    assert.match(new TextDecoder().decode(help.stderr), /^usage: povray-distribute WIDTH HEIGHT/);
    assert.match(
      (await link(folder, "-remove")).stdout,
      /bin: rsp server povray-distribute run-povray-for-files removed, made for /,
    );
    assert.match((await link(folder, "-remove")).stdout, /bin: there is no link to /);
  }));

Deno.test("rsp link wants a folder, and says when it cannot write there", async () => {
  assert.equal((await link()).exitCode, 2);
  assert.equal((await link("/tmp", "-remove", "-force")).exitCode, 2);
  const { exitCode, stderr } = await link("/proc/rsp-link", "server");
  assert.equal(exitCode, 1);
  assert.match(stderr, /^rsp link: cannot make links in \/proc\/rsp-link: /);
});
