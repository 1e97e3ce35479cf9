/** Signs what is uploaded, for servers that run only what somebody they know has signed (`-sskeyring`). */
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { findProgram, searchPath } from "../driver/programs.ts";
import { OptionError } from "../options.ts";

/** How names of files end that are signed. */
const SIGNED = ".gpg";

/** The program that signs, and Debian's package of it. */
const PROGRAM = "gpg";

/**
 * Signs files by a key of the user's own, as `gpg --sign` does it: one file with the data and the signature. GnuPG asks for
 * the key's passphrase by itself where it has one, and remembers it for the next files.
 */
export class Signing implements AsyncDisposable {
  readonly #key: string;
  readonly #folder: string;
  #count = 0;

  /** Made by {@linkcode open}. */
  constructor(key: string, folder: string) {
    this.#key = key;
    this.#folder = folder;
  }

  /**
   * Makes a place for signed files. Nothing is signed yet.
   *
   * @param key as `gpg --local-user` takes it: an identifier, a fingerprint, a name
   * @throws {OptionError} when GnuPG is not installed
   */
  static async open(key: string): Promise<Signing> {
    if (findProgram(PROGRAM, searchPath()) === undefined) {
      throw new OptionError(`option -sign: the program ${PROGRAM} is not installed; apt install ${PROGRAM}`);
    }
    return new Signing(key, await Deno.makeTempDir({ prefix: "rsp-signed-" }));
  }

  /**
   * Signs a file. One whose name ends in `.gpg` is signed already: servers know an environment again that is signed once and
   * for all, since each signature is another one.
   *
   * @returns the path of the signed one, which is there until it is dropped, or until the end
   * @throws {OptionError} when GnuPG cannot; it says why
   */
  async sign(path: string): Promise<string> {
    if (path.endsWith(SIGNED)) return path;
    const signed = join(this.#folder, `${++this.#count}-${basename(path)}${SIGNED}`);
    const { success, stderr } = await new Deno.Command(PROGRAM, {
      args: ["--batch", "--quiet", "--local-user", this.#key, "--output", signed, "--sign", "--", path],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (success) return signed;
    const why = new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "";
    throw new OptionError(`option -sign: ${why.replace(/^gpg: /, "")}`);
  }

  /** A signed file is not needed any more. The user's own stay. */
  async drop(signed: string): Promise<void> {
    if (dirname(signed) === this.#folder) await rm(signed, { force: true });
  }

  /** Removes all signed files. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
