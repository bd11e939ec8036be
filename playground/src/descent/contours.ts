/** Lines of equal height over a grid, by marching squares. */

/** The corners around a cell: edge k is between corner k and the next one. */
const CORNERS = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
] as const

/**
 * @param values row by row
 * @returns straight pieces, x and y of both ends of each, in columns and rows: one through every cell that the line crosses, two where it
 *   crosses all four edges
 */
export function contourLine(values: ArrayLike<number>, columns: number, rows: number, level: number): Float32Array {
  const pieces: number[] = []
  for (let row = 0; row < rows - 1; row++) {
    for (let column = 0; column < columns - 1; column++) {
      const heights = CORNERS.map(([x, y]) => values[(row + y) * columns + column + x])
      const crossings: number[][] = []
      for (let k = 0; k < 4; k++) {
        const next = (k + 1) % 4
        if (heights[k] < level === heights[next] < level) continue
        const t = (level - heights[k]) / (heights[next] - heights[k])
        const between = (axis: 0 | 1) => CORNERS[k][axis] + t * (CORNERS[next][axis] - CORNERS[k][axis])
        crossings.push([column + between(0), row + between(1)])
      }
      // On a saddle the pieces cut off the two corners that are not on the side of the middle.
      const middle = heights.reduce((sum, height) => sum + height / 4, 0)
      if (crossings.length === 4 && middle < level !== heights[0] < level) crossings.push(crossings.shift()!)
      pieces.push(...crossings.flat())
    }
  }
  return Float32Array.from(pieces)
}
