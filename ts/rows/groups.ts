/** Groups of rows that stay together. */

/** The rows of each value, in the order in which values and rows occur. */
export function rowsByValue(rows: ArrayLike<number>, keyOf: ArrayLike<unknown>): Int32Array[] {
  const parts = new Map<unknown, number[]>()
  for (const row of Array.from(rows)) {
    const part = parts.get(keyOf[row])
    if (part === undefined) parts.set(keyOf[row], [row])
    else part.push(row)
  }
  return [...parts.values()].map((part) => Int32Array.from(part))
}

/** Assigns groups one by one to the part with the least cost; among equal parts to the one with the least `tie`, else the first. */
export function dealGroups<G>(
  groups: readonly G[],
  parts: number,
  { cost, tie = () => 0, put }: { cost(group: G, part: number): number; tie?(part: number): number; put(group: G, part: number): void },
): void {
  for (const group of groups) {
    const costs = Array.from({ length: parts }, (_, part) => cost(group, part))
    let best = 0
    for (let i = 1; i < parts; i++) if (costs[i] < costs[best] || (costs[i] === costs[best] && tie(i) < tie(best))) best = i
    put(group, best)
  }
}
