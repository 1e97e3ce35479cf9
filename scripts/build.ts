/**
 * Makes the program one file, in `dist/`: by `deno compile` where its base program (denort) can be had, downloaded or as a
 * copy that DENORT_BIN names; else by attaching it to a copy of Deno. The same sources and the same Deno give the same
 * octets.
 *
 *     scripts/build [x86_64] [aarch64]
 */
// deno-lint-ignore-file no-console
import { fileURLToPath } from "node:url";
import { buildFacts } from "../cmd/build_facts.ts";
import type { BuildFacts } from "../cmd/build_facts.ts";
import { VERSION } from "../cmd/version.ts";
import { attachProgram } from "./packing/attach.ts";
import { writeChecksums } from "./packing/checksums.ts";
import { compileProgram } from "./packing/compile.ts";
import { denoFor } from "./packing/deno_for.ts";
import type { Processor } from "./packing/deno_for.ts";
import { licences } from "./packing/licences.ts";
import { bundleProgram } from "./packing/program.ts";
import { tryRun } from "./packing/run.ts";
import { sourceDate } from "./packing/source_date.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = `${ROOT}dist`;
const PROCESSORS: readonly Processor[] = ["x86_64", "aarch64"];

/** A file to be made. */
interface Target {
  readonly processor: Processor;
  readonly name: string;
}

function targets(words: readonly string[]): readonly Target[] {
  if (words.length === 0) return [{ processor: Deno.build.arch, name: "rsp" }];
  return words.map((word) => {
    const processor = PROCESSORS.find((known) => known === word);
    if (processor === undefined) throw new Error(`There is no ${word}; there are ${PROCESSORS.join(" ")}`);
    return { processor, name: `rsp-${processor}` };
  });
}

/** The facts of the sources. */
async function sourceFacts(): Promise<Omit<BuildFacts, "kind">> {
  const { commit, changed, date } = await buildFacts();
  return { commit, changed, date: sourceDate(date) };
}

/** A file that does not answer is none. Another processor's is tried by `tests/dist`. */
async function answers(path: string): Promise<boolean> {
  const { success, stdout } = await tryRun(path, ["--version"], 30_000);
  return success && stdout.startsWith(`rsp ${VERSION}`);
}

/** Makes files of one program. */
class Maker {
  readonly #stage: string;
  readonly #program: string;
  /** What does not work for one processor is not waited for again. */
  #compiles = true;

  /** @param stage a folder to work in */
  constructor(stage: string, program: string) {
    this.#stage = stage;
    this.#program = program;
  }

  /** @returns how it was made, in words */
  async make({ processor }: Target, path: string): Promise<string> {
    if (this.#compiles && await this.#compile(processor, path)) return "made by deno compile";
    const deno = await denoFor(processor);
    await Deno.writeFile(path, attachProgram(await Deno.readFile(deno.path), this.#program));
    await Deno.chmod(path, 0o755);
    if (processor === Deno.build.arch && !await answers(path)) throw new Error("What was made does not run");
    return `Deno ${deno.version} with the program attached`;
  }

  async #compile(processor: Processor, path: string): Promise<boolean> {
    let problem = await compileProgram(this.#stage, this.#program, processor, path);
    if (problem === undefined && processor === Deno.build.arch && !await answers(path)) {
      problem = "what it makes does not run";
    }
    if (problem !== undefined) console.error(`build: deno compile does not work here (${problem})`);
    this.#compiles = problem === undefined;
    return this.#compiles;
  }
}

async function main(words: readonly string[]): Promise<void> {
  const wanted = targets(words);
  await Deno.mkdir(DIST, { recursive: true });
  // On the same file system: what is made is moved.
  const stage = await Deno.makeTempDir({ dir: DIST, prefix: "packing-" });
  try {
    const about = { facts: await sourceFacts(), licences: await licences() };
    const maker = new Maker(stage, await bundleProgram(stage, about));
    for (const target of wanted) {
      const { name, processor } = target;
      const made = `${stage}/${name}`;
      const kind = await maker.make(target, made);
      const { size } = await Deno.stat(made);
      // Taking the place of another one at once: it may be running, and then it cannot be written to.
      await Deno.rename(made, `${DIST}/${name}`);
      console.log(`build: dist/${name} is ${kind}, for ${processor} (${Math.round(size / 1e6)} MB)`);
    }
    await Deno.writeTextFile(`${DIST}/LICENSES`, about.licences);
    await writeChecksums(DIST);
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`build: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
