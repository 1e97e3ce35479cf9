/** Shell scripts that come along with the program: they need no more of it than its name in PATH. */
import povrayDistribute from "../../scripts/povray-distribute" with { type: "text" };
import runPovrayForFiles from "../../scripts/run-povray-for-files" with { type: "text" };

/** The scripts by their names. */
export const shellScripts: ReadonlyMap<string, string> = new Map([
  ["povray-distribute", povrayDistribute],
  ["run-povray-for-files", runPovrayForFiles],
]);
