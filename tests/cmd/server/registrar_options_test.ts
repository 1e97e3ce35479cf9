import assert from "node:assert/strict";
import { registrarHuntOptions } from "../../../cmd/common_options.ts";
import { parseOptions } from "../../../cmd/parse_options.ts";
import type { OptionValues } from "../../../cmd/options.ts";
import { registrarOptions } from "../../../cmd/pool/hunt.ts";

function read(...line: string[]): ReturnType<typeof registrarOptions> {
  const { values } = parseOptions(registrarHuntOptions, line, () => undefined);
  return registrarOptions(values as OptionValues<typeof registrarHuntOptions>);
}

Deno.test("registrarOptions() hands every option of the registrar to the machines", async () => {
  assert.deepEqual(
    await read(
      "-registrar=10.1.0.1,10.2.0.1:3863",
      "-registrarannouncetimeout=101",
      "-registrarconnecttimeout=102",
      "-registrarconnectmaxtrials=3",
      "-registrarrequesttimeout=104",
      "-registrarresponsetimeout=105",
      "-registrarrequestmaxtrials=6",
    ),
    {
      requestTimeoutMs: 104,
      responseTimeoutMs: 105,
      maxTrials: 6,
      hunt: {
        registrars: [[{ address: "10.1.0.1", port: 3863 }, { address: "10.2.0.1", port: 3863 }]],
        announceLifeMs: 101,
        connectTimeoutMs: 102,
        connectMaxTrials: 3,
      },
    },
  );
});

Deno.test("registrarOptions() refuses to leave no way to find a registrar", async () => {
  await assert.rejects(read("-asapannounce=off"), /-asapannounce=off needs -registrar=host:port/);
  const { hunt } = await read("-asapannounce=none", "-registrar=10.1.0.1");
  assert.deepEqual(hunt.registrars, [[{ address: "10.1.0.1", port: 3863 }]]);
});

Deno.test("registrarOptions() are RSPLIB's by default", async () => {
  assert.deepEqual(await read(), {
    requestTimeoutMs: 3000,
    responseTimeoutMs: 3000,
    maxTrials: 1,
    hunt: { registrars: [], announceLifeMs: 5000, connectTimeoutMs: 7500, connectMaxTrials: 1 },
  });
});
