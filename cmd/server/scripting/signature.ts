/**
 * Checks who has signed a work package or an environment.
 *
 * Packages are signed as `gpg --sign` does it: one file with the data and the signature. With a keyring alone, every key in it
 * is trusted and gpgv does the work, which is made for that. With a trust database, too, gpg says whether the key is
 * valid by it. RSPLIB's server takes the exit code of `gpg --decrypt`, which is 0 for data that is not signed at all; here
 * what counts is what gpg reports line by line (doc/DETAILS of GnuPG).
 */
import { fileProblem } from "../../driver/file_problem.ts";
import { writeAll } from "../../driver/write_all.ts";
import { JobStatus } from "../../../protocol/app/scripting/job_status.ts";
import { runCaptured } from "./captured_command.ts";
import { showSize } from "./limits.ts";
import { PackageError } from "./package_error.ts";
import { removeTree } from "./remove_tree.ts";

/** Whose signatures are good. */
export interface SignatureKeys {
  /** Public keys, as `gpg --export` writes them. */
  readonly keyring: string;
  /** GnuPG's trust database; undefined = all keys of the keyring are trusted. */
  readonly trustDatabase: string | undefined;
}

/** What to check. */
export interface SignaturePlan {
  readonly keys: SignatureKeys;
  /** Where files of GnuPG's own are made, for as long as the check takes. */
  readonly directory: string;
  /** The signed file. */
  readonly signed: string;
  /** Where the data goes; undefined = nowhere. */
  readonly data: string | undefined;
  /** Most octets of the data: gpg packs what it signs. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Reports that there is a signature that is not good, with what to say of it. */
const BAD_REPORTS: ReadonlyMap<string, string> = new Map([
  ["BADSIG", "its signature is not that of its data"],
  ["ERRSIG", "it is signed by a key that is not in the server's keyring"],
  ["NO_PUBKEY", "it is signed by a key that is not in the server's keyring"],
  ["EXPSIG", "its signature has expired"],
  ["EXPKEYSIG", "its signature is of a key that has expired"],
  ["REVKEYSIG", "its signature is of a key that has been revoked"],
  ["TRUST_UNDEFINED", "it is signed by a key that the server's trust database does not trust"],
  ["TRUST_NEVER", "it is signed by a key that the server's trust database does not trust"],
  ["TRUST_MARGINAL", "it is signed by a key that the server's trust database trusts too little"],
  ["NODATA", "it is not signed"],
  ["BEGIN_DECRYPTION", "it is encrypted, not signed"],
]);

/**
 * Checks a signed file and takes the data out of it.
 *
 * @returns in words, who has signed it
 * @throws {PackageError} with a clause about the file, such as "it is not signed"
 */
export async function checkSignature(plan: SignaturePlan): Promise<string> {
  const home = await Deno.makeTempDir({ dir: plan.directory, prefix: "keys-" });
  try {
    const reports = await runGnupg(plan, home);
    for (const [name, words] of BAD_REPORTS) {
      if (reports.some((report) => report[0] === name)) throw refused(words);
    }
    // Several texts in one file: gpg would give all out, though only one of them is signed.
    if (reports.filter(([name]) => name === "PLAINTEXT").length > 1) {
      throw refused("it has more than one text");
    }
    const valid = reports.find(([name]) => name === "VALIDSIG");
    if (valid === undefined) throw refused("it is not signed");
    const trusted = reports.some(([name]) => name === "TRUST_FULLY" || name === "TRUST_ULTIMATE");
    if (plan.keys.trustDatabase !== undefined && !trusted) {
      throw refused("nothing is known of its key's trust");
    }
    const who = reports.find(([name]) => name === "GOODSIG")?.slice(2).join(" ");
    return who === undefined || who === "" ? `key ${valid[1]}` : who;
  } finally {
    await removeTree(home);
  }
}

/**
 * Runs gpgv or gpg.
 *
 * @returns the words of its reports
 */
async function runGnupg(plan: SignaturePlan, home: string): Promise<readonly (readonly string[])[]> {
  const { keys, data, maxBytes, signal } = plan;
  let bytes = 0;
  using file = data === undefined
    ? undefined
    : await Deno.open(data, { write: true, createNew: true, mode: 0o600 });
  const { success, stderr } = await runCaptured({
    program: gnupgProgram(keys),
    args: await gnupgArguments(plan, home),
    signal,
    async onOutput(chunk) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw refused(`what is signed is longer than ${showSize(maxBytes)}`);
      if (file !== undefined) await writeAll(file, chunk);
    },
  });
  const reports = stderr.split("\n").filter((line) => line.startsWith("[GNUPG:] ")).map((line) => {
    return line.slice("[GNUPG:] ".length).split(" ");
  });
  const isExplained = reports.some(([name = ""]) => BAD_REPORTS.has(name));
  if (!success && !isExplained) throw refused(`GnuPG cannot check it: ${lastLine(stderr)}`);
  return reports;
}

/** The program that checks signatures by these keys. */
export function gnupgProgram({ trustDatabase }: SignatureKeys): string {
  return trustDatabase === undefined ? "gpgv" : "gpg";
}

async function gnupgArguments({ keys, signed }: SignaturePlan, home: string): Promise<readonly string[]> {
  const common = ["--homedir", home, "--status-fd", "2", "--keyring", keys.keyring, "--output", "-"];
  if (keys.trustDatabase === undefined) return [...common, "--", signed];
  // gpg writes into its trust database when it is due for a check.
  const trustDatabase = `${home}/trustdb.gpg`;
  try {
    await Deno.copyFile(keys.trustDatabase, trustDatabase);
  } catch (error) {
    throw new Error(`cannot read ${keys.trustDatabase}: ${fileProblem(error)}`, { cause: error });
  }
  const gpg = ["--batch", "--no-tty", "--no-default-keyring", "--no-auto-key-retrieve"];
  return [...gpg, "--trustdb-name", trustDatabase, ...common, "--decrypt", "--", signed];
}

function refused(words: string): PackageError {
  return new PackageError(words, JobStatus.badSignature);
}

/** The last line that is not about a signature: gpg fails, too, over a good one when the trust database is not in order. */
function lastLine(text: string): string {
  const lines = text.split("\n").filter((line) => {
    return line !== "" && !/^\[GNUPG:\]|^gpgv?: (?:Signature made|Good signature| {2})/.test(line);
  });
  return lines.at(-1) ?? "it does not say why";
}
