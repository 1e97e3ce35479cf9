/** From the facts of a host to what is to be said of it. Pure: no question is asked here. */
import type { HostFacts } from "./facts.ts";
import { type Finding, FindingList } from "./finding.ts";
import { judgeNetwork, judgePorts } from "./network_findings.ts";
import { judgeSettings } from "./setting_findings.ts";
import { judgeTransport, type TransportVerdict, type TransportWish } from "./transport_findings.ts";

/** All that is to be said. */
export interface Diagnosis extends Omit<TransportVerdict, "findings"> {
  /** Whether the toolkit can work here. */
  readonly works: boolean;
  readonly findings: readonly Finding[];
}

/**
 * Judges a host.
 *
 * @param facts what is known of it
 * @param wish how the programs would be started
 */
export function judge(facts: HostFacts, wish: TransportWish): Diagnosis {
  const { findings: transport, ...verdict } = judgeTransport(facts, wish);
  const findings = [
    ...judgeSystem(facts),
    ...transport,
    ...judgeNetwork(facts),
    ...judgePorts(facts),
    ...judgeSettings(facts),
    ...judgeTools(facts),
  ];
  return { ...verdict, works: findings.every(({ level }) => level !== "problem"), findings };
}

function judgeSystem({ system }: HostFacts): Finding[] {
  const list = new FindingList("system");
  const { rspVersion, denoVersion, operatingSystem, kernelRelease, architecture } = system;
  const place = operatingSystem === "linux" ? "Linux" : operatingSystem;
  list.add(
    "ok",
    "version",
    `rsp ${rspVersion}, Deno ${denoVersion}, ${place} ${kernelRelease}, ${architecture}.`,
  );
  for (const place of system.confinement) list.add("ok", "confinement", `This is ${place}.`);
  const capabilities = [...system.capabilities].sort().join(", ");
  if (system.userId !== undefined) {
    list.add(
      "ok",
      "user",
      `User ${system.userId}${system.userId === 0 ? " (root)" : ""}, ` +
        (capabilities === "" ? "without capabilities that matter here." : `with ${capabilities}.`),
    );
  }
  return list.all;
}

/** Programs that people look at packets with, those that others are compared with, and those that jobs need. */
const TOOLS: readonly {
  readonly names: readonly string[];
  readonly without: string;
  readonly mend: string;
}[] = [
  {
    names: ["wireshark", "tshark"],
    without:
      "Neither wireshark nor tshark is here to look at packets with; `-capture=FILE` writes them all the same.",
    mend: "apt install wireshark tshark",
  },
  {
    names: ["sctp_darn"],
    without: "The original sctp_darn is not here to compare with; `rsp darn` does without.",
    mend: "apt install lksctp-tools",
  },
  {
    names: ["ip"],
    without: "ip is not here: addresses and routes are changed by it.",
    mend: "apt install iproute2",
  },
  {
    names: ["bwrap"],
    without: "bubblewrap is not here: `rsp server -scripting` runs jobs without a sandbox.",
    mend: "apt install bubblewrap",
  },
  {
    names: ["gpgv"],
    without: "gpgv is not here: `rsp server -scripting -sskeyring=FILE` checks signatures by it.",
    mend: "apt install gpgv",
  },
  {
    names: ["gpg"],
    without: "gpg is not here: `-sign=KEY` of `rsp scriptingclient` and `rsp farm` signs by it.",
    mend: "apt install gpg",
  },
];

function judgeTools({ tools }: HostFacts): Finding[] {
  const list = new FindingList("tools");
  for (const { names, without, mend } of TOOLS) {
    const found = names.map((name) => tools[name]).filter((path) => path !== undefined);
    if (found.length > 0) {
      list.add("ok", "tool", `${found.join(" and ")} ${found.length > 1 ? "are" : "is"} here.`);
    } else list.add("note", "tool", without, mend);
  }
  return list.all;
}
