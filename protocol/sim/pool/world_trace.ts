import { describeId } from "../../param/describe.ts";
import type { RegistrarReport } from "../../registrar/mod.ts";
import type { ServiceHostReport } from "../../session/mod.ts";
import { showText } from "../../wire/mod.ts";
import type { UserHostEffect } from "./user_host.ts";
import type { PoolWorld, WorldObserver } from "./world.ts";

/** Puts what machines tell into words: what changes, not what goes on as ever. */
export function worldTrace(world: PoolWorld, say: (text: string) => void): WorldObserver {
  const told = (name: string, text: string | undefined) => {
    if (text !== undefined) say(`${name}: ${text}`);
  };
  return {
    onRegistrarReport: ({ name }, report) => told(name, registrarLine(world, report)),
    onElementReport: ({ name }, report) => told(name, elementLine(world, report)),
    onUserEffect: ({ name }, effect) => told(name, userLine(world, effect)),
  };
}

function registrarLine(world: PoolWorld, report: RegistrarReport): string | undefined {
  const registrar = (id: number) => world.registrarNames.get(id) ?? describeId(id);
  const element = (id: number) => world.fates.get(id)?.actor.name ?? describeId(id);
  switch (report.type) {
    case "inService": {
      const { mentorId, elementCount } = report;
      return mentorId === undefined
        ? "in service, without a mentor"
        : `in service with ${elementCount} elements of ${registrar(mentorId)}`;
    }
    case "registered":
      return report.again ? undefined : `has ${element(report.elementId)}`;
    case "deregistered":
      return `${element(report.elementId)} deregisters`;
    case "removed":
      return `removes ${element(report.elementId)}: ${report.reason}`;
    case "refused":
      return `refuses ${element(report.elementId)}: ${report.reason}`;
    case "unreachable":
      return `${element(report.elementId)} is reported unreachable, ${report.count} of ${report.limit}`;
    case "peerUp":
      return `knows ${registrar(report.registrarId)}`;
    case "peerDown":
      return `forgets ${registrar(report.registrarId)}: ${report.reason}`;
    case "synchronized": {
      const { registrarId, cause, elementCount, purgedCount } = report;
      const purged = purgedCount === 0 ? "" : `, drops ${purgedCount}`;
      return `takes ${elementCount} elements of ${registrar(registrarId)} (${cause})${purged}`;
    }
    case "takeover": {
      const { stage, targetId, registrarId, elementCount } = report;
      const elements = stage === "completed" ? `, ${elementCount} elements` : "";
      return `takeover of ${registrar(targetId)} by ${registrar(registrarId)} ${stage}${elements}`;
    }
    case "offence":
    case "limit":
      return `${report.type} of ${report.source}: ${report.reason}`;
    default:
      return undefined;
  }
}

function elementLine(world: PoolWorld, report: ServiceHostReport): string | undefined {
  switch (report.type) {
    case "registrarFound": {
      const { registrarId, adopted } = report;
      const name = world.registrarNames.get(registrarId) ?? "a registrar";
      return adopted ? `is taken over by ${name}` : `finds ${name}`;
    }
    case "registrarLost":
      return `loses its registrar: ${report.reason}`;
    case "registrationRefused":
      return `is refused: ${report.reason}`;
    default:
      return undefined;
  }
}

function userLine(
  world: PoolWorld,
  effect: Exclude<UserHostEffect, { readonly type: "transport" | "datagram" }>,
): string | undefined {
  if (effect.type === "tried") {
    const name = world.fates.get(effect.elementId)?.actor.name ?? describeId(effect.elementId);
    return effect.reached ? undefined : `does not reach ${name}`;
  }
  if (effect.type === "report" || effect.elements.length > 0) return undefined;
  return `gets nothing for ${showText(effect.poolHandle)}: ${effect.failure ?? "the pool is unknown"}`;
}
