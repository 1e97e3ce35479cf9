import assert from "node:assert/strict";
import { parseOptions } from "../../../cmd/parse_options.ts";
import { command as poolUser } from "../../../cmd/pooluser/command.ts";
import { poolUserOptions } from "../../../cmd/pooluser/options.ts";
import type { PoolUserOptionValues } from "../../../cmd/pooluser/options.ts";
import { Program } from "../program.ts";

const parse = (...line: string[]) =>
  parseOptions(poolUserOptions, line, () => undefined).values as PoolUserOptionValues;

Deno.test("rsp pooluser -once is one image, and refuses another number of them", async () => {
  assert.equal(parse("-once").images, 1);
  for (const images of [0, 5]) {
    await assert.rejects(new Program(poolUser, "-once", `-images=${images}`).ended, {
      name: "OptionError",
      message: `-once is one image, -images=${images} is not: leave one of them out`,
    });
  }
});

Deno.test("rsp pooluser refuses a wrong place for its page before it writes to a file", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "yesterday's");
    const noName = "x".repeat(64); // no name server is asked for it: labels have 63 letters at most
    await assert.rejects(
      new Program(poolUser, `-web=${noName}:1`, `-statsfile=${file}`).ended,
      /no address is known/,
    );
    assert.equal(await Deno.readTextFile(file), "yesterday's");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("rsp pooluser takes the options of RSPLIB's that say what it does anyway", () => {
  const { fractal, sendtimeout, sessions, colormarks } = parse(
    ...["-fractal", "-sendtimeout=1234", "-sessions", "-nosessions", "-colormarks", "-nocolormarks"],
  );
  assert.deepEqual([fractal, sendtimeout, sessions, colormarks], [true, 1234, false, false]);
});
