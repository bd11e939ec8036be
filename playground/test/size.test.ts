/** Limits on the size of the built page, so that it does not grow unnoticed: `make play-build` first. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const ASSETS = fileURLToPath(new URL('../dist/assets', import.meta.url))

/**
 * Limits in kB of gzip; raise one only with a reason, here and in README.md, which lists what the page contains and what was left out.
 *
 * `all tabs` is what someone downloads who opens every tab, without the digits: 150 is what we wish for, 215 what we hold ourselves to. A quarter of
 * it is WebAssembly, half the library's engine and what trains nets, a fifth the page. What no tab begins with comes when somebody asks for it: the
 * lecture, further optimizers, second-order methods, tables, the rate finder, programs to copy, every start, X-rays, looks at gradients, pairs of
 * hyper-parameters. X-rays are
 * 30 since they show themselves in notebooks, as pages; names that keep off curves are 1; Pictures and
 * Sequences are 18 of what all tabs are; constants that loops of WebAssembly hold in locals are 1. Each limit is some 2 % above what was measured: a
 * build on another machine differs by some bytes.
 */
const BUDGETS = { page: 42, 'first view': 120, 'a net trains': 170, 'all tabs': 233, 'all files': 326 }

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
        !/^(lecture|optimizers|code|digit-lines|program|toys|xray|xray-panel|noise|noise-panel|sharpness|sharpness-panel|backprop|backprop-panel|part-text|digit-pad|csv-choice|starts|every-start|surface|fair|fair-panel|finder|find-rate|pairs|solve|table)-/.test(
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
