/** Which build this is, in words. */
import type { BuildFacts, BuildKind } from "../build_facts.ts";

/** All that `rsp version` tells; -json writes it as it is. */
export interface VersionFacts extends BuildFacts {
  readonly version: string;
  readonly deno: string;
  readonly v8: string;
  readonly typescript: string;
  /** As `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** What would carry SCTP where -transport says nothing. */
  readonly transport: "kernel" | "embedded";
  readonly transportReason: string;
  /** SPDX identifier. */
  readonly licence: string;
}

/** Enough of a commit's hash to find it. */
const SHOWN_HASH_LENGTH = 12;

const KINDS: Readonly<Record<BuildKind, string>> = {
  "sources": "run from its sources",
  "compiled": "one file, made by deno compile",
  "attached": "one file, attached to Deno",
};

/** The facts for people. The first line is all that a report of a fault needs. */
export function describeVersion(facts: VersionFacts): string {
  const { version, kind, deno, v8, typescript, target, transport, transportReason, licence } = facts;
  return [
    `rsp ${[version, origin(facts)].filter((word) => word !== "").join(" ")}`,
    `Build: ${KINDS[kind]}, for ${target}`,
    `With:  Deno ${deno}, V8 ${v8}${kind === "sources" ? `, TypeScript ${typescript}` : ""}`,
    `SCTP:  ${transport === "kernel" ? "the kernel's" : "the embedded stack"} (${transportReason})`,
    `Licence: ${licence}`,
  ].map((line) => `${line}\n`).join("");
}

/** `(0123456789ab with changes, 2026-11-23)`; empty = nothing is known. */
function origin({ commit, changed, date }: BuildFacts): string {
  const words: string[] = [];
  if (commit !== undefined) {
    words.push(`${commit.slice(0, SHOWN_HASH_LENGTH)}${changed ? " with changes" : ""}`);
  }
  if (date !== undefined) words.push(date.slice(0, "2026-11-23".length));
  return words.length === 0 ? "" : `(${words.join(", ")})`;
}
