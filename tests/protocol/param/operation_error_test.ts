import assert from "node:assert/strict";
import { readAsap } from "../../../protocol/asap/read.ts";
import { writeAsap } from "../../../protocol/asap/write.ts";
import {
  CauseCode,
  errorFor,
  inconsistentPolicyError,
  operationError,
  poolPolicyOf,
  unrecognizedParameters,
  writeOperationError,
} from "../../../protocol/param/operation_error.ts";
import { encodeText } from "../../../protocol/wire/text.ts";
import { DecodeError, StateError } from "../../../protocol/wire/errors.ts";
import { Writer } from "../../../protocol/wire/writer.ts";
import { POLICIES } from "./policies.ts";

Deno.test("a rejection tells the pool's policy, whichever it is", () => {
  for (const policy of POLICIES) {
    const message = writeAsap({
      type: "registrationResponse",
      rejected: true,
      poolHandle: encodeText("Pool"),
      elementId: 1,
      error: inconsistentPolicyError(policy),
    });
    const response = readAsap(message);
    assert.ok(response.type === "registrationResponse" && response.error !== undefined);
    assert.deepEqual(poolPolicyOf(response.error), policy);
  }
});

Deno.test("poolPolicyOf() takes RSPLIB's cause without data, and nonsense, for no policy", () => {
  assert.equal(poolPolicyOf(operationError(CauseCode.inconsistentPolicy)), undefined);
  assert.equal(poolPolicyOf(operationError(CauseCode.unknownPoolHandle)), undefined);
  assert.equal(poolPolicyOf(operationError(CauseCode.inconsistentPolicy, Uint8Array.of(0, 8, 0))), undefined);
  assert.equal(
    poolPolicyOf(operationError(CauseCode.inconsistentPolicy, Uint8Array.of(0, 9, 0, 5, 65))),
    undefined,
  );
});

Deno.test("errorFor() never gives an answer that does not fit into a message", () => {
  for (const reason of ["unknown-type", "unknown-parameter", "bad-value"] as const) {
    for (const length of [65535, 65535 - 64, 65535 - 65]) {
      const octets = new Uint8Array(length).fill(0x7f);
      const error = errorFor(new DecodeError(reason, "test", 0, octets));
      assert.ok(error !== "silent");
      assert.ok(writeAsap({ type: "error", error }).length <= 65535);
    }
  }
});

Deno.test("unrecognizedParameters() gives one cause a parameter", () => {
  const parameters = [Uint8Array.of(0xc0, 1, 0, 4), Uint8Array.of(0xc0, 2, 0, 5, 1)];
  assert.deepEqual(unrecognizedParameters(parameters), [
    { code: CauseCode.unrecognizedParameter, data: parameters[0] },
    { code: CauseCode.unrecognizedParameter, data: parameters[1] },
  ]);
  assert.equal(unrecognizedParameters([]), undefined);
});

Deno.test("unrecognizedParameters() never gives a report that does not fit into a message", () => {
  for (const [count, length] of [[16000, 4], [3, 30000], [1, 65531]] as const) {
    const error = unrecognizedParameters(new Array(count).fill(new Uint8Array(length)));
    if (error !== undefined) assert.ok(writeAsap({ type: "error", error }).length <= 65535);
    assert.ok((error?.length ?? 0) <= 16);
  }
});

Deno.test("writeOperationError() refuses an error without cause", () => {
  assert.throws(() => writeOperationError(new Writer(), []), StateError);
});
