/** Jobs within one process: registrar, servers and client as commands, over the embedded stack and loopback. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { command as client } from "../../../cmd/scriptingclient/command.ts";
import { command as server } from "../../../cmd/server/command.ts";
import { Program, startRegistrar } from "../program.ts";
import { gnupgHome, hasGnupg, KeyBench } from "../server/scripting/keys.ts";
import { recordOutput } from "../world.ts";

/** What a test works with. */
interface Scene {
  /** A folder of its own. */
  readonly folder: string;
  /** Finds the registrar. */
  readonly registrar: string;
  /** Starts a server and waits until it is registered. */
  readonly serve: (...line: string[]) => Promise<Program>;
}

/** Plays a scene with a registrar, and ends what it has begun. */
async function play(scene: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const { program: pr, option } = await startRegistrar();
  const programs: Program[] = [];
  const serve = async (...line: string[]) => {
    const program = new Program(server, "-scripting", "-sssandbox=none", option, ...line);
    programs.push(program);
    await program.event("registered");
    return program;
  };
  try {
    await scene({ folder, registrar: option, serve });
  } finally {
    for (const program of [...programs, pr]) assert.equal(await program.stop(), 0);
    await Deno.remove(folder, { recursive: true });
  }
}

/** Packs a work package or an environment. */
async function pack(
  { folder }: Scene,
  name: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<string> {
  const source = join(folder, `${name}.files`);
  await Deno.mkdir(source);
  for (const [file, content] of Object.entries(files)) {
    const octets = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(source, file), octets);
  }
  const path = join(folder, `${name}.tar.gz`);
  const tar = new Deno.Command("tar", { args: ["czf", path, "-C", source, ...Object.keys(files)] });
  assert.ok((await tar.output()).success);
  return path;
}

/** Starts a client with a deadline. */
function user({ registrar }: Scene, input: string, output: string, ...line: string[]): Program {
  return new Program(client, registrar, `-input=${input}`, `-output=${output}`, "-timeout=60", ...line);
}

Deno.test("a job's result comes back byte for byte, and what it printed beside it", () =>
  play(async (scene) => {
    await scene.serve("-ssmaxthreads=2");
    const data = crypto.getRandomValues(new Uint8Array(65_536));
    const ssrun = "#!/bin/sh\necho begun\necho odd >&2\ncat data data data >$1\n";
    const input = await pack(scene, "job", { ssrun, data });
    const output = join(scene.folder, "result");
    const job = user(scene, input, output, "-follow");
    assert.equal(await job.ended, 0);
    const { downloadedBytes, status, outcome } = await job.event("jobDone");
    assert.deepEqual([outcome, status, downloadedBytes], ["succeeded", 0, 3 * data.length]);
    assert.deepEqual(await Deno.readFile(output), Uint8Array.from([...data, ...data, ...data]));
    assert.equal(await Deno.readTextFile(`${output}.stdout`), "begun\n");
    assert.equal(await Deno.readTextFile(`${output}.stderr`), "odd\n");
    const printed = job.lines.filter(({ event }) => event === "print").map(({ printed }) => printed);
    assert.deepEqual(printed.toSorted(), ["begun", "odd"], "-follow shows it");
    await assert.rejects(Deno.stat(`${output}.part`));
  }));

Deno.test("a job that fails is run so many times, and its own exit code is the client's", () =>
  play(async (scene) => {
    const pe = await scene.serve();
    const ssrun = "#!/bin/sh\necho what is left >$1\nexit 42\n";
    const input = await pack(scene, "job", { ssrun });
    const output = join(scene.folder, "result");
    const job = user(scene, input, output, "-maxretry=2", "-retrydelay=100");
    assert.equal(await job.ended, 42);
    const { outcome, status, runs } = await job.event("jobDone");
    assert.deepEqual([outcome, status, runs], ["failed", 42, 2]);
    assert.equal(await Deno.readTextFile(output), "what is left\n");
    assert.equal(pe.lines.filter(({ event }) => event === "scriptingJobEnded").length, 2);
  }));

