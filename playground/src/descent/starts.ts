/** A race from every point of the map with one optimizer: which minimum it reaches, and after how many steps. */
import { Generator, slice, sum, type Tensor, tensor } from 'gradus'
import { hessian, valueAndGrad } from 'gradus/curvature'
import type { Context } from '../engine/context'
import { doubles } from '../engine/doubles'
import { blockGradient } from './block'
import { compile, type Ground } from './formula'
import type { Surface } from './functions'
import { PAINTED } from './rules'
import type { RaceInput, Racer } from './track'

export interface StartsInput extends Pick<RaceInput, 'ground' | 'noise' | 'seed' | 'steps'> {
  racer: Racer
  range: Surface['range']
  /** Starts of the finest grid, about. */
  count?: number
}

/** A minimum, and the largest curvature there. */
export type Minimum = readonly [x: number, y: number, curvature: number]

/** The arrivals of races from a grid of starts. */
export interface Starts {
  range: Surface['range']
  columns: number
  rows: number
  /** Row by row from the bottom up: number of the minimum, from 1; 0 where the race never arrives. */
  reached: Uint8Array
  /** Steps after which it stays at that minimum. */
  arrivals: Uint16Array
  minima: readonly Minimum[]
  /** Milliseconds that the races of the finest grid took; undefined for a coarser one. */
  milliseconds?: number
}

/** Starts of the finest grid, about, and the shares of coarser ones, which are shown first. */
const [STARTS, COARSER] = [120_000, [1 / 36, 1 / 6]]
const BLOCK = 256
/** Minima at most: each has a number in a byte. */
const MAX_MINIMA = 60
/** A race has arrived within this share of the map's width. */
const NEAR = 0.01
/**
 * A race of descent or Momentum ends early at a minimum if its steps have been this short, in shares of that distance, so many times in a row, and
 * have become shorter. Steps divided by mean squares may grow again, so the other races go on to their last step.
 */
const [SHORT, TIMES] = [1e-3, 8]
/** Milliseconds between looks at messages. */
const PATIENCE = 12

/** Sends coarser grids on the way to the finest. */
export async function starts(input: StartsInput, context: Context<Starts>): Promise<Starts> {
  const minima = knownMinima(input)
  let latest = emptyGrid(input, minima, 1)
  for (const share of [...COARSER, 1]) {
    const grid = emptyGrid(input, minima, share * (input.count ?? STARTS))
    const began = performance.now()
    const waited = await racesFrom(grid, input, context)
    if (context.isStopped) return latest
    if (share === 1) grid.milliseconds = performance.now() - began - waited
    else context.update(grid)
    latest = grid
  }
  return latest
}

let known = { key: '', minima: [] as readonly Minimum[] }

/** The minima of the latest map are kept: a rate that is dragged changes none. */
function knownMinima({ ground, range }: StartsInput): readonly Minimum[] {
  const key = JSON.stringify([ground, range])
  if (known.key !== key) known = { key, minima: minimaOf({ ground, range }) }
  return known.minima
}

/** A grid with square cells. */
function emptyGrid({ range }: StartsInput, minima: Starts['minima'], count: number): Starts {
  const [[left, right], [bottom, top]] = range
  const aspect = (right - left) / (top - bottom)
  const [columns, rows] = [Math.sqrt(count * aspect), Math.sqrt(count / aspect)].map((n) => Math.max(2, Math.ceil(n)))
  return { range, columns, rows, reached: new Uint8Array(columns * rows), arrivals: new Uint16Array(columns * rows), minima }
}

/** The start in the middle of a cell. */
export function startOf({ range, columns, rows }: Pick<Starts, 'range' | 'columns' | 'rows'>, cell: number): [x: number, y: number] {
  const [[left, right], [bottom, top]] = range
  const [column, row] = [cell % columns, Math.floor(cell / columns)]
  return [left + ((right - left) * (column + 0.5)) / columns, bottom + ((top - bottom) * (row + 0.5)) / rows]
}

