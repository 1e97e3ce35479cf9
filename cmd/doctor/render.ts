/** The report of `rsp doctor` as lines for people. */
import { styleText } from "node:util";
import { wrap } from "../help.ts";
import type { Finding, FindingArea, FindingLevel } from "./finding.ts";
import type { Diagnosis } from "./judge.ts";
import type { Outcome } from "./treatment.ts";

/** How to show it. */
export interface ReportStyle {
  readonly columns: number;
  readonly color: boolean;
  /** Leaves out what is as it should be. */
  readonly quiet: boolean;
}

const HEADLINES: Readonly<Record<FindingArea, string>> = {
  system: "This host",
  transport: "What carries SCTP",
  network: "Network and multicast",
  ports: "Ports of registrars",
  settings: "Settings of the kernel",
  tools: "Programs",
};

const COLORS = { ok: "green", note: "cyan", warning: "yellow", problem: "red" } as const;

/** Columns of the level in front of a sentence. */
const INDENT = 10;

/** The whole report, without newlines. */
export function renderReport(
  diagnosis: Diagnosis,
  outcomes: readonly Outcome[],
  style: ReportStyle,
): string[] {
  const lines: string[] = [];
  for (const [area, headline] of Object.entries(HEADLINES)) {
    const findings = diagnosis.findings.filter((finding) =>
      finding.area === area && !(style.quiet && finding.level === "ok")
    );
    if (findings.length === 0) continue;
    lines.push(headline, ...findings.flatMap((finding) => renderFinding(finding, style)), "");
  }
  if (outcomes.length > 0) {
    lines.push("What was done", ...outcomes.flatMap((outcome) => renderOutcome(outcome, style)), "");
  }
  lines.push(...wrap(verdict(diagnosis), style.columns));
  return lines;
}

function renderFinding({ level, sentence, mend }: Finding, style: ReportStyle): string[] {
  const label = `  ${level}`.padEnd(INDENT);
  return [
    ...hanging(paint(label, level, style), sentence, style),
    ...(mend === undefined ? [] : [`${" ".repeat(INDENT)}  $ ${mend}`]), // in one piece, to be copied
  ];
}

const RESULT_WORDS = { planned: "would", done: "done", failed: "failed", skipped: "skipped" } as const;
const RESULT_LEVELS = { planned: "note", done: "ok", failed: "problem", skipped: "warning" } as const;

function renderOutcome({ result, command, aim, words, undo }: Outcome, style: ReportStyle): string[] {
  const label = paint(`  ${RESULT_WORDS[result]}`.padEnd(INDENT), RESULT_LEVELS[result], style);
  const said = words === "" ? "" : ` (${words})`;
  const taken = undo === undefined ? "" : `; undone by \`${undo}\``;
  const text = result === "failed" || result === "skipped"
    ? `not done: ${words === "" ? "it did not say why" : words}`
    : `${result === "planned" ? "so that " : ""}${aim}${said}${taken}`;
  return [`${label}$ ${command}`, ...hanging(" ".repeat(INDENT), text, style)];
}

function verdict({ works, carrier, findings }: Diagnosis): string {
  const count = (level: FindingLevel) => findings.filter((finding) => finding.level === level).length;
  const warnings = count("warning"), problems = count("problem");
  if (!works) {
    return `rsp cannot work here: ${
      problems === 1 ? "a problem is" : `${problems} problems are`
    } in the way.`;
  }
  const rest = warnings === 0 ? "" : `, with ${warnings === 1 ? "a warning" : `${warnings} warnings`}`;
  return `rsp can work here${rest}: SCTP is carried by ${carrier}.`;
}

function hanging(label: string, text: string, { columns }: ReportStyle): string[] {
  const [first = "", ...rest] = wrap(text, Math.max(30, columns - INDENT));
  return [label + first, ...rest.map((line) => " ".repeat(INDENT) + line)];
}

function paint(label: string, level: FindingLevel, { color }: ReportStyle): string {
  return color ? styleText(COLORS[level], label, { validateStream: false }) : label;
}
