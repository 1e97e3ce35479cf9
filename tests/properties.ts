/** fast-check as all tests have it: with one seed, so that a test that passes once passes again. */
import fc from "fast-check";

/** Where this variable has a number, properties are tried with other values: another number, others. */
const VARIABLE = "RSP_TEST_SEED";

fc.configureGlobal({ seed: Number(Deno.env.get(VARIABLE) ?? 1) });

export { fc };
