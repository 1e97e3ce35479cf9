/** Why a work package is not run. */
import { JobStatus } from "../../../protocol/app/scripting/job_status.ts";

/** A work package is refused. The message is a sentence without a full stop, for the log and for the user. */
export class PackageError extends Error {
  /** One of {@linkcode JobStatus}. */
  readonly status: JobStatus;

  constructor(message: string, status: JobStatus = JobStatus.badPackage) {
    super(message);
    this.name = "PackageError";
    this.status = status;
  }
}
