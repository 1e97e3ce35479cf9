import assert from "node:assert/strict";
import { join } from "node:path";
import { writeArchive } from "../../../cmd/farm/archive.ts";
import { COMMAND_FILE, fillIn, SSRUN, WORK_FOLDER } from "../../../cmd/farm/ssrun.ts";

const FILLED: readonly (readonly [command: string, name: string, expected: string])[] = [
  ["convert {} {.}.png", "a.gif", "convert a.gif a.png"],
  ["convert {} {.}.png", "my a.b.gif", "convert 'my a.b.gif' 'my a.b'.png"],
  ["cat {}", "it's", String.raw`cat 'it'\''s'`],
  ["cat {}", "$(reboot)", "cat '$(reboot)'"],
  ["cat {.}", ".profile", "cat .profile"],
  ["cat {.}", "a.d/b", "cat a.d/b"],
  ["awk '{ print }' {} {#}", "x", "awk '{ print }' x 7"],
  ["echo ${HOME} {}{}", "{.}", "echo ${HOME} '{.}''{.}'"],
];
for (const [command, name, expected] of FILLED) {
  Deno.test(`fillIn() makes ${JSON.stringify(command)} with ${JSON.stringify(name)} right`, () => {
    assert.equal(fillIn(command, { name, number: 7 }), expected);
  });
}

interface Outcome {
  readonly code: number;
  /** Texts of the files of the result, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** Runs a command as a server of RSPLIB does: `./ssrun output.data environment.data`. */
async function run(command: string, environment?: Readonly<Record<string, string>>): Promise<Outcome> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "ssrun"), SSRUN, { mode: 0o755 });
    await Deno.writeTextFile(join(folder, COMMAND_FILE), command);
    await Deno.mkdir(join(folder, WORK_FOLDER));
    await Deno.writeTextFile(join(folder, WORK_FOLDER, "input"), "the input\n");
    if (environment !== undefined) {
      const entries = Object.entries(environment).map(([name, text]) => ({ name, text }));
      await writeArchive(join(folder, "environment.data"), entries);
    }
    const ssrun = new Deno.Command(join(folder, "ssrun"), {
      args: ["output.data", environment === undefined ? "" : "environment.data"],
      cwd: folder,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await new Blob(["the server's input"]).stream().pipeTo(ssrun.stdin).catch(() => {}); // nobody reads it
    const { code } = await ssrun.status;
    return { code, files: await unpacked(folder) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function unpacked(folder: string): Promise<Record<string, string>> {
  const target = join(folder, "unpacked");
  await Deno.mkdir(target);
  const { success } = await new Deno.Command("tar", {
    args: ["xzf", join(folder, "output.data"), "-C", target],
  }).output();
  assert.ok(success, "the result is a tar.gz");
  const files: Record<string, string> = {};
  const visit = async (path: string) => {
    for await (const entry of Deno.readDir(join(target, path))) {
      const name = join(path, entry.name);
      if (entry.isDirectory) await visit(name);
      else files[name] = await Deno.readTextFile(join(target, name));
    }
  };
  await visit("");
  return files;
}

Deno.test("ssrun packs what a command has made and changed, and what it wrote, and nothing else", async () => {
  const { code, files } = await run(
    "cat input; echo bad >&2; mkdir -p x/y; echo made >'x/y/a b'; echo more >>changed; ln -s input link",
    { "changed": "before\n", "untouched/file": "as it was\n" },
  );
  assert.equal(code, 0);
  assert.deepEqual(files, {
    "result/x/y/a b": "made\n",
    "result/changed": "before\nmore\n",
    "stdout.txt": "the input\n",
    "stderr.txt": "bad\n",
  });
});

Deno.test("ssrun passes a command's exit code on, with the result as far as there is one", async () => {
  const { code, files } = await run("echo part >part; echo why >&2; exit 7");
  assert.equal(code, 7);
  assert.deepEqual(files, { "result/part": "part\n", "stdout.txt": "", "stderr.txt": "why\n" });
});

Deno.test("ssrun survives a command that is no shell command", async () => {
  const { code, files } = await run("if then (");
  assert.notEqual(code, 0);
  assert.match(files["stderr.txt"] ?? "", /syntax/i);
});

Deno.test("a command gets no standard input, and can leave its folder without harm", async () => {
  const { code, files } = await run("cat; cd /; echo done >&2");
  assert.equal(code, 0);
  assert.deepEqual([files["stdout.txt"], files["stderr.txt"]], ["", "done\n"]);
});

Deno.test("writeArchive() gives the same octets for the same files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const archives = [];
    for (const name of ["one", "two"]) {
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "x".repeat(100_000));
      await Deno.utime(file, new Date(), new Date(archives.length * 1e9));
      await writeArchive(join(folder, name), [{ name: "folder" }, { name: "file", path: file }]);
      archives.push(await Deno.readFile(join(folder, name)));
    }
    assert.deepEqual(archives[0], archives[1]);
    const { stdout } = await new Deno.Command("tar", {
      args: ["tvzf", join(folder, "one")],
      env: { TZ: "UTC" },
    }).output();
    const times = new TextDecoder().decode(stdout).match(/\d{4}-\d\d-\d\d/g);
    assert.deepEqual(times, ["1970-01-01", "1970-01-01"], "nor does the time of packing matter");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
