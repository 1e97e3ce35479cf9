/** 64 bits that name a component: its group in the upper octet, what it is within the group below. */
export type ComponentId = bigint;

/** What kinds of components there are. */
export const ComponentGroup = { registrar: 1, element: 2, user: 3 } as const;

/** One of the groups. */
export type ComponentGroup = typeof ComponentGroup[keyof typeof ComponentGroup];

const OBJECT_BITS = 56n;

/** The ID of a component, of its group and its registrar ID, PE identifier, or any 56 bits. */
export function componentId(group: ComponentGroup, object: number | bigint): ComponentId {
  return BigInt(group) << OBJECT_BITS | BigInt.asUintN(Number(OBJECT_BITS), BigInt(object));
}

/** The group of a component; a stranger's may be any number of 8 bits. */
export function componentGroupOf(id: ComponentId): number {
  return Number(id >> OBJECT_BITS);
}

/** What a component is within its group. */
export function componentObjectOf(id: ComponentId): bigint {
  return BigInt.asUintN(Number(OBJECT_BITS), id);
}
