import assert from "node:assert/strict";
import { ConsoleFiles } from "../../../../cmd/server/scripting/console_files.ts";
import { Workspace } from "../../../../cmd/server/scripting/workspace.ts";

Deno.test("ConsoleFiles goes on reading what it cannot keep: a job is not to lose its life with its words", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const workspace = new Workspace(directory, 1000);
    await Deno.writeTextFile(workspace.stdout, "in its way");
    let left = 5, cancelled = 0;
    const stream = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (left-- > 0) controller.enqueue(Uint8Array.of(0x61));
          else controller.close();
        },
        cancel: () => void cancelled++,
      });
    const printed: string[] = [];
    const onPrinted = (channel: string) => void printed.push(channel);
    const files = new ConsoleFiles(workspace, 0, { onPrinted, onFlood: () => {} });
    await files.copy(stream(), ReadableStream.from([]));
    assert.deepEqual([cancelled, printed.length], [0, 5]);
    assert.equal(await Deno.readTextFile(workspace.stdout), "in its way");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** What comes of a job's words that are to be read `afterMs` after its end, while the process stands still for a while. */
async function lastWords(afterMs: number, stoppedMs: number): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  try {
    const printed: string[] = [];
    const onPrinted = (_channel: string, data: Uint8Array) =>
      void printed.push(new TextDecoder().decode(data));
    const files = new ConsoleFiles(new Workspace(directory, 1000), 0, { onPrinted, onFlood: () => {} });
    const pipe = new TransformStream<Uint8Array, Uint8Array>(), writer = pipe.writable.getWriter();
    const copied = files.copy(pipe.readable, ReadableStream.from([]));
    const timer = setTimeout(() => void writer.write(Uint8Array.of(0x61)).catch(() => {}), afterMs);
    const finished = files.finish(copied);
    for (const end = performance.now() + stoppedMs; performance.now() < end;);
    await finished;
    clearTimeout(timer);
    return printed;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("ConsoleFiles reads what came while the process was stopped behind the end of a job, though the pipe stays open", async () => {
  assert.deepEqual(await lastWords(1200, 1500), ["a"]);
});

Deno.test("ConsoleFiles does not wait for a pipe that somebody keeps open", async () => {
  assert.deepEqual(await lastWords(60_000, 0), []);
});
