/** Most items of a block. Shifting so many costs less than the cache misses of another level of the tree. */
export const MAX_BLOCK = 64;

/** A block that falls below is filled up from its neighbour, or joined with it. */
export const MIN_BLOCK = 16;

/** Blocks are joined up to this: the next item must not split them again. */
const MAX_JOINED = 48;

/** A node of an ordered set's tree. */
export class Block<T> {
  /** In a leaf, the items; in a branch, the first item below each child. In order. */
  items: T[];
  /** The items' keys: a search that need not look at the items spares most of its cache misses. */
  keys: number[];
  /** undefined = this is a leaf. */
  children: Block<T>[] | undefined;

  /** All lists are the block's from now on. */
  constructor(items: T[], keys: number[], children: Block<T>[] | undefined) {
    this.items = items;
    this.keys = keys;
    this.children = children;
  }

  /** A branch over some children. */
  static over<T>(children: Block<T>[]): Block<T> {
    return new Block(children.map(({ items }) => items[0]!), children.map(({ keys }) => keys[0]!), children);
  }

  /** How many items, and in a branch children, there are. */
  get size(): number {
    return this.items.length;
  }

  /** Puts an item, and in a branch the child that begins with it, at an index. */
  insert(index: number, item: T, key: number, child?: Block<T>): void {
    insertAt(this.items, index, item);
    insertAt(this.keys, index, key);
    if (child !== undefined && this.children !== undefined) insertAt(this.children, index, child);
  }

  /** Takes out what is at an index. */
  remove(index: number): void {
    removeAt(this.items, index);
    removeAt(this.keys, index);
    if (this.children !== undefined) removeAt(this.children, index);
  }

  /** What is below a child changed. */
  refresh(index: number, { items, keys }: Block<T>): void {
    this.items[index] = items[0]!; // only a root is ever empty
    this.keys[index] = keys[0]!;
  }

  /** Takes the second half out. */
  split(): Block<T> {
    const half = this.size >>> 1;
    const { items, keys, children } = this;
    this.items = items.slice(0, half);
    this.keys = keys.slice(0, half);
    this.children = children?.slice(0, half);
    return new Block(items.slice(half), keys.slice(half), children?.slice(half));
  }

  /** Takes in what is in the block behind. */
  append({ items, keys, children }: Block<T>): void {
    this.items.push(...items);
    this.keys.push(...keys);
    if (children !== undefined) this.children?.push(...children);
  }

  /** A child has become too small: joins it with its neighbour, or shares the neighbour's with it. */
  balance(index: number): void {
    if (this.children === undefined) return;
    const at = index > 0 ? index - 1 : 0;
    const left = this.children[at]!;
    const right = this.children[at + 1]!;
    const isJoined = left.size + right.size <= MAX_JOINED;
    left.append(right);
    this.remove(at + 1);
    this.refresh(at, left);
    if (isJoined) return;
    const second = left.split();
    this.insert(at + 1, second.items[0]!, second.keys[0]!, second);
  }
}

/** As `splice`, without making an array. */
function insertAt<T>(array: T[], index: number, item: T): void {
  array.push(item);
  for (let i = array.length - 1; i > index; i--) array[i] = array[i - 1]!;
  array[index] = item;
}

/** As `splice`, without making an array. */
function removeAt<T>(array: T[], index: number): void {
  for (let i = index; i < array.length - 1; i++) array[i] = array[i + 1]!;
  array.pop();
}
