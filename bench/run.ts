/** `make bench`: every table, each in a process of its own on the Node that runs this file. `… bench/run.ts step` runs one. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

import { fileURLToPath } from 'node:url'
import { cpuName } from './tools/cpu.js'

/** In the order in which they are measured. */
const FILES = { kernels: 'kernels', step: 'step', optim: 'optim', curvature: 'curvature', solve: 'solve/solve' }
const tables = Object.keys(FILES) as (keyof typeof FILES)[]
const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !(tables as readonly string[]).includes(name))
if (unknown !== undefined) throw new Error(`bench: no table is called ${unknown}, only ${tables.join(', ')}`)

console.log(`${cpuName()}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`)
for (const name of tables.filter((t) => wanted.length === 0 || wanted.includes(t))) {
  const file = fileURLToPath(new URL(`./${FILES[name]}.ts`, import.meta.url))
  if (!existsSync(file)) continue
  console.log(`\n# ${name}`)
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', file], { stdio: 'inherit' })
  if (status !== 0) process.exitCode = 1
}
