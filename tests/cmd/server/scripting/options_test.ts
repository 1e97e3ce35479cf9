import assert from "node:assert/strict";
import { relative } from "node:path";
import { OptionError } from "../../../../cmd/options.ts";
import type { OptionValues } from "../../../../cmd/options.ts";
import { parseOptions } from "../../../../cmd/parse_options.ts";
import { DEFAULT_JOB_LIMITS } from "../../../../cmd/server/scripting/limits.ts";
import { scriptingDriverOptions, scriptingRunOptions } from "../../../../cmd/server/scripting/options.ts";
import type { ScriptingRunOptions } from "../../../../cmd/server/scripting/options.ts";

type Values = OptionValues<ScriptingRunOptions>;

function values(change: Partial<Values> = {}): Values {
  const entries = Object.entries(scriptingRunOptions).map(([name, { defaultValue }]) => [name, defaultValue]);
  return { ...Object.fromEntries(entries), ...change } as Values;
}

Deno.test("scriptingDriverOptions() has the defaults of RSPLIB where RSPLIB has the option", () => {
  const options = scriptingDriverOptions(values());
  assert.deepEqual(options.limits, DEFAULT_JOB_LIMITS);
  assert.deepEqual(options.cache, { directory: undefined, maxBytes: 131_072 * 1024, maxEntries: 16 });
  assert.deepEqual([options.sandbox, options.keepDirectories, options.keys], ["auto", false, undefined]);
});

Deno.test("scriptingDriverOptions() reads units as the help text names them", () => {
  const { limits } = scriptingDriverOptions(values({
    ssmaxtime: 2,
    ssmaxmemory: 3,
    ssmaxprocesses: 4,
    ssmaxdisk: 5,
    ssmaxoutput: 6,
    ssmaxconsole: 7,
  }));
  assert.deepEqual(limits, {
    timeMs: 2000,
    memoryBytes: 3 * 2 ** 20,
    processes: 4,
    diskBytes: 5 * 2 ** 20,
    outputBytes: 6 * 2 ** 20,
    consoleBytes: 7 * 2 ** 10,
  });
});

Deno.test("scriptingDriverOptions() carries what concerns directories and the cache to its place", () => {
  const line = [
    ...["-sskeeptempdirs", "-sscachemaxsize=129", "-sscachemaxentries=3", "-sscachedirectory=/cache"],
    "-sssandbox=none",
  ];
  const { values } = parseOptions(scriptingRunOptions, line, () => undefined);
  const { keepDirectories, cache, sandbox } = scriptingDriverOptions(values as Values);
  assert.deepEqual([keepDirectories, sandbox], [true, "none"]);
  assert.deepEqual(cache, { directory: "/cache", maxBytes: 129 * 1024, maxEntries: 3 });
});

Deno.test("scriptingDriverOptions() refuses a trust database without keys, and keys that cannot be read", () => {
  const refuse = (change: Partial<Values>, why: RegExp) => {
    assert.throws(() => scriptingDriverOptions(values(change)), (error: Error) => {
      assert(error instanceof OptionError);
      assert.match(error.message, why);
      return true;
    });
  };
  refuse({ sstrustdb: "/dev/null" }, /^option -sstrustdb needs -sskeyring/);
  refuse({ sskeyring: "/no/such/file" }, /^option -sskeyring: cannot read \/no\/such\/file: no such file/i);
  refuse({ sskeyring: "/dev/null", sstrustdb: "/no/such/file" }, /^option -sstrustdb: cannot read/);
});

Deno.test("scriptingDriverOptions() makes paths absolute, as GnuPG wants them", async () => {
  const directory = await Deno.makeTempDir({ prefix: "rsp-options-test-" });
  try {
    await Deno.writeTextFile(`${directory}/keys`, "");
    const name = relative(Deno.cwd(), `${directory}/keys`);
    const { keys } = scriptingDriverOptions(values({ sskeyring: name, sstrustdb: name }));
    assert.deepEqual(keys, { keyring: `${directory}/keys`, trustDatabase: `${directory}/keys` });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