/** Fills a grid. @returns the milliseconds that it let others work */
async function racesFrom(grid: Starts, input: StartsInput, context: Context<Starts>): Promise<number> {
  const race = blockRace(grid, input)
  const cells = grid.columns * grid.rows
  let [waited, since] = [0, performance.now()]
  for (let from = 0; from < cells; from += BLOCK) {
    race(from, Math.min(BLOCK, cells - from))
    if (performance.now() - since < PATIENCE) continue
    const now = performance.now()
    await context.breathe()
    since = performance.now()
    waited += since - now
    if (context.isStopped) break
  }
  return waited
}

/** The races of a block of cells. They end at a minimum, or far away, and the others take their places in the block. */
function blockRace(grid: Starts, { ground, racer, noise, seed, steps, range }: StartsInput): (from: number, count: number) => void {
  const { x, y, dx, dy, run } = blockGradient(ground, BLOCK)
  const numbers = () => new Float64Array(BLOCK)
  const [mx, my, sx, sy] = [numbers(), numbers(), numbers(), numbers()]
  const cell = new Uint32Array(BLOCK)
  /** The minimum near which it is, the step since which it is there, and its short steps in a row. */
  const [at, since, still] = [new Uint8Array(BLOCK), new Uint16Array(BLOCK), new Uint8Array(BLOCK)]
  /** The length of the first of its short steps. */
  const first = numbers()
  const maySettle = noise === 0 && (racer.id === 'SGD' || racer.id === 'Momentum')
  const disturbances = noise > 0 ? new Generator(seed).normals(2 * steps) : null
  const nearest = nearestMinimum(grid.minima, range)
  const tiny = SHORT * NEAR * (range[0][1] - range[0][0])
  const far = 1e4 * (range[0][1] - range[0][0] + Math.abs(range[0][0]) + Math.abs(range[1][0]))
  const advance = ruleOf(racer, [x, y, dx, dy, mx, my, sx, sy])
  return (from, count) => {
    let active = count
    for (let i = 0; i < count; i++) {
      ;[x[i], y[i]] = startOf(grid, from + i)
      cell[i] = from + i
      at[i] = nearest(x[i], y[i])
      since[i] = still[i] = 0
    }
    for (const state of [mx, my, sx, sy]) state.fill(0)
    const end = (i: number, minimum: number) => {
      grid.reached[cell[i]] = minimum
      grid.arrivals[cell[i]] = since[i]
      active--
      for (const list of [x, y, mx, my, sx, sy, first]) list[i] = list[active]
      for (const list of [cell, at, since, still]) list[i] = list[active]
    }
    for (let step = 1; step <= steps && active > 0; step++) {
      run(active)
      if (disturbances !== null)
        for (let i = 0; i < active; i++) {
          dx[i] += noise * disturbances[2 * step - 2]
          dy[i] += noise * disturbances[2 * step - 1]
        }
      advance(active, step)
      for (let i = active - 1; i >= 0; i--) {
        const px = x[i]
        const py = y[i]
        const minimum = nearest(px, py)
        if (minimum !== at[i]) {
          at[i] = minimum
          since[i] = step
          still[i] = 0
        }
        if (minimum === 0) {
          if (!(Math.abs(px) + Math.abs(py) < far)) end(i, 0)
        } else if (maySettle) {
          // dx and dy now have the lengths of the step
          const length = Math.abs(dx[i]) + Math.abs(dy[i])
          if (!(length < tiny)) still[i] = 0
          else if (still[i]++ === 0) first[i] = length
          else if (still[i] >= TIMES && length < first[i]) end(i, minimum)
        }
      }
    }
    while (active > 0) end(active - 1, at[active - 1])
  }
}

type Arrays = readonly [
  x: Float64Array,
  y: Float64Array,
  dx: Float64Array,
  dy: Float64Array,
  mx: Float64Array,
  my: Float64Array,
  sx: Float64Array,
  sy: Float64Array,
]

