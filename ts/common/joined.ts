/** @internal numbers of several arrays one after the other, in an array of this class */
export function joined<T extends { set(part: ArrayLike<number>, at: number): void }>(
  Class: new (length: number) => T,
  parts: readonly ArrayLike<number>[],
): T {
  const out = new Class(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** @internal as {@link joined}, of the part of each item */
export function joinedOf<T extends { set(part: ArrayLike<number>, at: number): void }, Item>(
  Class: new (length: number) => T,
  items: readonly Item[],
  partOf: (item: Item, i: number) => ArrayLike<number>,
): T {
  const parts = items.map(partOf)
  return joined(Class, parts)
}
