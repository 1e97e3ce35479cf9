/** Whether a packet filter is in the way, as far as that is cheaply known. */
import type { FirewallFacts } from "./facts.ts";
import { findProgram, searchPath } from "../driver/programs.ts";
import { readFolder, readText } from "./text_file.ts";

/** How long a program may take to list its rules. */
const PATIENCE_MS = 2000;

/** Programs that list all rules, the newer kind first. */
const LISTERS = [
  { name: "nftables", program: "nft", line: ["list", "ruleset"] },
  { name: "iptables", program: "iptables-save", line: [] },
] as const;

/** @returns undefined when there is none, or none that shows */
export async function gatherFirewall(): Promise<FirewallFacts | undefined> {
  const manager = managerName();
  for (const { name, program, line } of LISTERS) {
    const path = findProgram(program, searchPath());
    const rules = path === undefined ? undefined : await listRules(path, line);
    if (rules !== undefined && rules.trim() !== "") return { name: manager ?? name, ...readRules(rules) };
  }
  const tables = readText("/proc/net/ip_tables_names").trim() !== "";
  const name = manager ?? (tables ? "iptables" : undefined);
  return name === undefined ? undefined : { name, dropsByDefault: undefined, speaksOfSctp: undefined };
}

function managerName(): string | undefined {
  if (readFolder("/run/firewalld").length > 0) return "firewalld";
  return /^ENABLED=yes/m.test(readText("/etc/ufw/ufw.conf")) ? "ufw" : undefined;
}

/** What rules, in the notation of nft or of iptables-save, come down to. */
export function readRules(rules: string): Pick<FirewallFacts, "dropsByDefault" | "speaksOfSctp"> {
  return {
    dropsByDefault: /hook input [^}]*?policy drop/.test(rules) || /^:INPUT DROP/m.test(rules) ||
      /^-A INPUT -j (DROP|REJECT)/m.test(rules),
    speaksOfSctp: /\b(-p|meta l4proto|ip protocol|dccp,|sctp dport)[^\n]*\b(sctp|132)\b/.test(rules) ||
      /\bsctp\b/.test(rules),
  };
}

async function listRules(program: string, line: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, {
      args: [...line],
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
