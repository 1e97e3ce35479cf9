import assert from "node:assert/strict";
import { join } from "node:path";
import { JobFiles, readEnvironment } from "../../../cmd/scriptingclient/job_files.ts";
import type { JobPlan } from "../../../cmd/scriptingclient/job_files.ts";
import type {
  ScriptingClientEffect,
  ScriptingClientInput,
} from "../../../protocol/app/scripting/client_types.ts";

/** An effect without what all have. */
type Ask = ScriptingClientEffect extends infer Each ? Each extends unknown ? Omit<Each, "job" | "run"> : never
  : never;

/** The files of a job in a folder of its own. */
class Bench {
  readonly folder: string = Deno.makeTempDirSync();
  readonly answers: ScriptingClientInput[] = [];
  readonly files: JobFiles;
  run = 1;
  #wake: (() => void) | undefined;

  constructor(plan: Partial<JobPlan> = {}) {
    const paths = { input: this.path("input"), output: this.path("output") };
    this.files = new JobFiles(7, { ...paths, ...plan }, (input) => {
      this.answers.push(input);
      this.#wake?.();
    });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  ask(ask: Ask): void {
    this.files.handle({ ...ask, job: 7, run: this.run } as ScriptingClientEffect);
  }

  write(text: string): void {
    this.ask({ type: "writeOutput", data: new TextEncoder().encode(text) });
  }

  /** The first answer of a type; takes it out. */
  async answer<Type extends ScriptingClientInput["type"]>(
    type: Type,
  ): Promise<Extract<ScriptingClientInput, { type: Type }>> {
    for (;;) {
      const index = this.answers.findIndex((one) => one.type === type);
      if (index >= 0) {
        return this.answers.splice(index, 1)[0] as Extract<ScriptingClientInput, { type: Type }>;
      }
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.files.close();
    await Deno.remove(this.folder, { recursive: true });
  }
}

Deno.test("JobFiles reads a file piece by piece, and from its beginning again", async () => {
  await using bench = new Bench();
  await Deno.writeTextFile(bench.path("input"), "abcdefg");
  const read = async (offset: number, maxBytes: number) => {
    bench.ask({ type: "readFile", file: "input", offset, maxBytes });
    return new TextDecoder().decode((await bench.answer("fileRead")).data);
  };
  assert.equal(await read(0, 3), "abc");
  assert.equal(await read(3, 3), "def");
  assert.equal(await read(6, 3), "g");
  assert.equal(await read(7, 3), "");
  assert.equal(await read(0, 2), "ab");
});

Deno.test("JobFiles lets a result appear when it is whole, and not before", async () => {
  await using bench = new Bench();
  bench.ask({ type: "beginOutput" });
  bench.write("half");
  assert.equal((await bench.answer("outputWritten")).octets, 4);
  await assert.rejects(Deno.stat(bench.path("output")));
  bench.write(" and ");
  bench.write("half");
  bench.ask({ type: "finishOutput" });
  await bench.answer("outputFinished");
  assert.equal(await Deno.readTextFile(bench.path("output")), "half and half");
  const octets = bench.answers.map((answer) => answer.type === "outputWritten" ? answer.octets : NaN);
  assert.equal(octets.reduce((sum, one) => sum + one), 9);
});

Deno.test("JobFiles leaves a result that was there alone until another one is whole", async () => {
  await using bench = new Bench();
  await Deno.writeTextFile(bench.path("output"), "old");
  bench.ask({ type: "beginOutput" });
  bench.write("lost");
  bench.ask({ type: "discardOutput" });
  bench.run = 2;
  bench.ask({ type: "beginOutput" });
  bench.write("new");
  bench.ask({ type: "discardOutput" });
  await bench.files.close();
  assert.equal(await Deno.readTextFile(bench.path("output")), "old");
  const left = await Array.fromAsync(Deno.readDir(bench.folder));
  assert.deepEqual(left.map(({ name }) => name), ["output"]);
});

Deno.test("JobFiles leaves a result that was there alone when the disk is full before another one is whole", async () => {
  await using bench = new Bench();
  await Deno.writeTextFile(bench.path("output"), "old");
  await Deno.symlink("/dev/full", bench.path("output.part"));
  bench.ask({ type: "beginOutput" });
  bench.write("all of it");
  bench.ask({ type: "finishOutput" });
  await bench.files.close();
  assert.ok((await Deno.lstat(bench.path("output"))).isFile, "it was not replaced");
  assert.equal(await Deno.readTextFile(bench.path("output")), "old");
  assert.deepEqual(bench.answers.map(({ type }) => type), ["fileFailed"]);
  await assert.rejects(Deno.lstat(bench.path("output.part")), Deno.errors.NotFound);
});

Deno.test("JobFiles answers in the run that an octet belongs to", async () => {
  await using bench = new Bench();
  bench.ask({ type: "beginOutput" });
  bench.write("first");
  bench.ask({ type: "discardOutput" });
  bench.run = 2;
  bench.ask({ type: "beginOutput" });
  bench.write("second");
  bench.ask({ type: "finishOutput" });
  assert.equal((await bench.answer("outputFinished")).run, 2);
  assert.equal(await Deno.readTextFile(bench.path("output")), "second");
  const runs = bench.answers.map((answer) => answer.type === "outputWritten" ? answer.run : NaN);
  assert.deepEqual(runs, [1, 2]);
});

Deno.test("JobFiles keeps what the last run has printed", async () => {
  await using bench = new Bench();
  await using printing = new Bench({ stdout: bench.path("stdout") });
  const print = (channel: "stdout" | "stderr" | "server", text: string) =>
    printing.ask({ type: "print", channel, data: new TextEncoder().encode(text) });
  print("stdout", "one ");
  printing.run = 2;
  print("stdout", "two ");
  print("server", "not kept");
  print("stderr", "not wanted");
  print("stdout", "three");
  await printing.files.close();
  assert.equal(await Deno.readTextFile(bench.path("stdout")), "two three");
});

Deno.test("JobFiles keeps nothing that a run has printed beside the result of another one", async () => {
  await using bench = new Bench();
  const stdout = bench.path("stdout"), stderr = bench.path("stderr");
  await using printing = new Bench({ stdout, stderr });
  const print = (channel: "stdout" | "stderr", text: string) =>
    printing.ask({ type: "print", channel, data: new TextEncoder().encode(text) });
  print("stderr", "error");
  print("stdout", "half");
  printing.run = 2;
  print("stdout", "all");
  printing.ask({ type: "beginOutput" });
  printing.ask({ type: "finishOutput" });
  await printing.files.close();
  assert.equal(await Deno.readTextFile(stdout), "all");
  await assert.rejects(Deno.stat(stderr), Deno.errors.NotFound);
});

Deno.test("JobFiles removes no pipe into which an earlier run has printed", async () => {
  await using bench = new Bench({ stderr: "/dev/null" });
  bench.ask({ type: "print", channel: "stderr", data: Uint8Array.of(1) });
  bench.run = 2;
  bench.ask({ type: "beginOutput" });
  bench.ask({ type: "finishOutput" });
  await bench.answer("outputFinished");
  assert.ok((await Deno.stat("/dev/null")).isCharDevice);
});

Deno.test("JobFiles writes many small pieces of what a job prints together", async () => {
  const write = Deno.FsFile.prototype.write;
  let writes = 0;
  Deno.FsFile.prototype.write = function (octets) {
    writes++;
    return write.call(this, octets);
  };
  try {
    await using bench = new Bench();
    await using printing = new Bench({ stdout: bench.path("stdout"), stderr: bench.path("stderr") });
    for (let piece = 0; piece < 100_000; piece++) {
      const channel = piece % 2 === 0 ? "stdout" : "stderr";
      printing.ask({ type: "print", channel, data: Uint8Array.of(0x61) });
    }
    await printing.files.close();
    assert.equal((await Deno.stat(bench.path("stdout"))).size, 50_000);
    assert.ok(writes < 10, `${writes} writes`);
  } finally {
    Deno.FsFile.prototype.write = write;
  }
});

Deno.test("JobFiles says which file cannot be read or written, and why", async () => {
  await using bench = new Bench({ input: "/nowhere/input", output: "/dev/full" });
  bench.ask({ type: "readFile", file: "input", offset: 0, maxBytes: 1 });
  const { reason } = await bench.answer("fileFailed");
  assert.match(reason, /^cannot read \/nowhere\/input: no such file/i);
  bench.ask({ type: "beginOutput" });
  bench.write("too much");
  assert.match((await bench.answer("fileFailed")).reason, /^cannot write \/dev\/full: no space/i);
  assert.ok((await Deno.stat("/dev/full")).isCharDevice, "it was not replaced");
});

Deno.test("readEnvironment() names a file by its SHA-1", async () => {
  await using bench = new Bench();
  await Deno.writeTextFile(bench.path("environment"), "abc");
  const { hash } = await readEnvironment(bench.path("environment"));
  assert.equal(hash.toHex(), "a9993e364706816aba3e25717850c26c9cd0d89d");
});
