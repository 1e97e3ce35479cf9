/** Farms within one process: registrar, scripting servers and `rsp farm` as commands, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { command as farm } from "../../../cmd/farm/command.ts";
import { writeArchive } from "../../../cmd/farm/archive.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { Program, startRegistrar } from "../program.ts";
import { gnupgHome, hasGnupg, KeyBench } from "../server/scripting/keys.ts";

/** A registrar, servers for two jobs each, and a folder. */
class Pool implements AsyncDisposable {
  readonly folder: string;
  readonly option: string;
  readonly servers: readonly Program[];
  readonly #registrar: Program;

  constructor(folder: string, registrar: Program, option: string, servers: readonly Program[]) {
    this.folder = folder;
    this.#registrar = registrar;
    this.option = option;
    this.servers = servers;
  }

  static async open(servers: number, ...line: readonly string[]): Promise<Pool> {
    const folder = await Deno.makeTempDir();
    const { program, option } = await startRegistrar();
    const programs = Array.from(
      { length: servers },
      (_none, index) =>
        new Program(
          server,
          "-scripting",
          option,
          `-identifier=${index + 1}`,
          "-ssmaxthreads=2",
          "-loglevel=4",
          ...line,
        ),
    );
    for (const one of programs) await one.event("registered");
    return new Pool(folder, program, option, programs);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(this.path(name), text);
  }

  /** Starts a farm whose results go into the folder `results`, if nothing else is said. */
  farm(...line: string[]): Program {
    const output = line.some((word) => word.startsWith("-output="))
      ? []
      : [`-output=${this.path("results")}`];
    return new Program(
      farm,
      this.option,
      ...output,
      "-retrydelay=500",
      ...line,
    );
  }

