/** Limits on the size of the built page, so that it does not grow unnoticed: `make play-build` first. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const ASSETS = fileURLToPath(new URL('../dist/assets', import.meta.url))

/**
 * Limits in kB of gzip; raise one only with a reason, here and in README.md, which lists what the page contains and what was left out.
 *
 * `all tabs` is what someone downloads who opens every tab, without the digits: 150 is what we wish for. A quarter of it is WebAssembly, half
 * the library's engine and what trains nets, a fifth the page. Optimizers that no tab begins with, and programs to copy, come when they are asked
 * for, and so do every start (5), X-rays, and looks at gradients (5). Names beside lines, one scale of the map, sizes of arrows and the sweep
 * for best rates came on 29 November 2026 (2.5), then what switches these three on and draws them (2.5: `controls` is a file of its own since then).
 * On 30 November the lecture became a file of its own (7), with a question before most lessons, and so did all tabs but the first (9 of 12 kB less in
 * the first view; a net, which comes with the other tabs, has 3 more). Products of stacks, transposes of any axes and batch norm in one pass, of the
 * engine, are 0.7 of the 215.6 that all tabs are; 215 is what we hold ourselves to. X-rays are 30 since they show themselves in notebooks, as pages.
 * The tabs of pictures and sequences came the same day: 20 of what all tabs are, 3 of them in the first view, as one module of the engine lists the
 * loops of all kernels.
 */
const BUDGETS = { page: 41, 'first view': 130, 'a net trains': 183, 'all tabs': 238, 'all files': 311 }

test('the page keeps its budgets', () => {
  const files = readdirSync(ASSETS).filter((file) => /\.(js|css)$/.test(file))
  const kB = (names: readonly string[], compressed: (bytes: Buffer) => Buffer) =>
    names.reduce((sum, file) => sum + compressed(readFileSync(`${ASSETS}/${file}`)).length, 0) / 1000
  const page = files.filter((file) => /^(index|controls|anatomy-table)-/.test(file))
  const view = [...page, ...files.filter((file) => /^(worker|rolldown-runtime|gradus|wasm)-(?!fleet-)/.test(file))]
  const sets: Record<keyof typeof BUDGETS, string[]> = {
    page,
    'first view': view,
    'a net trains': [...view, ...files.filter((file) => /^(nets|tabs)-/.test(file))],
    'all tabs': files.filter(
      (file) =>
        !/^(lecture|optimizers|code|program|toys|xray|xray-panel|noise|noise-panel|sharpness|sharpness-panel|backprop|backprop-panel|part-text|digit-pad|csv-choice|starts|every-start|surface|fair|fair-panel|finder)-/.test(
          file,
        ),
    ),
    'all files': files,
  }
  for (const [name, budget] of Object.entries(BUDGETS) as [keyof typeof BUDGETS, number][]) {
    const size = kB(sets[name], (bytes) => gzipSync(bytes, { level: 9 }))
    console.log(`${name}: ${size.toFixed(1)} kB of gzip`)
    expect.soft(size, name).toBeLessThan(budget)
  }
  console.log(`all: ${kB(files, (bytes) => brotliCompressSync(bytes)).toFixed(1)} kB of brotli`)
})
