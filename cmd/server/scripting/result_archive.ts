/** What is sent when there is no result of the job: how it ended and what it wrote, as an archive. */
import { createTarPacker } from "modern-tar";
import type { Workspace } from "./workspace.ts";

/**
 * Writes `result.tar.gz` of a workspace with `report.txt` and, if the job has run, `stdout.txt` and `stderr.txt`.
 *
 * @param report a text for people
 */
export async function writeSubstitute(workspace: Workspace, report: string): Promise<void> {
  const { readable, controller } = createTarPacker();
  const file = await Deno.open(workspace.substitute, { write: true, createNew: true, mode: 0o600 });
  const written = readable.pipeThrough(new CompressionStream("gzip")).pipeTo(file.writable);
  const filled = fill(controller, workspace, new TextEncoder().encode(report)).catch((error) => {
    controller.error(error);
    throw error;
  });
  await Promise.all([written, filled]);
}

async function fill(
  controller: ReturnType<typeof createTarPacker>["controller"],
  { stdout, stderr }: Workspace,
  report: Uint8Array,
): Promise<void> {
  const writer = controller.add({ name: "report.txt", size: report.length }).getWriter();
  await writer.write(report);
  await writer.close();
  for (const [name, path] of [["stdout.txt", stdout], ["stderr.txt", stderr]] as const) {
    const file = await openIfThere(path);
    if (file === undefined) continue;
    const { size } = await file.stat();
    await file.readable.pipeTo(controller.add({ name, size }));
  }
  controller.finalize();
}

async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch { // the job was never started
    return undefined;
  }
}
