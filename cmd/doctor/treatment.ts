/** What `rsp doctor -fix` does: planned from facts, carried out one by one, and told in full. */
import type { HostFacts } from "./facts.ts";
import { multicastDevice, routeCommand } from "./network_findings.ts";
import { loadCommand } from "./transport_findings.ts";

/** A thing to be done. */
export interface Action {
  readonly name: "load-module" | "heartbeat-interval" | "multicast-route";
  /** What it brings, for people, without a full stop. */
  readonly aim: string;
  /** The command line, as a person would type it. */
  readonly command: string;
  /** What takes it back; a module that was used stays until the next boot. */
  readonly undo?: string;
  /** The action without which this one cannot be done. */
  readonly after?: Action["name"];
}

/** What became of it. */
export interface Outcome extends Action {
  readonly result: "planned" | "done" | "failed" | "skipped";
  /** What the system said; empty when it said nothing. */
  readonly words: string;
}

/** What the user wants to come of it. */
export interface TreatmentWish {
  /** Milliseconds between HEARTBEATs of kernel SCTP. */
  readonly heartbeatIntervalMs: number;
  /** Also where HEARTBEATs are more frequent already. */
  readonly exactly: boolean;
  /** Where multicast is to go; undefined = the first interface that leads out. */
  readonly multicastInterface: string | undefined;
}

/** What is to be done on a host, in order; nothing when all is as it should be. */
export function planTreatment(facts: HostFacts, wish: TreatmentWish): Action[] {
  const actions: Action[] = [];
  const { kernel, settings, groups, sockets } = facts;
  const loads = sockets?.sctp !== "ok" && kernel.moduleFile !== undefined && !kernel.modulesDisabled;
  if (loads) {
    actions.push({
      name: "load-module",
      aim: "kernel SCTP is there until the next boot",
      command: loadCommand(kernel),
    });
  }
  const setting = "net.sctp.hb_interval", before = settings[setting];
  const interval = before === undefined ? undefined : Number(before), wanted = wish.heartbeatIntervalMs;
  if (loads || (interval !== undefined && (interval > wanted || (wish.exactly && interval !== wanted)))) {
    actions.push({
      name: "heartbeat-interval",
      aim:
        `new SCTP sockets of the kernel probe idle paths every ${wish.heartbeatIntervalMs} ms, until the next boot`,
      command: `sysctl -w ${setting}=${wish.heartbeatIntervalMs}`,
      undo: `sysctl -w ${setting}=${before ?? "30000"}`,
      ...(loads && { after: "load-module" as const }),
    });
  }
  const device = wish.multicastInterface ?? multicastDevice(facts);
  const routeMissing = groups.some(({ group, route }) => !group.includes(":") && route === undefined);
  const canTell = sockets !== undefined; // without native calls nobody has asked for a route
  if (canTell && routeMissing && device !== undefined) {
    const command = routeCommand(facts, device);
    actions.push({
      name: "multicast-route",
      aim: `multicast leaves by ${device}, until the next boot`,
      command,
      undo: command.replace(" add ", " del "),
    });
  }
  return actions;
}

/** Runs a command line. @returns whether it went well, and what it said */
export type Runner = (command: string) => Promise<{ readonly ok: boolean; readonly words: string }>;

/**
 * Carries a plan out.
 *
 * @param run undefined = a dry run: nothing is done
 */
export async function treat(plan: readonly Action[], run: Runner | undefined): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const action of plan) {
    if (run === undefined) {
      outcomes.push({ ...action, result: "planned", words: "" });
      continue;
    }
    const needed = outcomes.find(({ name }) => name === action.after);
    if (needed !== undefined && needed.result !== "done") {
      outcomes.push({ ...action, result: "skipped", words: `${needed.command} failed` });
      continue;
    }
    const { ok, words } = await run(action.command);
    outcomes.push({ ...action, result: ok ? "done" : "failed", words });
  }
  return outcomes;
}
