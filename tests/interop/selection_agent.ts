// deno-lint-ignore-file no-console -- a program for tests
/**
 * The elements and the user of `selection_test.ts`, all on one association to each registrar: what a registrar selects is
 * all that differs. Argument: a {@linkcode SelectionTask}. It prints a {@linkcode Selected} a line, and "done".
 */
import { openAsapLink } from "../../cmd/bench/asap_link.ts";
import type { AsapLink } from "../../cmd/bench/asap_link.ts";
import { benchOptions } from "../../cmd/bench/options.ts";
import type { BenchOptionValues } from "../../cmd/bench/options.ts";
import { RunFailure } from "../../cmd/bench/party.ts";
import { parseOptions } from "../../cmd/parse_options.ts";
import { openKernelTransport } from "../../ffi/kernel_sctp.ts";
import { readAsap, writeAsap } from "../../protocol/asap/mod.ts";
import type { AsapMessage } from "../../protocol/asap/mod.ts";
import type { Transport } from "../../protocol/net.ts";
import type { PolicyParameter } from "../../protocol/param/mod.ts";
import { encodeText } from "../../protocol/wire/mod.ts";

/** What to do at each of the registrars. Members have the IDs 1, 2, … */
export interface SelectionTask {
  readonly address: string;
  readonly registrars: readonly string[];
  readonly pools: readonly {
    readonly name: string;
    readonly members: readonly PolicyParameter[];
    /** Resolutions: so many, for so many elements each. */
    readonly queries: readonly { readonly items: number; readonly times: number }[];
  }[];
}

/** The answers to a query. */
export interface Selected {
  readonly registrar: string;
  readonly pool: string;
  readonly items: number;
  /** The IDs of each answer, in its order. */
  readonly choices: readonly (readonly number[])[];
}

/** Requests under way at a time. */
const OUTSTANDING = 16;
/** A registrar may take so long to start; between two attempts there is this pause. */
const START_LIMIT_MS = 60_000, TRY_AGAIN_MS = 300;
/** Longer than any test. */
const LIFE_MS = 3_600_000;

async function main({ address, registrars, pools }: SelectionTask): Promise<void> {
  const transport = openKernelTransport();
  for (const registrar of registrars) {
    const link = await connect(transport, address, registrar);
    for (const { name: pool, members, queries } of pools) {
      for (const [index, policy] of members.entries()) await register(link, address, pool, index + 1, policy);
      for (const { items, times } of queries) {
        const choices = await resolve(link, pool, items, times);
        console.log(JSON.stringify({ registrar, pool, items, choices } satisfies Selected));
      }
    }
  }
  await transport.close();
  console.log("done");
}

/** Tries until the registrar is there. */
async function connect(transport: Transport, address: string, registrar: string): Promise<AsapLink> {
  const { values } = parseOptions(benchOptions, ["-asap=resolve"], () => undefined);
  const options = values as BenchOptionValues, { signal } = new AbortController();
  const task = { transport, options, local: [address], peer: { addresses: [registrar], port: 3863 }, signal };
  for (const deadline = performance.now() + START_LIMIT_MS;;) {
    try {
      return await openAsapLink(task);
    } catch (error) {
      if (!(error instanceof RunFailure) || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }
}

async function register(
  link: AsapLink,
  address: string,
  pool: string,
  elementId: number,
  policy: PolicyParameter,
): Promise<void> {
  const answer = await ask(link, {
    type: "registration",
    poolHandle: encodeText(pool),
    element: {
      elementId,
      homeRegistrarId: 0,
      registrationLifeMs: LIFE_MS,
      userTransport: {
        protocol: "sctp",
        port: 7000 + elementId,
        use: "data+control",
        addresses: [address],
      },
      policy,
    },
  });
  if (answer.type === "registrationResponse" && !answer.rejected) return;
  throw new Error(`Element ${elementId} of ${pool} was refused: ${JSON.stringify(answer)}`);
}

async function resolve(link: AsapLink, pool: string, items: number, times: number): Promise<number[][]> {
  const choices: number[][] = [];
  while (choices.length < times) {
    const batch = Array.from({ length: Math.min(OUTSTANDING, times - choices.length) }, () => {
      return ask(link, { type: "handleResolution", poolHandle: encodeText(pool), items });
    });
    for (const answer of await Promise.all(batch)) {
      if (answer.type !== "handleResolutionResponse" || answer.error !== undefined) {
        throw new Error(`${pool} was not resolved: ${JSON.stringify(answer)}`);
      }
      choices.push(answer.elements.map(({ elementId }) => elementId));
    }
  }
  return choices;
}

/** Sends a request; gives its answer, in turn. The test has the patience. */
async function ask(link: AsapLink, message: AsapMessage): Promise<AsapMessage> {
  const answer = Promise.withResolvers<Uint8Array>();
  link.request(writeAsap(message), answer.resolve);
  return readAsap(await Promise.race([answer.promise, link.broken]));
}

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? ""));
