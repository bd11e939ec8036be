/**
 * Compares the tile that a program chooses automatically with each pinned tile: forward products of five shapes in rotation, as in a net with five
 * different layers. Each figure comes from a process of its own, as code that was optimized for one tile would also serve the others. Processes take
 * turns; the figure is the median of their ratios.
 *
 *     node --import tsx bench/tiles.ts
 *     node --import tsx bench/tiles.ts --check    # fails below 0.98
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { withDense } from '../ts/backend/families.js'
import { TILES, type TileName } from '../ts/backend/kernels.js'
import { tilesFor } from '../ts/backend/wasm/tiles.js'
import { supportedVariants } from '../ts/debug/index.js'
import { createBackend } from '../ts/index.js'

/** Rows, terms and columns: a batch of 128 through 512-768-640-896-512-384. */
const SHAPES = [
  [128, 512, 768],
  [128, 768, 640],
  [128, 640, 896],
  [128, 896, 512],
  [128, 512, 384],
] as const
/** Calls after which the choice has been made (ts/backend/wasm/tiles.ts). */
const SETTLED = 64
const ROUNDS = 40
const PROCESSES = 7
const LEAST = 0.98

/** In a process of its own: milliseconds of the fastest round through all shapes, and the tile at work. */
function measure(tile: TileName | 'auto'): { ms: number; tile: string } {
  const backend = createBackend({ tile })
  const { heap } = backend
  const kernels = withDense(backend)
  const most = Math.max(...SHAPES.map(([, k, n]) => k * n))
  const buffer = (n: number) => {
    const at = heap.allocate(4 * n)
    heap.view(at, n).forEach((_, i, view) => (view[i] = ((i * 7919) % 1000) / 1000 - 0.5))
    return at
  }
  const [x, w, y] = [buffer(128 * 1024), buffer(most), buffer(128 * 1024)]
  const round = () => {
    for (const [m, k, n] of SHAPES) kernels.denseForward(x, w, 0, 0, y, m, k, n, 0, heap.scratch)
  }
  for (let i = 0; i < SETTLED / SHAPES.length; i++) round()
  const chosen = backend.tile
  let ms = Number.POSITIVE_INFINITY
  for (let i = 0; i < ROUNDS; i++) {
    const started = performance.now()
    round()
    ms = Math.min(ms, performance.now() - started)
  }
  if (backend.tile !== chosen) throw new Error(`the tile changed from ${chosen} to ${backend.tile} after ${SETTLED} calls`)
  return { ms, tile: `${backend.tile}` }
}

function inProcess(tile: string): { ms: number; tile: string } {
  const { stdout, stderr } = spawnSync(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), '--one', tile], {
    encoding: 'utf8',
  })
  if (!stdout) throw new Error(stderr)
  return JSON.parse(stdout)
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

if (process.argv[2] === '--one') {
  console.log(JSON.stringify(measure(process.argv[3] as TileName)))
} else {
  const pinned = tilesFor(supportedVariants()[0]).map((place) => TILES[place])
  const found: { auto: { ms: number; tile: string }; times: number[] }[] = []
  for (let i = 0; i < PROCESSES; i++) {
    const auto = inProcess('auto')
    found.push({ auto, times: pinned.map((tile) => inProcess(tile).ms) })
  }
  console.log(
    `five shapes, Node ${process.versions.node}, ${supportedVariants()[0]}; milliseconds of a round, medians of ${PROCESSES} processes`,
  )
  const medians = pinned.map((_, i) => median(found.map(({ times }) => times[i])))
  pinned.forEach((tile, i) => console.log(`  ${tile.padEnd(6)} ${medians[i].toFixed(2)}`))
  console.log(`  auto   ${median(found.map(({ auto }) => auto.ms)).toFixed(2)}  chose ${found.map(({ auto }) => auto.tile).join(' ')}`)
  const best = medians.indexOf(Math.min(...medians))
  const ratio = median(found.map(({ auto, times }) => times[best] / auto.ms))
  console.log(`speed beside the best pinned tile, ${pinned[best]}: ${ratio.toFixed(3)}`)
  if (process.argv.includes('--check') && ratio < LEAST) {
    console.error(`bench/tiles: the tile that is chosen wants ${LEAST} of the speed of ${pinned[best]}, got ${ratio.toFixed(3)}`)
    process.exitCode = 1
  }
}
