/**
 * The profile as Wireshark has it: files of the folder `wireshark/`, which can be copied as they are. They are imported as
 * text so that the one-file program has them, too.
 */
import colourFilters from "../../wireshark/colorfilters" with { type: "text" };
import decodeAsEntries from "../../wireshark/decode_as_entries" with { type: "text" };
import filterButtons from "../../wireshark/dfilter_buttons" with { type: "text" };
import displayFilters from "../../wireshark/dfilters" with { type: "text" };
import preferences from "../../wireshark/preferences" with { type: "text" };

/** The files that are read here by name. */
export const ProfileFile = {
  colourFilters: "colorfilters",
  displayFilters: "dfilters",
  decodeAs: "decode_as_entries",
  preferences: "preferences",
} as const;

/** The texts of the files by Wireshark's names for them. */
export const profileFiles: ReadonlyMap<string, string> = new Map([
  [ProfileFile.colourFilters, colourFilters],
  [ProfileFile.displayFilters, displayFilters],
  ["dfilter_buttons", filterButtons],
  [ProfileFile.preferences, preferences],
  [ProfileFile.decodeAs, decodeAsEntries],
]);

/** UDP ports of the embedded stack's own choice; see the ephemeral ports of `cmd/driver/embedded_transport.ts`. */
const FIRST_CHOSEN_PORT = 30_000, LAST_CHOSEN_PORT = 32_767;

/**
 * The profile's files, by their names.
 *
 * @param withChosenPorts whether the UDP ports that the embedded stack draws for pool elements and users are taken for SCTP,
 *   too. Wireshark then misreads a system that gives them to others.
 */
export function filesOfProfile(withChosenPorts: boolean): ReadonlyMap<string, string> {
  if (!withChosenPorts) return profileFiles;
  const lines = ["# The UDP ports that rsp draws, one by one: Wireshark knows no ranges here.", ""];
  for (let port = FIRST_CHOSEN_PORT; port <= LAST_CHOSEN_PORT; port++) {
    lines.splice(-1, 0, `decode_as_entry: udp.port,${port},(none),SCTP`);
  }
  return new Map([...profileFiles, [ProfileFile.decodeAs, decodeAsEntries + lines.join("\n")]]);
}
