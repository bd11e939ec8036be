/**
 * Writes the program of a worker (ts/backend/threads/worker.ts) as a string; ts/backend/threads/spawn.ts starts workers from it. vitest.config.ts
 * calls this before each run, `make wasm` before each build.
 *
 *   node ts/build/worker.mjs
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = new URL('../../', import.meta.url)

export function writeWorker() {
  const { outputFiles } = buildSync({
    entryPoints: [fileURLToPath(new URL('ts/backend/threads/worker.ts', root))],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  })
  const out = new URL('ts/backend/wasm/generated/', root)
  mkdirSync(out, { recursive: true })
  writeFileSync(new URL('worker.ts', out), `export default ${JSON.stringify(outputFiles[0].text.trim())}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeWorker()
