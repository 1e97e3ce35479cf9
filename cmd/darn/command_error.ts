/** How a command of the prompt or of a script fails, and what that makes of the exit code. */
import { SocketOptionError } from "../../protocol/net.ts";

/** Exit codes of `rsp darn`; 2, a wrong command line, is told by OptionError as everywhere. */
export const DarnExitCode = {
  /** All went well, or the user ended it in order. */
  done: 0,
  /** A command failed, or SCTP could not be had. */
  failed: 1,
  /** An association could not be set up, or was lost while it was needed. */
  association: 3,
  /** What was waited for did not come in time. */
  timeout: 4,
} as const;

/** A command failed. The message is one sentence for people, without a full stop. */
export class CommandError extends Error {
  /** One of {@linkcode DarnExitCode}; counts in scripts only. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number = DarnExitCode.failed) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}

/** A wait came to an end because the session does. */
export class SessionEnded extends Error {
  constructor() {
    super("the session ends");
    this.name = "SessionEnded";
  }
}

/** What went wrong, for people. @throws what is a fault of this program */
export function problem(error: unknown): string {
  const isExpected = error instanceof CommandError || error instanceof SocketOptionError ||
    (error instanceof Error && "code" in error);
  if (isExpected) return error.message;
  throw error;
}
