/** The course sheet's first half on kernel SCTP, in the guest. */
import { exercise } from "../net/exercise_sctp.ts";

Deno.test({
  name: "exercise, section 1, with rsp darn on kernel SCTP in three namespaces",
  fn: (t) => exercise(t, "kernel", []),
});
