import assert from "node:assert/strict";
import { MARK_VARIABLE, ProcessFamily } from "../../../../cmd/server/scripting/process_family.ts";

/** Goes on in another process again and again, as long as its file is there. */
const HOP = "#!/bin/sh\nsleep 0.03\nsetsid ./hop &\n";

/** Much longer than a hop. */
const STOPPED_MS = 300;

/** Whether a process of the machine works in a directory. */
async function isBusy(directory: string): Promise<boolean> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (/^\d+$/.test(name) && await Deno.readLink(`/proc/${name}/cwd`).catch(() => "") === directory) {
      return true;
    }
  }
  return false;
}

Deno.test("ProcessFamily.kill() gets a process that hops while the server is stopped in the middle of a sweep", async () => {
  const directory = await Deno.makeTempDir({ prefix: "rsp-family-test-" });
  try {
    await Deno.writeTextFile(`${directory}/hop`, HOP, { mode: 0o700 });
    const mark = crypto.randomUUID(), env = { [MARK_VARIABLE]: mark };
    const output = { stdin: "null", stdout: "null", stderr: "null" } as const;
    assert.ok((await new Deno.Command("./hop", { cwd: directory, env, ...output }).output()).success);
    let isStopped = false;
    const family = new ProcessFamily({
      processId: undefined,
      get mark() { // is asked for with the first process that is looked at, when all have been listed
        const end = performance.now() + (isStopped ? 0 : STOPPED_MS);
        while (performance.now() < end);
        isStopped = true;
        return mark;
      },
      directory,
      isNamespace: false,
    });
    assert.equal(await family.kill(), 0);
    assert.equal(await isBusy(directory), false);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
