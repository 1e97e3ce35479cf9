import { describeId } from "../../param/describe.ts";
import { showText } from "../../wire/mod.ts";
import type { ElementActor, PoolWorld, RegistrarActor } from "./world.ts";

/** Most complaints of one look: the rest says the same. */
const MAX_COMPLAINTS = 12;

/**
 * What is wrong with a world that should have settled: all registrars know each other and nobody else, agree about every
 * element, every live element has one live registrar as its home, and nobody dead is left.
 *
 * @param world a world without faults, some time after the last one
 * @returns sentences; empty = all is well
 */
export function convergenceComplaints(world: PoolWorld): string[] {
  const registrars = world.liveRegistrars();
  const complaints: string[] = [];
  for (const registrar of registrars) {
    complaints.push(
      ...peerComplaints(registrar, registrars),
      ...tableComplaints(registrar, registrars, world),
    );
    if (complaints.length >= MAX_COMPLAINTS) break;
  }
  for (const element of world.elements) {
    if (complaints.length >= MAX_COMPLAINTS) break;
    complaints.push(...homeComplaints(element, registrars));
  }
  return complaints.slice(0, MAX_COMPLAINTS);
}

function peerComplaints(registrar: RegistrarActor, registrars: readonly RegistrarActor[]): string[] {
  const complaints: string[] = [];
  const peers = new Set<number>();
  for (const { registrarId } of registrar.machine?.peers.identified() ?? []) peers.add(registrarId);
  for (const other of registrars) {
    if (other !== registrar && !peers.delete(other.registrarId)) {
      complaints.push(`${registrar.name} does not know ${other.name}`);
    }
  }
  for (const dead of peers) complaints.push(`${registrar.name} has a peer ${describeId(dead)} that is dead`);
  return complaints;
}

function tableComplaints(
  registrar: RegistrarActor,
  registrars: readonly RegistrarActor[],
  world: PoolWorld,
): string[] {
  const complaints: string[] = [];
  const { machine, name } = registrar;
  if (machine === undefined) return complaints;
  for (const other of registrars) {
    const theirs = other.machine!.handlespace.checksum(other.registrarId);
    const ours = machine.handlespace.checksum(other.registrarId);
    if (theirs !== ours) {
      const [has, knows] = [other.machine!.handlespace, machine.handlespace].map((handlespace) =>
        handlespace.ownedCount(other.registrarId)
      );
      complaints.push(
        `${name} has another checksum for ${other.name} than it has itself (${knows} elements instead of ${has})`,
      );
    }
  }
  for (const pool of machine.handlespace.pools()) {
    for (const { elementId, homeRegistrarId } of pool.elements.values()) {
      const fate = world.fates.get(elementId);
      if (fate !== undefined && fate.endedAt === undefined) continue;
      const who = `${describeId(elementId)} (home ${describeId(homeRegistrarId)})`;
      if (fate === undefined) complaints.push(`${name} has an element ${who} that never was`);
      else {
        const forMs = world.now - (fate.endedAt ?? 0);
        complaints.push(`${name} has ${fate.actor.name} ${who}, dead for ${(forMs / 1000).toFixed(0)} s`);
      }
    }
  }
  return complaints;
}

function homeComplaints(element: ElementActor, registrars: readonly RegistrarActor[]): string[] {
  if (element.program === undefined) return [];
  const { name, elementId, poolHandle } = element;
  const who = () => `${name} ${describeId(elementId)} of ${showText(poolHandle)}`;
  if (!element.member) return [`${who()} is not registered`];
  const complaints: string[] = [];
  const homes: RegistrarActor[] = [];
  for (const registrar of registrars) {
    const entry = registrar.machine!.handlespace.find(poolHandle, elementId);
    if (entry === undefined) complaints.push(`${registrar.name} does not know ${who()}`);
    else if (entry.homeRegistrarId === registrar.registrarId) homes.push(registrar);
    else if (!registrars.some(({ registrarId }) => registrarId === entry.homeRegistrarId)) {
      complaints.push(
        `${registrar.name} has ${who()} with a home that is dead: ${describeId(entry.homeRegistrarId)}`,
      );
    }
  }
  if (homes.length !== 1) {
    const names = homes.map(({ name }) => name).join(" and ");
    complaints.push(`${who()} is owned by ${homes.length === 0 ? "nobody" : names}`);
  }
  return complaints;
}

/** What each registrar says of an element's home; undefined = it does not know the element. */
export function homesOf(
  { poolHandle, elementId }: ElementActor,
  registrars: readonly RegistrarActor[],
): Map<RegistrarActor, number | undefined> {
  return new Map(registrars.map((registrar) => [
    registrar,
    registrar.machine?.handlespace.find(poolHandle, elementId)?.homeRegistrarId,
  ]));
}