Deno.test("a package without ssrun is refused in words, by exit code 1", () =>
  play(async (scene) => {
    await scene.serve();
    const input = await pack(scene, "job", { readme: "nothing to run" });
    const job = user(scene, input, join(scene.folder, "result"), "-maxretry=1");
    assert.equal(await job.ended, 1);
    const { outcome, text } = await job.event("jobDone");
    assert.equal(outcome, "failed");
    assert.match(String(text), /ssrun/);
  }));

Deno.test("an environment is uploaded for the first job, and found by the second", () =>
  play(async (scene) => {
    await scene.serve();
    const ssrun = '#!/bin/sh\ntar xzf "$2" && cat word >$1\n';
    const input = await pack(scene, "job", { ssrun });
    const environment = await pack(scene, "environment", { word: "abracadabra" });
    const needed: unknown[] = [];
    for (const number of [1, 2]) {
      const output = join(scene.folder, `result-${number}`);
      const job = user(scene, input, output, `-environment=${environment}`);
      assert.equal(await job.ended, 0);
      needed.push((await job.event("jobEnvironment"))["uploadNeeded"]);
      assert.equal(await Deno.readTextFile(output), "abracadabra");
    }
    assert.deepEqual(needed, [true, false]);
  }));

Deno.test(
  "a client signs what it uploads, for a server that runs nothing else",
  { ignore: !hasGnupg },
  () =>
    play(async (scene) => {
      await using keys = await KeyBench.open("alice@example.org", "mallory@example.org");
      using _home = gnupgHome(keys.home);
      const pe = await scene.serve("-loglevel=4", `-sskeyring=${await keys.keyring("alice@example.org")}`);
      const input = await pack(scene, "job", {
        ssrun: '#!/bin/sh\ngpgv --keyring "$3" -o- "$2" | tar xz && cat word >$1\n',
      });
      const environment = await pack(scene, "environment", { word: "abracadabra" });
      const run = async (...line: string[]) => {
        const output = join(scene.folder, "result");
        const job = user(scene, input, output, "-maxretry=1", ...line);
        return { exitCode: await job.ended, text: String((await job.event("jobDone"))["text"]), output };
      };
      const { exitCode, output } = await run("-sign=alice@example.org", `-environment=${environment}`);
      assert.equal(exitCode, 0);
      assert.equal(await Deno.readTextFile(output), "abracadabra");
      assert.match(String((await pe.event("signature"))["who"]), /alice@example\.org/);
      assert.match((await run()).text, /not signed/);
      assert.match((await run("-sign=mallory@example.org")).text, /not in the server's keyring/);
      const unknown = user(scene, input, output, "-sign=nobody@example.org");
      await assert.rejects(unknown.ended, /option -sign: .*(nobody@example\.org|No secret key)/i);
    }),
);

Deno.test("a server that leaves in the middle of a job: another one does it", () =>
  play(async (scene) => {
    const servers = new Map<string, Program>();
    for (const id of ["0x00000001", "0x00000002"]) servers.set(id, await scene.serve(`-identifier=${id}`));
    // The first run waits for ever, the second one finds what the first has left.
    const mark = join(scene.folder, "mark");
    const ssrun =
      `#!/bin/sh\nif [ -e ${mark} ]; then echo done >$1; else touch ${mark}; echo begun; sleep 1000; fi\n`;
    const input = await pack(scene, "job", { ssrun });
    const output = join(scene.folder, "result");
    const job = user(scene, input, output, "-retrydelay=100", "-follow");
    const { element } = await job.event("jobProcessing");
    await job.event("print"); // from now on the mark is there
    assert.equal(await servers.get(String(element))!.stop(), 0);
    assert.equal(await job.ended, 0);
    const { failovers, element: last } = await job.event("jobDone");
    assert.equal(failovers, 1);
    assert.notEqual(last, element);
    assert.equal(await Deno.readTextFile(output), "done\n");
  }));

Deno.test("a job that fails at one server is run again at another one", () =>
  play(async (scene) => {
    for (const id of ["0x00000001", "0x00000002"]) await scene.serve(`-identifier=${id}`);
    const mark = join(scene.folder, "mark");
    const ssrun = `#!/bin/sh\n` +
      `if [ -e ${mark} ]; then echo all; echo done >$1; else touch ${mark}; printf half; exit 3; fi\n`;
    const input = await pack(scene, "job", { ssrun });
    const output = join(scene.folder, "result");
    const job = user(scene, input, output, "-retrydelay=100", "-maxretry=2", "-follow");
    assert.equal(await job.ended, 0);
    const printed = job.lines.filter(({ event }) => event === "print").map((line) => line["printed"]);
    assert.deepEqual(printed, ["half", "all"], "lines of one run each");
    const retried = await job.event("jobRetried"), done = await job.event("jobDone");
    assert.deepEqual([retried["status"], done["runs"], done["failovers"]], [3, 2, 0]);
    assert.notEqual(done["element"], retried["element"]);
    assert.equal(await Deno.readTextFile(output), "done\n");
  }));

Deno.test("a client that nobody serves ends after -timeout", () =>
  play(async (scene) => {
    const input = await pack(scene, "job", { ssrun: "" });
    const job = new Program(
      client,
      scene.registrar,
      `-input=${input}`,
      `-output=${join(scene.folder, "result")}`,
      "-timeout=0.5",
    );
    assert.equal(await job.ended, 1);
    const { outcome, text } = await job.event("jobDone");
    assert.equal(outcome, "cancelled");
    assert.match(String(text), /no result within 0.5 s/);
  }));

/** Runs a client that writes for people. */
async function runText(
  ...line: string[]
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const { values, given } = parseOptions(client.options, line, () => undefined);
  const stdout = recordOutput(), stderr = recordOutput();
  const exitCode = await client.run({
    program: "rsp scriptingclient",
    calledAs: "scriptingclient",
    options: values,
    given,
    positionals: [],
    stdout,
    stderr,
    variable: () => undefined,
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

Deno.test("people read what happens, behind the -runid, and with -quiet only what goes wrong", () =>
  play(async (scene) => {
    await scene.serve();
    const input = await pack(scene, "job", { ssrun: "#!/bin/sh\necho 1 >$1\n" });
    const common = [
      scene.registrar,
      `-input=${input}`,
      `-output=${join(scene.folder, "result")}`,
      ...["-transport=embedded", "-encapsulation=udp", "-asapannounce=off", "-timeout=60"],
    ];
    const { exitCode, stdout } = await runText(...common, "-runid=job 1");
    assert.equal(exitCode, 0);
    const lines = stdout.trim().split("\n");
    assert.match(lines[0]!, /^\[job 1\] looking for a server of pool ScriptingPool$/);
    assert.match(lines[1]!, /^\[job 1@.+\] .+ \(0x[0-9a-f]{8}\) is ready: uploading$/);
    assert.match(lines.at(-1)!, /^\[job 1\] the job is done: 2 octets in .*result/);
    assert.deepEqual(await runText(...common, "-quiet"), { exitCode: 0, stdout: "", stderr: "" });
  }));

Deno.test("wrong files are found before the network is opened", async () => {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "file");
  await Deno.writeTextFile(file, "");
  const wrong: readonly (readonly [RegExp, readonly string[]])[] = [
    [/-input is missing/, [`-output=${file}`]],
    [/-output is missing/, [`-input=${file}`]],
    [/-input: cannot read .*none: no such file/, [`-input=${folder}/none`, `-output=${file}`]],
    [/-input: .* is not a file/, [`-input=${folder}`, `-output=${file}`]],
    [/-output: .* is a folder/, [`-input=${file}`, `-output=${folder}`]],
    [/-output: cannot write .*: no such file/, [`-input=${file}`, `-output=${folder}/none/file`]],
    [/-environment: cannot read/, [`-input=${file}`, `-output=${file}`, `-environment=${folder}/none`]],
    [/-poolhandle must have 1 to 32/, [`-input=${file}`, `-output=${file}`, `-poolhandle=${"x".repeat(33)}`]],
  ];
  try {
    for (const [message, line] of wrong) await assert.rejects(() => runText(...line), message);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
