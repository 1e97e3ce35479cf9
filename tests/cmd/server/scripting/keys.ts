/** GnuPG with keys of its own, for tests. */

/** Whether GnuPG is installed. */
export const hasGnupg: boolean = (() => {
  try {
    return ["gpg", "gpgv"].every((program) => {
      return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
        .success;
    });
  } catch { // not there
    return false;
  }
})();

/** A directory of GnuPG with secret keys. */
export class KeyBench implements AsyncDisposable {
  readonly home: string;

  constructor(home: string) {
    this.home = home;
  }

  /** Makes keys for names, such as `alice@example.org`. */
  static async open(...names: readonly string[]): Promise<KeyBench> {
    const bench = new KeyBench(await Deno.makeTempDir({ prefix: "rsp-gpg-" }));
    await bench.#startAgent();
    for (const name of names) {
      await bench.gpg("--passphrase", "", "--quick-generate-key", name, "ed25519", "sign", "never");
    }
    return bench;
  }

  /** Writes the public keys of names into a keyring, as `-sskeyring` wants it. */
  async keyring(...names: readonly string[]): Promise<string> {
    const path = `${this.home}/keyring-${names.join("-")}.gpg`;
    await this.gpg("--output", path, "--export", ...names);
    return path;
  }

  /** Signs octets, as `gpg --sign` does. */
  async sign(
    name: string,
    octets: Uint8Array<ArrayBuffer>,
    ...args: readonly string[]
  ): Promise<Uint8Array<ArrayBuffer>> {
    const path = `${this.home}/${crypto.randomUUID()}`;
    await Deno.writeFile(path, octets);
    return await this.gpg("--local-user", name, ...args, "--output", "-", "--sign", path);
  }

  /** Runs gpg and gives its output back. */
  async gpg(...args: readonly string[]): Promise<Uint8Array<ArrayBuffer>> {
    const command = new Deno.Command("gpg", {
      args: ["--homedir", this.home, "--batch", "--no-tty", "--quiet", "--yes", ...args],
      stdin: "null",
    });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return stdout;
  }

  /** Starts the agent and waits until it serves: gpg itself would wait for no more than five seconds. */
  async #startAgent(): Promise<void> {
    const args = ["--homedir", this.home, "--quiet", "--daemon"];
    const quiet = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const { success } = await new Deno.Command("gpg-agent", { args, ...quiet }).output();
    if (!success) throw new Error(`gpg-agent does not serve ${this.home}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Deno.Command("gpgconf", { args: ["--homedir", this.home, "--kill", "all"] }).output();
    await Deno.remove(this.home, { recursive: true });
  }
}

/** Lets all of GnuPG's programs use a home of its own, until it is disposed of. */
export function gnupgHome(path: string): Disposable {
  const before = Deno.env.get("GNUPGHOME");
  Deno.env.set("GNUPGHOME", path);
  return {
    [Symbol.dispose]() {
      if (before === undefined) Deno.env.delete("GNUPGHOME");
      else Deno.env.set("GNUPGHOME", before);
    },
  };
}
