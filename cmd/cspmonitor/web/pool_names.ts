/** Which element is in which pool, as far as reports show. */
import { ComponentGroup, componentGroupOf, poolOf, ppidName } from "../../../protocol/csp/mod.ts";
import type { Component, ComponentId } from "../../../protocol/csp/mod.ts";

/**
 * Reports have no field for the pool. The project's own elements say it in words; of others it is known what users speak with
 * them, which is the same for all elements of a pool.
 */
export class PoolNames {
  readonly #names = new Map<ComponentId, string>();

  /** Looks at all components. What was known of elements that are gone is forgotten. */
  update(components: ReadonlyMap<ComponentId, Component>): void {
    for (const id of this.#names.keys()) {
      if (!components.has(id)) this.#names.delete(id);
    }
    for (const { id, report } of components.values()) {
      const pool = poolOf(report);
      if (pool !== undefined) this.#names.set(id, pool);
      if (componentGroupOf(id) !== ComponentGroup.user) continue;
      for (const { receiver, ppid } of report.associations) {
        if (ppid === 0 || componentGroupOf(receiver) !== ComponentGroup.element) continue;
        if (this.#names.has(receiver) || !components.has(receiver)) continue;
        this.#names.set(receiver, `${ppidName(ppid)} service`);
      }
    }
  }

  /** The pool of an element, or `FractGen service`; undefined = not known. */
  of(id: ComponentId): string | undefined {
    return this.#names.get(id);
  }
}