/** One step of an optimizer with the formulas of the library; the gradients are replaced by the steps taken. */
function ruleOf({ id, rate, options = {} }: Racer, [x, y, dx, dy, mx, my, sx, sy]: Arrays): (count: number, step: number) => void {
  const option = (name: string, usual: number) => Number(options[name] ?? usual)
  const walk = (p: Float64Array, g: Float64Array, i: number, length: number) => {
    g[i] = length
    p[i] -= length
  }
  if (id === 'SGD')
    return (count) => {
      for (let i = 0; i < count; i++) {
        walk(x, dx, i, rate * dx[i])
        walk(y, dy, i, rate * dy[i])
      }
    }
  if (id === 'Momentum') {
    const beta = option('beta', 0.9)
    return (count) => {
      for (let i = 0; i < count; i++) {
        mx[i] = beta * mx[i] + (1 - beta) * dx[i]
        my[i] = beta * my[i] + (1 - beta) * dy[i]
        walk(x, dx, i, rate * mx[i])
        walk(y, dy, i, rate * my[i])
      }
    }
  }
  if (id === 'RMSProp') {
    const [beta, epsilon] = [option('beta', 0.99), option('epsilon', 1e-8)]
    return (count) => {
      for (let i = 0; i < count; i++) {
        sx[i] = beta * sx[i] + (1 - beta) * dx[i] * dx[i]
        sy[i] = beta * sy[i] + (1 - beta) * dy[i] * dy[i]
        walk(x, dx, i, (rate * dx[i]) / (Math.sqrt(sx[i]) + epsilon))
        walk(y, dy, i, (rate * dy[i]) / (Math.sqrt(sy[i]) + epsilon))
      }
    }
  }
  if (id === 'Adam') {
    const [beta1, beta2] = [option('beta1', 0.9), option('beta2', 0.999)]
    return (count, step) => {
      const root = Math.sqrt(1 - beta2 ** step)
      const [size, epsilon] = [(rate * root) / (1 - beta1 ** step), option('epsilon', 1e-8) * root]
      for (let i = 0; i < count; i++) {
        mx[i] = beta1 * mx[i] + (1 - beta1) * dx[i]
        my[i] = beta1 * my[i] + (1 - beta1) * dy[i]
        sx[i] = beta2 * sx[i] + (1 - beta2) * dx[i] * dx[i]
        sy[i] = beta2 * sy[i] + (1 - beta2) * dy[i] * dy[i]
        walk(x, dx, i, (size * mx[i]) / (Math.sqrt(sx[i]) + epsilon))
        walk(y, dy, i, (size * my[i]) / (Math.sqrt(sy[i]) + epsilon))
      }
    }
  }
  throw new Error(`every start is drawn for ${PAINTED.join(', ')}, not for ${id}`)
}

/** Cells across the map for the look-up of minima. */
const LOOK_UP = 512

/** The number, from 1, of the minimum near a place; 0 if there is none. */
export function nearestMinimum(
  minima: Starts['minima'],
  [[left, right], [bottom, top]]: Surface['range'],
): (x: number, y: number) => number {
  const radius = NEAR * (right - left)
  const cell = (right - left) / LOOK_UP
  const rows = Math.ceil((top - bottom) / cell)
  const numbers = new Uint8Array(LOOK_UP * rows)
  const [xs, ys] = [0, 1].map((axis) => Float64Array.from([0, ...minima.map((minimum) => minimum[axis])]))
  // Cells that a circle may touch have its number; the distance decides within them.
  minima.forEach(([mx, my], k) => {
    const reach = radius + cell
    const [from, to] = [my - reach, my + reach].map((v) => Math.floor((v - bottom) / cell))
    const [first, last] = [mx - reach, mx + reach].map((v) => Math.floor((v - left) / cell))
    for (let row = Math.max(0, from); row <= Math.min(rows - 1, to); row++)
      for (let column = Math.max(0, first); column <= Math.min(LOOK_UP - 1, last); column++) numbers[row * LOOK_UP + column] = k + 1
  })
  const [perCell, near] = [1 / cell, radius * radius]
  return (x, y) => {
    // no arrays here: this runs at every step of every race
    const column = (x - left) * perCell
    const row = (y - bottom) * perCell
    if (!(column >= 0 && column < LOOK_UP && row >= 0 && row < rows)) return 0
    const found = numbers[(row | 0) * LOOK_UP + (column | 0)]
    if (found === 0) return 0
    const dx = x - xs[found]
    const dy = y - ys[found]
    return dx * dx + dy * dy <= near ? found : 0
  }
}

