/** Where the units of a net stand in its picture. */

/** Where the units of each layer stand: the side of their boxes, and their middles. */
export function layoutOf(sizes: readonly number[], width: number, height: number) {
  const columns = sizes.length
  const box = Math.max(8, Math.min(44, (height - 16) / Math.max(...sizes) - 6, width / columns / 1.9))
  return {
    box,
    x: (column: number) => 14 + box / 2 + (column * (width - box - 28)) / Math.max(columns - 1, 1),
    y: (column: number, i: number) => height / 2 + (i - (sizes[column] - 1) / 2) * Math.min(box + 8, (height - 12) / sizes[column]),
  }
}
