/**
 * Images of the project's own, to compute one of them where nothing else is said: fractal configuration files in RSPLIB's
 * form, each for a picture of 8 to 5. They are imported as text so that the one-file program has them, too; RSPLIB's pool
 * user reads the folder as it is.
 */
import between from "./fgpconfig/between.fsf" with { type: "text" };
import cubic from "./fgpconfig/cubic.fsf" with { type: "text" };
import cubicArm from "./fgpconfig/cubic-arm.fsf" with { type: "text" };
import cubicBay from "./fgpconfig/cubic-bay.fsf" with { type: "text" };
import cut from "./fgpconfig/cut.fsf" with { type: "text" };
import dodecic from "./fgpconfig/dodecic.fsf" with { type: "text" };
import doubleSpiral from "./fgpconfig/double-spiral.fsf" with { type: "text" };
import elephantValley from "./fgpconfig/elephant-valley.fsf" with { type: "text" };
import feigenbaum from "./fgpconfig/feigenbaum.fsf" with { type: "text" };
import filigree from "./fgpconfig/filigree.fsf" with { type: "text" };
import junction from "./fgpconfig/junction.fsf" with { type: "text" };
import octicEdge from "./fgpconfig/octic-edge.fsf" with { type: "text" };
import quadSpiral from "./fgpconfig/quad-spiral.fsf" with { type: "text" };
import quartic from "./fgpconfig/quartic.fsf" with { type: "text" };
import quarticCoast from "./fgpconfig/quartic-coast.fsf" with { type: "text" };
import quintic from "./fgpconfig/quintic.fsf" with { type: "text" };
import satellite from "./fgpconfig/satellite.fsf" with { type: "text" };
import seahorseValley from "./fgpconfig/seahorse-valley.fsf" with { type: "text" };
import septic from "./fgpconfig/septic.fsf" with { type: "text" };
import sextic from "./fgpconfig/sextic.fsf" with { type: "text" };
import snowflake from "./fgpconfig/snowflake.fsf" with { type: "text" };
import spirals from "./fgpconfig/spirals.fsf" with { type: "text" };
import threeAndAHalf from "./fgpconfig/three-and-a-half.fsf" with { type: "text" };
import tripleSpiral from "./fgpconfig/triple-spiral.fsf" with { type: "text" };
import wholeSet from "./fgpconfig/whole-set.fsf" with { type: "text" };

/** The texts of the files by name. */
export const ownImages: ReadonlyMap<string, string> = new Map([
  ["between", between],
  ["cubic", cubic],
  ["cubic-arm", cubicArm],
  ["cubic-bay", cubicBay],
  ["cut", cut],
  ["dodecic", dodecic],
  ["double-spiral", doubleSpiral],
  ["elephant-valley", elephantValley],
  ["feigenbaum", feigenbaum],
  ["filigree", filigree],
  ["junction", junction],
  ["octic-edge", octicEdge],
  ["quad-spiral", quadSpiral],
  ["quartic", quartic],
  ["quartic-coast", quarticCoast],
  ["quintic", quintic],
  ["satellite", satellite],
  ["seahorse-valley", seahorseValley],
  ["septic", septic],
  ["sextic", sextic],
  ["snowflake", snowflake],
  ["spirals", spirals],
  ["three-and-a-half", threeAndAHalf],
  ["triple-spiral", tripleSpiral],
  ["whole-set", wholeSet],
]);
