/** How much a job may take, and how much an archive may unpack to. */

/** What a job may take. 0 = as much as there is. */
export interface JobLimits {
  /** From the start of `ssrun` to its end. */
  readonly timeMs: number;
  /** Memory of all its processes together. */
  readonly memoryBytes: number;
  /** Processes and threads at the same time. */
  readonly processes: number;
  /** Room on the disk for all that a session has: what is uploaded, what is unpacked, what the job writes. */
  readonly diskBytes: number;
  /** Length of its result. */
  readonly outputBytes: number;
  /** Standard output and standard error together. */
  readonly consoleBytes: number;
}

/** What is allowed when nothing else is said: enough for a scene of a ray-tracer, not enough to hurt a laboratory PC. */
export const DEFAULT_JOB_LIMITS: JobLimits = {
  timeMs: 3_600_000,
  memoryBytes: 2048 * 2 ** 20,
  processes: 512,
  diskBytes: 4096 * 2 ** 20,
  outputBytes: 1024 * 2 ** 20,
  consoleBytes: 16 * 2 ** 20,
};

/** What an archive may unpack to. */
export interface ArchiveLimits {
  /** All files together. */
  readonly bytes: number;
  /** Files, directories and links: each costs an inode and an entry in a table here. */
  readonly entries: number;
  /** Octets that come out of one octet that goes in, once {@linkcode ratioFromBytes} have come out. */
  readonly ratio: number;
  /** Small archives of zeros are common and harmless. */
  readonly ratioFromBytes: number;
}

/**
 * Limits besides the size, which is that of the job's room on the disk. Text packs by 5, machine-made tables by 50; 200
 * and more is what bombs are made of.
 */
export const DEFAULT_ARCHIVE_LIMITS: Omit<ArchiveLimits, "bytes"> = {
  entries: 100_000,
  ratio: 200,
  ratioFromBytes: 64 * 2 ** 20,
};

/** A size for people. */
export function showSize(bytes: number): string {
  if (bytes < 2 ** 10) return `${bytes} octets`;
  return bytes < 2 ** 20 ? `${Math.round(bytes / 2 ** 10)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
