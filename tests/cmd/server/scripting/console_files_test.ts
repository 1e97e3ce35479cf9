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
