/** The real program on a real terminal, which `script` of util-linux makes. */
import assert from "node:assert/strict";
import { darn } from "./darn_world.ts";

const MAIN = new URL("../../../cmd/main.ts", import.meta.url).pathname;

/** Whether `script` is there with the options that this needs. */
function hasScript(): boolean {
  try {
    const { stdout } = new Deno.Command("script", { args: ["--version"] }).outputSync();
    return new TextDecoder().decode(stdout).includes("util-linux");
  } catch {
    return false;
  }
}

Deno.test({
  name: "on a terminal, Ctrl+C behind a message shuts the association down and ends with 0",
  ignore: !hasScript(),
  fn: async () => {
    const listener = darn("-l");
    const port = await listener.port();
    const line = [Deno.execPath(), "run", "--allow-all", "--no-check", MAIN, "darn", "-sI", "-history=off"]
      .concat("-H 127.0.0.1 -transport=embedded -encapsulation=udp -h 127.0.0.1 -p".split(" "), String(port));
    const child = new Deno.Command("script", {
      args: ["--quiet", "--return", "--command", line.join(" "), "/dev/null"],
      env: { NO_COLOR: "1", TERM: "xterm" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const keys = child.stdin.getWriter(), decoder = new TextDecoder();
    let screen = "", step = 0;
    // Each key is pressed when the screen shows what it answers.
    const steps = [[/Interactive mode> /, "snd=5\r"], [/COMM_UP[^]*Interactive mode> /, "\x03"]] as const;
    for await (const chunk of child.stdout) {
      screen += decoder.decode(chunk, { stream: true });
      const next = steps[step];
      if (next === undefined || !next[0].test(screen)) continue;
      step++;
      await keys.write(new TextEncoder().encode(next[1]));
    }
    await keys.close().catch(() => {}); // the program may have gone first
    assert.equal((await child.status).code, 0, screen);
    assert.match(screen, /SHUTDOWN_COMP: shut down/);
    await listener.until(/DATA\(5\): {2}!"#\$%/);
    await listener.until(/SHUTDOWN_COMP: shut down by the peer/);
    listener.interrupt();
    assert.equal(await listener.exitCode, 0);
  },
});
