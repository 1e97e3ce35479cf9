/**
 * Things with serial numbers (RFC 1982) of 16 or 32 bits, in the order of their numbers. They mostly come and go in that
 * order, so adding is appending and taking is moving the head; whatever order a peer thinks of, nothing costs more than
 * moving the array once.
 */
export class NumberedList<Item> {
  #numbers: number[] = [];
  #items: Item[] = [];
  #head = 0;
  /** Shifts a difference so that its highest bit is the sign of 32 bits. */
  readonly #shift: number;

  /** @param bits of the numbers: 16 or 32 */
  constructor(bits: 16 | 32) {
    this.#shift = 32 - bits;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The item of a number. */
  get(number: number): Item | undefined {
    const index = this.#find(number);
    return this.#numbers[index] === number ? this.#items[index] : undefined;
  }

  /** @returns false when there is an item of that number */
  add(number: number, item: Item): boolean {
    const index = this.#find(number);
    if (this.#numbers[index] === number) return false;
    if (index === this.#items.length) {
      this.#numbers.push(number);
      this.#items.push(item);
    } else {
      this.#numbers.splice(index, 0, number);
      this.#items.splice(index, 0, item);
    }
    return true;
  }

  /** Takes out the first item if its number is not beyond this one. */
  takeUpTo(number: number): { readonly number: number; readonly item: Item } | undefined {
    if (this.size === 0) return undefined;
    const first = this.#numbers[this.#head]!;
    if ((number - first) << this.#shift < 0) return undefined;
    const item = this.#items[this.#head]!;
    this.#head++;
    if (2 * this.#head > this.#items.length) this.#trim();
    return { number: first, item };
  }

  /** Takes out the item of a number. */
  take(number: number): Item | undefined {
    if (this.size > 0 && this.#numbers[this.#head] === number) return this.takeUpTo(number)?.item;
    const index = this.#find(number);
    if (this.#numbers[index] !== number) return undefined;
    this.#numbers.splice(index, 1);
    return this.#items.splice(index, 1)[0];
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i]!;
  }

  #trim(): void {
    this.#numbers.splice(0, this.#head);
    this.#items.splice(0, this.#head);
    this.#head = 0;
  }

  /** Index of the first number that is not before this one. */
  #find(number: number): number {
    let low = this.#head, high = this.#items.length;
    if (low < high && (number - this.#numbers[high - 1]!) << this.#shift > 0) return high; // mostly it is the last one
    while (low < high) {
      const middle = low + high >>> 1;
      if ((number - this.#numbers[middle]!) << this.#shift > 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
