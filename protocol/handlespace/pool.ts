import type { PolicyParameter } from "../param/policy.ts";
import type { PoolElement } from "../param/pool_element.ts";
import type { PoolHandle } from "../param/pool_handle.ts";
import type { TransportParameter } from "../param/transport.ts";
import type { Policy, Selection } from "../policy/mod.ts";
import { poolKey } from "./pool_key.ts";

/** An element in a handlespace. The same object as long as the element is registered. */
export class ElementEntry {
  /** The pool it is in. */
  readonly pool: Pool;
  /** PE identifier, 32 bits, unique within the pool. */
  readonly elementId: number;
  #element: PoolElement;

  /** Made by the handlespace only. */
  constructor(pool: Pool, element: PoolElement) {
    this.pool = pool;
    this.elementId = element.elementId;
    this.#element = element;
  }

  /** The element as last registered. */
  get element(): PoolElement {
    return this.#element;
  }

  /** The element's policy parameter. */
  get policy(): PolicyParameter {
    return this.#element.policy;
  }

  /** The registrar that looks after the element. */
  get homeRegistrarId(): number {
    return this.#element.homeRegistrarId;
  }

  /** Called by the handlespace only: everything that depends on the element is kept there. */
  replace(element: PoolElement): void {
    this.#element = element;
  }
}

/** A pool: its elements, what they have in common, and the state of its policy. */
export class Pool {
  /** 1–32 octets. */
  readonly poolHandle: PoolHandle;
  /** The pool handle as a string of octets; orders pools and names them in Maps. */
  readonly key: string;
  /** How elements are selected. */
  readonly policy: Policy;
  /** The first element's policy parameter: what a refused element is told. */
  readonly policyParameter: PolicyParameter;
  /** The first element's user transport: all have its protocol and its use of the control channel. */
  readonly transport: TransportParameter;
  /** By PE identifier. Changed by the handlespace only. */
  readonly elements: Map<number, ElementEntry> = new Map();
  /** The policy's state. Changed by the handlespace only, but for selecting. */
  readonly selection: Selection<ElementEntry>;

  /**
   * Made by the handlespace only.
   *
   * @param first the element that founds the pool: policy, protocol and use of the control channel come from it
   */
  constructor(
    poolHandle: PoolHandle,
    first: PoolElement,
    policy: Policy,
    selection: Selection<ElementEntry>,
  ) {
    this.poolHandle = poolHandle;
    this.key = poolKey(poolHandle);
    this.policy = policy;
    this.policyParameter = first.policy;
    this.transport = first.userTransport;
    this.selection = selection;
  }

  /** Transport protocol of all elements. */
  get protocol(): TransportParameter["protocol"] {
    return this.transport.protocol;
  }

  /** Whether the elements have a control channel. */
  get use(): TransportParameter["use"] {
    return this.transport.use;
  }
}

/** The place of an element in a handle table: pool and ID. A cursor that outlives the element. */
export interface ElementPlace {
  /** The pool, or its key alone. */
  readonly pool: { readonly key: string };
  /** PE identifier. */
  readonly elementId: number;
}

/** The order of handle tables (reference/rsplib.md §3.9): shorter handles first, then octets, then element IDs. */
export function comparePlaces(a: ElementPlace, b: ElementPlace): number {
  if (a.pool !== b.pool) {
    const left = a.pool.key;
    const right = b.pool.key;
    if (left.length !== right.length) return left.length - right.length;
    if (left !== right) return left < right ? -1 : 1;
  }
  return a.elementId - b.elementId;
}
