/**
 * Signed work over the scripting service: what RSPLIB's user has signed runs at our server, and what ours has signed at
 * RSPLIB's; neither server runs what nobody has signed, or a stranger. Run by `scripts/kernel-lab test services`.
 */
import assert from "node:assert/strict";
import { kernelSctpSupport } from "../../ffi/kernel_sctp.ts";
import { JobStatus } from "../../protocol/app/scripting/job_status.ts";
import { KeyBench } from "../cmd/server/scripting/keys.ts";
import type { SeenMessage } from "./live_capture.ts";
import { type Cast, enact, MAKER, Review, type Scene, type Stage } from "./service_lab.ts";
import { scriptingOf } from "./service_messages.ts";
import { assertResult, packWork } from "./work_package.ts";

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
  name: "tshark finds no fault in what ours sent of signed work",
  ignore,
  fn: async () => assert.deepEqual(await review.complaints(), []),
});
