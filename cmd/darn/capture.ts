/** `capture FILE` of a session. */
import { CaptureError, openCaptureFile } from "../driver/capture_file.ts";
import type { CaptureFile } from "../driver/capture_file.ts";
import { CommandError } from "./command_error.ts";
import type { Session } from "./session.ts";

/** Starts to write packets. @throws {CommandError} when the file or the transport does not do it */
export function startCapture(session: Session, path: string): CaptureFile {
  if (path === "-") throw new CommandError("capture wants a file: standard output is in use");
  try {
    return openCaptureFile(path, session.transport, {
      onProblem: (sentence) => session.display.error(sentence),
    });
  } catch (error) {
    if (error instanceof CaptureError) throw new CommandError(error.message);
    throw error;
  }
}