/** Points across the grid on which minima are looked for. */
const SEARCHED = 120

/** The minima on the map: lowest points of a grid, made exact by Newton's method; those nearer to each other than two radii are one. */
export function minimaOf({ ground, range }: { ground: Ground; range: Surface['range'] }): Minimum[] {
  const backend = doubles()
  const f = compile(ground)
  const [[left, right], [bottom, top]] = range
  const [columns, rows] = [SEARCHED, Math.max(3, Math.round((SEARCHED * (top - bottom)) / (right - left)))]
  const place = (column: number, row: number): [number, number] => [
    left + ((right - left) * column) / (columns - 1),
    bottom + ((top - bottom) * row) / (rows - 1),
  ]
  const points = Array.from({ length: columns * rows }, (_, i) => place(i % columns, Math.floor(i / columns)))
  const at = (k: 0 | 1) =>
    tensor(
      Float64Array.from(points, (point) => point[k]),
      { backend },
    )
  const values = f(at(0), at(1)).data()
  const found: { x: number; y: number; value: number }[] = []
  for (let row = 1; row < rows - 1; row++)
    for (let column = 1; column < columns - 1; column++) {
      const value = values[row * columns + column]
      const around = [-1, 0, 1].flatMap((r) => [-1, 0, 1].map((c) => values[(row + r) * columns + column + c]))
      // level ground is no minimum
      const isLowest = around.every((other) => !(other < value)) && around.some((other) => other > value)
      if (isLowest && Number.isFinite(value))
        found.push({ x: points[row * columns + column][0], y: points[row * columns + column][1], value })
    }
  found.sort((a, b) => a.value - b.value)
  const minima: Minimum[] = []
  for (const { x, y } of found) {
    const exact = polished(ground, [x, y], (right - left) / (columns - 1))
    const isNew = exact !== null && minima.every(([mx, my]) => Math.hypot(exact[0] - mx, exact[1] - my) > 2 * NEAR * (right - left))
    if (isNew && minima.length < MAX_MINIMA) minima.push(exact)
  }
  return minima
}

/** The minimum within a few cells of a place, by Newton's method; null if it leads elsewhere. */
function polished(ground: Ground, [x0, y0]: readonly [number, number], cell: number): Minimum | null {
  const f = compile(ground)
  const at = (x: number, y: number) => tensor(Float64Array.of(x, y), { backend: doubles() })
  const loss = (p: Tensor) => sum(f(slice(p, 0, 1), slice(p, 1, 2)))
  let [x, y, curvature] = [x0, y0, 0]
  for (let round = 0; round < 30; round++) {
    const { gradient } = valueAndGrad(loss)(at(x, y))
    const [p, q] = gradient.data()
    const [a, b, , c] = hessian(loss)(at(x, y)).data()
    const det = a * c - b * b
    if (!(a > 0 && det > 0)) return null
    curvature = (a + c) / 2 + Math.hypot((a - c) / 2, b)
    const [dx, dy] = [(b * q - c * p) / det, (b * p - a * q) / det]
    ;[x, y] = [x + dx, y + dy]
    if (!(Math.hypot(x - x0, y - y0) < 4 * cell)) return null
    if (Math.hypot(dx, dy) < 1e-10 * cell) break
  }
  return [x, y, curvature]
}
