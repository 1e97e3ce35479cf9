/**
 * Signed work over the scripting service: what RSPLIB's user has signed runs at our server, and what ours has signed at
 * RSPLIB's; neither server runs what nobody has signed, or a stranger. Run by `scripts/kernel-lab test services`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { JobStatus } from "../../protocol/app/scripting/job_status.ts";
import { gnupgHome, KeyBench } from "../cmd/server/scripting/keys.ts";
import type { SeenMessage } from "./live_capture.ts";
import { type Cast, enact, MAKER, Review, type Scene, type Stage } from "./service_lab.ts";
import { isScripting, scriptingOf } from "./service_messages.ts";
import { assertResult, packUnwrappingWork, packWork } from "./work_package.ts";

const ignore = !kernelSctpSupport().available;

const CASTS: readonly Cast[] = [
  { registrar: "original", server: "ours", secondServer: "ours", user: "original" },
  { registrar: "ours", server: "original", secondServer: "original", user: "ours" },
];
const ALICE = "alice@example.org", MALLORY = "mallory@example.org";
/** What RSPLIB's server says of whatever goes wrong. */
const RSPLIB_FAILURE = 1;

/** Keys of two persons: the server has those of the first one. */
interface Keys {
  readonly trusted: KeyBench;
  readonly stranger: KeyBench;
  readonly keyring: string;
}

/** Work of Alice, whom the server trusts, of nobody, and of a stranger. */
function signedWork({ trusted, stranger, keyring }: Keys): Scene {
  return {
    service: "scripting",
    plot: "runs signed work only",
    serverOptions: () => [`-sskeyring=${keyring}`, `-sstrustdb=${trusted.home}/trustdb.gpg`],
    user: async (_, folder, nth) => {
      const [input = "", environment = ""] = await packWork(folder, "sleep 1");
      const work = nth === 1
        ? [await sign(trusted, ALICE, input), await sign(trusted, ALICE, environment)]
        : [nth === 2 ? input : await sign(stranger, MALLORY, input)]; // an environment would be refused before
      return ["scriptingclient", ...work, `-output=${folder}/result${nth}`, "-retrydelay=100", "-maxretry=1"];
    },
    async play(stage) {
      assert.equal(await stage.user.ends(), 0, stage.user.quote());
      await assertResult(`${stage.folder}/result1`, `${stage.folder}/environment.signed`);
      await refuses(stage, "what nobody has signed");
      await refuses(stage, "what a stranger has signed");
    },
  };
}

/** Signs the file of an option as `gpg --sign` does it. @returns the option with the signed one */
async function sign(keys: KeyBench, signer: string, option: string): Promise<string> {
  const [name = "", path = ""] = option.split("=");
  await Deno.writeFile(`${path}.signed`, await keys.sign(signer, await Deno.readFile(path)));
  return `${name}=${path}.signed`;
}

/** Our user signs by itself: `-sign` names a key of whose home GNUPGHOME tells. */
function signingUser({ trusted, stranger, keyring }: Keys): Scene {
  const signers = [ALICE, ALICE, ALICE, ALICE, MALLORY];
  return {
    service: "scripting",
    plot: "runs what the user signs by -sign",
    serverOptions: () => [`-sskeyring=${keyring}`, `-sstrustdb=${trusted.home}/trustdb.gpg`],
    user: async (_, folder, nth) => {
      const work = await packUnwrappingWork(folder);
      // A file that is signed once and for all, for the third and the fourth user.
      if (nth === 3) {
        await Deno.rename((await sign(trusted, ALICE, work[1]!)).split("=")[1]!, `${folder}/env.gpg`);
      }
      if (nth === 3 || nth === 4) work[1] = `-environment=${folder}/env.gpg`;
      return [
        ...["scriptingclient", ...nth === 5 ? work.slice(0, 1) : work, `-sign=${signers[nth - 1]}`],
        ...[`-output=${folder}/result${nth}`, "-retrydelay=100", "-maxretry=1"],
      ];
    },
    async play(stage) {
      const isWanted = [true];
      assert.equal(await stage.user.ends(), 0, stage.user.quote());
      await assertResult(`${stage.folder}/result1`);
      for (const nth of [2, 3, 4]) {
        const from = stage.lab.messages.length;
        const user = await stage.startUser();
        assert.equal(await user.ends(), 0, user.quote());
        await assertResult(`${stage.folder}/result${nth}`);
        const answer = scriptingOf(await stage.serves("server", isScripting("environment"), { from }));
        isWanted.push(answer?.type === "environment" && answer.uploadNeeded);
      }
      // Each signature is another one, so that only what is signed already is found again.
      assert.deepEqual(isWanted, [true, true, true, false]);
      using _home = gnupgHome(stranger.home);
      await refuses(stage, "what a stranger signs by -sign");
    },
  };
}

async function refuses(stage: Stage, what: string): Promise<void> {
  const from = stage.lab.messages.length;
  const user = await stage.startUser();
  const status = scriptingOf(await stage.serves("server", isFailure, { from }));
  assert.equal(await user.ends(), 1, `${what} is not run. ${user.quote()}`);
  const expected = stage.cast.server === "ours" ? JobStatus.badSignature : RSPLIB_FAILURE;
  assert.deepEqual(status, { type: "status", status: expected });
}

function isFailure(seen: SeenMessage): boolean {
  const message = scriptingOf(seen);
  return message?.type === "status" && message.status !== JobStatus.success;
}

const review = new Review();

for (const cast of CASTS) {
  Deno.test({
    name: `scripting: server ${MAKER[cast.server]} runs what pool user ${
      MAKER[cast.user]
    } has signed, and nothing else`,
    ignore,
    async fn() {
      await using trusted = await KeyBench.open(ALICE);
      await using stranger = await KeyBench.open(MALLORY);
      const keys = { trusted, stranger, keyring: await trusted.keyring(ALICE) };
      await enact({ scene: signedWork(keys), cast }, review);
    },
  });
}

Deno.test({
  name: "scripting: RSPLIB's server runs what our pool user signs by -sign, and not what a stranger signs",
  ignore,
  async fn() {
    await using trusted = await KeyBench.open(ALICE);
    await using stranger = await KeyBench.open(MALLORY);
    using _home = gnupgHome(trusted.home);
    const scene = signingUser({ trusted, stranger, keyring: await trusted.keyring(ALICE) });
    await enact({ scene, cast: CASTS[1]! }, review);
  },
});

Deno.test({
  name: "tshark finds no fault in what ours sent of signed work",
  ignore,
  fn: async () => assert.deepEqual(await review.complaints(), []),
});
