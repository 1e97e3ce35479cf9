/**
 * Puts what `scripts/build` has made for all processors into archives to be given away, in `dist/rsp-VERSION`, with the sources
 * of the commit where there is a repository. Called by `scripts/release`.
 */
// deno-lint-ignore-file no-console
import { fileURLToPath } from "node:url";
import { buildFacts } from "../cmd/build_facts.ts";
import { installPages } from "../cmd/man/install.ts";
import { manualPages } from "../cmd/man/pages.ts";
import { VERSION } from "../cmd/version.ts";
import { writeChecksums } from "./packing/checksums.ts";
import { sourceDate } from "./packing/source_date.ts";
import { run } from "./packing/run.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const DIST = `${ROOT}dist`;
const NAME = `rsp-${VERSION}`;
const PROCESSORS = ["x86_64", "aarch64"] as const;

/** Packs a folder so that the archive says nothing of when, where and by whom it was packed. */
async function pack(stage: string, archive: string, date: string): Promise<void> {
  const nobody = ["--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  const tar = `${stage}/archive.tar`;
  await run(
    "tar",
    "--create",
    "--sort=name",
    `--mtime=${date}`,
    "--mode=u=rwX,go=rX",
    ...nobody,
    `--file=${tar}`,
    `--directory=${stage}`,
    NAME,
  );
  await run("gzip", "--no-name", "--best", tar);
  await Deno.rename(`${tar}.gz`, archive);
}

async function main(): Promise<void> {
  const release = `${DIST}/${NAME}`;
  const facts = await buildFacts();
  const date = sourceDate(facts.date) ?? "1970-01-01T00:00:00Z";
  await Deno.remove(release, { recursive: true }).catch(() => {}); // there was none
  await Deno.mkdir(release, { recursive: true });
  const stage = await Deno.makeTempDir({ dir: DIST, prefix: "release-" });
  try {
    const folder = `${stage}/${NAME}`;
    await Deno.mkdir(folder);
    for (const name of ["README.md", "LICENSE"]) await Deno.copyFile(`${ROOT}${name}`, `${folder}/${name}`);
    await Deno.copyFile(`${DIST}/LICENSES`, `${folder}/LICENSES`);
    installPages({ ...await manualPages(), folder: `${folder}/man`, others: [], force: true });
    for (const processor of PROCESSORS) {
      await Deno.copyFile(`${DIST}/rsp-${processor}`, `${folder}/rsp`);
      await Deno.chmod(`${folder}/rsp`, 0o755);
      await pack(stage, `${release}/${NAME}-linux-${processor}.tar.gz`, date);
    }
    if (facts.commit !== undefined) {
      if (facts.changed) {
        console.error("release: files were changed since the commit, whose sources are packed as they were");
      }
      const sources = `${release}/${NAME}-sources.tar.gz`;
      await run(
        "git",
        "-C",
        ROOT,
        "archive",
        `--prefix=${NAME}-sources/`,
        `--output=${sources}`,
        facts.commit,
      );
    }
    await writeChecksums(release);
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
  for (const line of (await Deno.readTextFile(`${release}/SHA256SUMS`)).trim().split("\n")) {
    const name = line.slice(line.lastIndexOf(" ") + 1);
    const { size } = await Deno.stat(`${release}/${name}`);
    console.log(`release: dist/${NAME}/${name} (${Math.round(size / 1e5) / 10} MB)`);
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`release: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