  read(name: string): Promise<string> {
    return Deno.readTextFile(this.path(join("results", name)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of [...this.servers, this.#registrar]) assert.equal(await one.stop(), 0);
    await Deno.remove(this.folder, { recursive: true });
  }
}

function events(program: Program, event: string): string[] {
  return program.lines.filter((line) => line["event"] === event).map((line) => String(line["job"]));
}

Deno.test("a farm runs a command for each input, and collects what is made", async () => {
  await using pool = await Pool.open(2);
  const names = ["a.txt", "b c.txt", "d'e.txt", "f.txt", "g.txt"];
  await pool.write(Object.fromEntries(names.map((name) => [name, `content of ${name}\n`])));
  await pool.write({ "common.sed": "s/content/contents/" });
  const run = pool.farm(
    "-command=sed -f common.sed {} >{.}.out; mkdir -p deep; echo {#} >deep/number; echo told; echo complained >&2",
    `-with=${pool.path("common.sed")}`,
    "-parallel=3",
    "--",
    ...names.map((name) => pool.path(name)),
  );
  assert.equal(await run.ended, 0, JSON.stringify(run.lines, null, 1));
  for (const [index, name] of names.entries()) {
    const stem = name.replace(".txt", "");
    assert.equal(await pool.read(`${name}/${stem}.out`), `contents of ${name}\n`);
    assert.equal(await pool.read(`${name}/deep/number`), `${index + 1}\n`);
    assert.equal(await pool.read(`.farm/logs/${name}.stdout.txt`), "told\n");
    assert.equal(await pool.read(`.farm/logs/${name}.stderr.txt`), "complained\n");
    const entries = await Array.fromAsync(Deno.readDir(pool.path(`results/${name}`)));
    const found = entries.map((entry) => entry.name).sort();
    assert.deepEqual(found, ["deep", `${stem}.out`].sort(), "nothing that the job was given comes back");
  }
  const { done, failed } = await run.event("farm");
  assert.deepEqual([done, failed], [5, 0]);
});

Deno.test("a job that fails is tried again after the others, and another run does the rest", async () => {
  await using pool = await Pool.open(1);
  await pool.write({ "good": "1\n", "bad": "2\n", "better": "3\n" });
  const command = "-command=cp {} {}.copy; echo {} is >&2; grep -v 2 {} >/dev/null";
  const inputs = ["bad", "good", "better"].map((name) => pool.path(name));
  const first = pool.farm(command, "-parallel=1", "-maxretry=2", "--", ...inputs);
  assert.equal(await first.ended, 1);
  assert.deepEqual(events(first, "computing"), ["bad", "good", "better", "bad"]);
  assert.deepEqual(events(first, "attemptFailed"), ["bad"]);
  const failed = await first.event("failed");
  assert.equal(failed["job"], "bad");
  assert.match(String(failed["reason"]), /"bad is"/, "its last words are told");
  assert.equal(await pool.read(".farm/logs/bad.stderr.txt"), "bad is\n");
  assert.equal(await pool.read("good/good.copy"), "1\n");
  await assert.rejects(pool.read("bad/bad.copy"), "half a result is none");

  await pool.write({ "bad": "4\n" });
  await Deno.remove(pool.path("results/better/better.copy"));
  const second = pool.farm(command, "--", ...inputs);
  assert.equal(await second.ended, 0);
  assert.equal((await second.event("plan"))["done"], 1);
  assert.deepEqual(events(second, "done").sort(), ["bad", "better"], "what was lost is made again");
  assert.equal(await pool.read("bad/bad.copy"), "4\n");

  const third = pool.farm(command, "--", ...inputs);
  assert.equal(await third.ended, 0);
  assert.deepEqual(events(third, "done"), []);
  await pool.write({ "good": "5\n" });
  const changed = pool.farm(command, "--", ...inputs);
  assert.equal(await changed.ended, 0);
  assert.deepEqual(events(changed, "done"), ["good"], "another input is another job");
  const again = pool.farm(command, "-again", "--", ...inputs);
  assert.equal(await again.ended, 0);
  assert.deepEqual(events(again, "done").sort(), ["bad", "better", "good"]);
});

Deno.test("jobs have the files beside their inputs, and are done again when those change", async () => {
  await using pool = await Pool.open(1);
  await pool.write({ "a.job": "", "b.job": "", "beside": "1\n" });
  const run = async () => {
    const command = "-command=ls >names; cat beside >copy";
    const program = pool.farm(command, "-siblings", "--", pool.path("a.job"), pool.path("b.job"));
    assert.equal(await program.ended, 0);
    return events(program, "done").sort();
  };
  assert.deepEqual(await run(), ["a.job", "b.job"]);
  assert.equal(await pool.read("a.job/names"), "a.job\nbeside\nnames\n", "not the other job's input");
  assert.deepEqual(await run(), []);
  await pool.write({ "beside": "2\n" });
  assert.deepEqual(await run(), ["a.job", "b.job"]);
  assert.equal(await pool.read("b.job/copy"), "2\n");
});

Deno.test(
  "a farm signs its packages, and knows its jobs again all the same",
  { ignore: !hasGnupg },
  async () => {
    await using keys = await KeyBench.open("alice@example.org");
    using _home = gnupgHome(keys.home);
    await using pool = await Pool.open(1, `-sskeyring=${await keys.keyring("alice@example.org")}`);
    await pool.write({ "a.job": "a\n", "b.job": "b\n", "common": "1\n" });
    const run = async (...line: string[]) => {
      const inputs = ["a.job", "b.job"].map((name) => pool.path(name));
      const command = ["-command=cat {} common >out", `-with=${pool.path("common")}`, "-maxretry=1"];
      const program = pool.farm(...command, ...line, "--", ...inputs);
      return { exitCode: await program.ended, done: events(program, "done").sort(), program };
    };
    const refused = await run();
    assert.match(String((await refused.program.event("failed"))["reason"]), /not signed/);
    const { exitCode, done } = await run("-sign=alice@example.org");
    assert.deepEqual([exitCode, done], [0, ["a.job", "b.job"]]);
    assert.equal(await pool.read("a.job/out"), "a\n1\n", "what goes with it was signed, too");
    assert.deepEqual((await run("-sign=alice@example.org")).done, [], "another signature is no other job");
  },
);

Deno.test("inputs of one name have results of their own, in one run and in several", async () => {
  await using pool = await Pool.open(1);
  for (const folder of ["x", "y", "z"]) {
    await Deno.mkdir(pool.path(folder));
    await pool.write({ [`${folder}/same`]: `${folder}\n` });
  }
  const command = "-command=cp {} copy";
  const first = pool.farm(command, "--", pool.path("x/same"), pool.path("y/same"));
  assert.equal(await first.ended, 0);
  const second = pool.farm(command, "--", pool.path("z/same"));
  assert.equal(await second.ended, 0);
  assert.deepEqual(
    await Promise.all(["same", "same~2", "same~3"].map((name) => pool.read(`${name}/copy`))),
    ["x\n", "y\n", "z\n"],
  );
});

Deno.test("inputs can be values of a list, and results can share a folder as long as they are different", async () => {
  await using pool = await Pool.open(1);
  await pool.write({ "list": "one\n../two\n\nthree\n" });
  const list = `-inputs=${pool.path("list")}`;
  const run = pool.farm("-values", "-flat", list, "-command=echo {} >$(basename {}).txt");
  assert.equal(await run.ended, 0);
  for (const name of ["one", "two", "three"]) assert.match(await pool.read(`${name}.txt`), new RegExp(name));
  const clash = pool.farm("-values", "-flat", list, "-maxretry=1", "-command=echo {} >same.txt");
  assert.equal(await clash.ended, 1);
  assert.equal(events(clash, "done").length, 1);
  assert.match(String((await clash.event("failed"))["reason"]), /same\.txt, which .* made, too/);
});

Deno.test("a farm takes no file of yours away", async () => {
  await using pool = await Pool.open(1);
  await pool.write({ "mine": "dear\n" });
  const folder = `-output=${pool.folder}`;
  for (const flat of [[], ["-flat"]]) {
    const run = pool.farm(folder, "-maxretry=1", "-command=echo x >>{}", ...flat, "--", pool.path("mine"));
    assert.equal(await run.ended, 1);
    assert.match(String((await run.event("failed"))["reason"]), /mine is in its way, which no job has made/);
    assert.equal(await Deno.readTextFile(pool.path("mine")), "dear\n");
  }
});

Deno.test("Ctrl+C ends a farm at once, and its jobs are done by the next run", async () => {
  await using pool = await Pool.open(1);
  await pool.write({ "quick": "0\n", "slow": "60\n" });
  const inputs = ["quick", "slow"].map((name) => pool.path(name));
  const command = "-command=sleep $(cat {}); touch {}.done";
  const first = pool.farm(command, "--", ...inputs);
  await first.event("done");
  await first.event("computing");
  assert.equal(await first.stop(), 1);
  assert.deepEqual([...events(first, "failed"), ...events(first, "attemptFailed")], [], "that is no failure");
  await pool.write({ "slow": "0\n" });
  const second = pool.farm(command, "--", ...inputs);
  assert.equal(await second.ended, 0);
  assert.deepEqual(events(second, "done"), ["slow"]);
});

Deno.test("inputs without a command are work packages, and an attempt that takes too long is given up", async () => {
  await using pool = await Pool.open(1);
  const pack = (name: string, script: string) =>
    writeArchive(pool.path(name), [{ name: "ssrun", text: `#!/bin/sh\n${script}\n`, executable: true }]);
  await pack("plain.tar.gz", 'echo some octets >"$1"');
  await pack("packed.tar.gz", 'echo x >a; tar czf "$1" a');
  await pack("slow.tar.gz", 'sleep 60; echo >"$1"');
  const good = pool.farm("--", pool.path("plain.tar.gz"), pool.path("packed.tar.gz"));
  assert.equal(await good.ended, 0);
  assert.equal(await pool.read("plain.tar.gz/output.data"), "some octets\n");
  assert.equal(await pool.read("packed.tar.gz/a"), "x\n");
  const slow = pool.farm("-timeout=0.5", "-maxretry=1", "--", pool.path("slow.tar.gz"));
  assert.equal(await slow.ended, 1);
  assert.deepEqual(events(slow, "failed"), ["slow.tar.gz"]);
  assert.match(String((await slow.event("failed"))["reason"]), /no result within 0\.5 s/);
});

Deno.test("a wrong command line of a farm is told before the network is opened", async () => {
  await using pool = await Pool.open(0);
  await pool.write({ "input": "", "list": "" });
  const cases: readonly (readonly [string[], RegExp])[] = [
    [["-command=x"], /needs inputs/],
    [["-command=x", `-inputs=${pool.path("list")}`], /needs inputs/],
    [["-command=x", `-inputs=${pool.path("nothing")}`], /-inputs: cannot read .*nothing: no such file/],
    [["-command=x", "--", pool.path("nothing")], /cannot read the input .*nothing/],
    [["-command=x", "--", pool.folder], /is not a file/],
    [["-command=x", `-with=${pool.path("nothing")}`, "--", pool.path("input")], /what goes with the inputs/],
    [["-values", "--", "1"], /option -values needs -command/],
    [[`-with=${pool.path("input")}`, "--", pool.path("input")], /option -with needs -command/],
    [["-command=x", `-output=${pool.path("input")}`, "--", pool.path("input")], /option -output: cannot use/],
  ];
  for (const [line, message] of cases) {
    await assert.rejects(async () => await pool.farm(...line).ended, { name: "OptionError", message });
  }
});
