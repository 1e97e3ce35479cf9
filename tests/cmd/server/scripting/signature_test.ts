import assert from "node:assert/strict";
import { checkSignature } from "../../../../cmd/server/scripting/signature.ts";
import type { SignatureKeys } from "../../../../cmd/server/scripting/signature.ts";
import { PackageError } from "../../../../cmd/server/scripting/package_error.ts";
import { JobStatus } from "../../../../protocol/app/scripting/job_status.ts";
import { DriverBench, scriptPackage, textOf } from "./bench.ts";
import { hasGnupg, KeyBench } from "./keys.ts";

const ALICE = "alice@example.org", MALLORY = "mallory@example.org";

/** Checks octets and gives the data back. */
async function check(
  keys: SignatureKeys,
  octets: Uint8Array,
  maxBytes = 1_000_000,
): Promise<[string, string]> {
  const directory = await Deno.makeTempDir({ prefix: "rsp-signature-test-" });
  try {
    await Deno.writeFile(`${directory}/signed`, octets);
    const who = await checkSignature({
      keys,
      directory,
      signed: `${directory}/signed`,
      data: `${directory}/data`,
      maxBytes,
      signal: new AbortController().signal,
    });
    const left = await Array.fromAsync(Deno.readDir(directory));
    assert.deepEqual(left.map(({ name }) => name).sort(), ["data", "signed"]);
    return [who, await Deno.readTextFile(`${directory}/data`)];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const DATA = new TextEncoder().encode("what is signed");

Deno.test("checkSignature() takes what a key of the keyring has signed", { ignore: !hasGnupg }, async () => {
  await using bench = await KeyBench.open(ALICE);
  const keys = { keyring: await bench.keyring(ALICE), trustDatabase: undefined };
  assert.deepEqual(await check(keys, await bench.sign(ALICE, DATA)), [ALICE, "what is signed"]);
});

Deno.test(
  "checkSignature() leaves nothing anywhere else, should it be killed",
  { ignore: !hasGnupg },
  async () => {
    const keys = { keyring: "/nothing", trustDatabase: undefined };
    const signal = new AbortController().signal;
    const plan = { keys, directory: "/nothing", signed: "/nothing", data: undefined, maxBytes: 1, signal };
    await assert.rejects(checkSignature(plan), Deno.errors.NotFound);
  },
);

Deno.test("checkSignature() refuses all else", { ignore: !hasGnupg }, async () => {
  await using bench = await KeyBench.open(ALICE, MALLORY);
  const signed = await bench.sign(ALICE, DATA, "--compress-algo", "none");
  const changed = signed.slice();
  changed[new TextDecoder("latin1").decode(signed).indexOf("what")]! ^= 1;
  const twice = new Uint8Array([
    ...signed,
    ...await bench.gpg("--output", "-", "--store", await saved(bench, DATA)),
  ]);
  const then = ["--faked-system-time", "20200101T000000!"];
  const OLD = "old@example.org";
  await bench.gpg(...then, "--passphrase", "", "--quick-generate-key", OLD, "ed25519", "sign", "never");
  const expired = await bench.sign(OLD, DATA, ...then, "--default-sig-expire", "1d");
  const keys = { keyring: await bench.keyring(ALICE, OLD), trustDatabase: undefined };
  const cases: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ["not signed", DATA, /^it is not signed$/],
    ["empty", new Uint8Array(), /not signed/],
    [
      "stored, not signed",
      await bench.gpg("--output", "-", "--store", await saved(bench, DATA)),
      /not signed/,
    ],
    ["signed by another", await bench.sign(MALLORY, DATA), /not in the server's keyring/],
    ["changed", changed, /not that of its data/],
    ["cut off", signed.subarray(0, signed.length - 10), /not signed/],
    ["with a second text", twice, /not signed|more than one text/],
    ["expired", expired, /signature has expired/],
    ["symmetrically encrypted", await encrypted(bench, DATA), /not signed|encrypted|GnuPG cannot check/],
  ];
  for (const [name, octets, why] of cases) {
    await assert.rejects(check(keys, octets), (error: Error) => {
      assert(error instanceof PackageError, `${name}: ${error}`);
      assert.equal(error.status, JobStatus.badSignature, name);
      assert.match(error.message, why, name);
      return true;
    }, name);
  }
});

Deno.test(
  "checkSignature() asks the trust database which keys are valid",
  { ignore: !hasGnupg },
  async () => {
    await using bench = await KeyBench.open(ALICE);
    await using other = await KeyBench.open(MALLORY); // whose trust database knows nothing of Alice
    const keyring = await bench.keyring(ALICE);
    const signed = await bench.sign(ALICE, DATA);
    const trusting = { keyring, trustDatabase: `${bench.home}/trustdb.gpg` };
    assert.deepEqual(await check(trusting, signed), [ALICE, "what is signed"]);
    const ignorant = { keyring, trustDatabase: `${other.home}/trustdb.gpg` };
    await assert.rejects(check(ignorant, signed), /trust database does not trust/);
    await assert.rejects(check(trusting, DATA), /not signed|GnuPG cannot check/);
    await assert.rejects(
      check(trusting, await bench.gpg("--output", "-", "--store", await saved(bench, DATA))),
      /not signed/,
    );
  },
);

Deno.test(
  "checkSignature() refuses what gets too long when it is unpacked",
  { ignore: !hasGnupg },
  async () => {
    await using bench = await KeyBench.open(ALICE);
    const keys = { keyring: await bench.keyring(ALICE), trustDatabase: undefined };
    const signed = await bench.sign(ALICE, new Uint8Array(2_000_000));
    assert(signed.length < 20_000);
    await assert.rejects(check(keys, signed), /longer than 977 KiB/);
  },
);

Deno.test(
  "ScriptingDriver runs signed packages only, when it has a keyring",
  { ignore: !hasGnupg },
  async () => {
    await using keys = await KeyBench.open(ALICE, MALLORY);
    await using bench = await DriverBench.open({
      keys: { keyring: await keys.keyring(ALICE), trustDatabase: undefined },
    });
    const script = 'echo "$3" >"$1"; test -s "$3"';
    const good = await bench.runPackage(await keys.sign(ALICE, await scriptPackage(script)));
    assert.deepEqual([good.exitCode, textOf(good.output)], [0, "keyring.gpg\n"]);
    const unsigned = await bench.runPackage(await scriptPackage(script));
    assert.equal(unsigned.exitCode, JobStatus.badSignature);
    assert.match(unsigned.reason ?? "", /^the work package is refused: /);
    const foreign = await bench.runPackage(await keys.sign(MALLORY, await scriptPackage(script)));
    assert.equal(
      foreign.reason,
      "the work package is refused: it is signed by a key that is not in the server's keyring",
    );
    assert.equal(foreign.stdout, "");
  },
);

Deno.test(
  "ScriptingDriver takes signed environments only, when it has a keyring",
  { ignore: !hasGnupg },
  async () => {
    await using keys = await KeyBench.open(ALICE);
    await using bench = await DriverBench.open({
      keys: { keyring: await keys.keyring(ALICE), trustDatabase: undefined },
    });
    const signed = await keys.sign(ALICE, DATA);
    for (const [session, octets] of [[1, signed], [2, DATA]] as const) {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", octets));
      await bench.begin(session);
      bench.driver.handle({ type: "lookForEnvironment", session, hash });
      assert.equal((await bench.answer("environmentLooked", session)).found, false);
      await bench.upload(octets, session, "storeEnvironment");
      bench.driver.handle({ type: "checkEnvironment", session, hash });
      const { failure } = await bench.answer("environmentChecked", session);
      if (session === 1) {
        assert.equal(failure, undefined);
        continue;
      }
      assert.equal(failure?.status, JobStatus.badSignature);
      assert.match(failure.reason, /^the environment is refused: /);
    }
  },
);

Deno.test(
  "ScriptingDriver takes no environment out of its cache that nobody has signed, when it has a keyring",
  { ignore: !hasGnupg },
  async () => {
    await using keys = await KeyBench.open(ALICE);
    const directory = `${keys.home}/cache`;
    const signed = await keys.sign(ALICE, DATA);
    const hashes = await Promise.all([signed, DATA].map(async (octets) => {
      return new Uint8Array(await crypto.subtle.digest("SHA-1", octets));
    }));
    await Deno.mkdir(directory);
    await Deno.writeFile(`${directory}/${hashes[0]!.toHex()}.data`, signed);
    await Deno.writeFile(`${directory}/${hashes[1]!.toHex()}.data`, DATA);
    await using bench = await DriverBench.open({
      keys: { keyring: await keys.keyring(ALICE), trustDatabase: undefined },
      cache: { directory, maxBytes: 1 << 20, maxEntries: 4 },
    });
    for (const [index, hash] of hashes.entries()) {
      const session = index + 1;
      await bench.begin(session);
      bench.driver.handle({ type: "lookForEnvironment", session, hash });
      assert.equal((await bench.answer("environmentLooked", session)).found, index === 0);
    }
    await bench.upload(DATA, 2, "storeEnvironment"); // there is room for one that is uploaded
  },
);

Deno.test(
  "ScriptingDriver does not blame an environment when GnuPG cannot be run",
  { ignore: !hasGnupg },
  async () => {
    await using keys = await KeyBench.open(ALICE);
    const keyring = await keys.keyring(ALICE);
    const trustDatabase = `${keys.home}/nothing`;
    await using bench = await DriverBench.open({ keys: { keyring, trustDatabase } });
    const octets = await keys.sign(ALICE, DATA);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", octets));
    await bench.begin();
    await bench.upload(octets, 1, "storeEnvironment");
    bench.driver.handle({ type: "checkEnvironment", session: 1, hash });
    const { failure } = await bench.answer("environmentChecked");
    assert.equal(failure?.status, JobStatus.serverFailure);
  },
);

async function saved(bench: KeyBench, octets: Uint8Array): Promise<string> {
  const path = `${bench.home}/${crypto.randomUUID()}`;
  await Deno.writeFile(path, octets);
  return path;
}

async function encrypted(bench: KeyBench, octets: Uint8Array): Promise<Uint8Array> {
  const path = await saved(bench, octets);
  return await bench.gpg(
    "--pinentry-mode",
    "loopback",
    "--passphrase",
    "x",
    "--output",
    "-",
    "--symmetric",
    path,
  );
}
