/** The course sheet's first half on the embedded stack: plain SCTP over IP, and in UDP. */
import { exercise } from "./exercise_sctp.ts";
import { labIsPossible } from "./lab.ts";

/** tcpdump wants to be root for all the world. */
const possible = Deno.uid() === 0 && await labIsPossible();

for (const encapsulation of ["raw", "udp"]) {
  Deno.test({
    name: `exercise, section 1, with rsp darn in three namespaces, ${encapsulation}`,
    ignore: !possible,
    fn: (t) => exercise(t, "embedded", [`-encapsulation=${encapsulation}`]),
  });
}
