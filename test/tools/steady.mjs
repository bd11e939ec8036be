/**
 * `make steady`: the unit tests run under other conditions, and the same tests pass as under the usual ones.
 *
 *   node test/tools/steady.mjs            every condition
 *   node test/tools/steady.mjs --short    another clock in another order, whose tests all have to pass: for CI
 *   node test/tools/steady.mjs 'one core' some of them, by name
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

/** Tests that are named for each condition. */
const SHOWN = 30
const VITEST = 'node_modules/vitest/vitest.mjs'
const ZONES = ['Europe/Berlin', 'Asia/Kolkata', 'Pacific/Auckland', 'America/New_York']
/** Node 24 of `make node-24`. */
const NODE24 = '.cache/node-24/node_modules/node-24/bin/node'

/** What differs from a usual run: variables, a command before Node, Node itself, busy loops beside it. */
const CONDITIONS = {
  'a clock 20 times as fast': { env: { GRADUS_CLOCK: 'fast' } },
  'a clock that jumps, in another order': { env: { GRADUS_CLOCK: 'jumps', GRADUS_ORDER: '1' }, isShort: true },
  'a clock 20 times as slow': { env: { GRADUS_CLOCK: 'slow' } },
  'a second order': { env: { GRADUS_ORDER: '2' } },
  'a third order': { env: { GRADUS_ORDER: '3' } },
  'one core': { before: ['taskset', '-c', '0'] },
  'eight busy loops': { loops: 8 },
  'no AVX2': { env: { GRADUS_NODE_FLAGS: '--no-enable-avx2' } },
  'no FMA': { env: { GRADUS_NODE_FLAGS: '--no-enable-fma3' } },
  'Node 24': { node: NODE24 },
  ...Object.fromEntries(ZONES.map((zone) => [zone, { env: { TZ: zone } }])),
}

const { values, positionals } = parseArgs({ options: { short: { type: 'boolean' } }, allowPositionals: true })
const names = Object.keys(CONDITIONS).filter((name) =>
  positionals.length > 0 ? positionals.includes(name) : !values.short || CONDITIONS[name].isShort,
)

/** Runs the unit tests. @returns the names of those that passed */
function passedTests(name, { env = {}, before = [], node = process.execPath, loops = 0 }) {
  const report = path.resolve('.cache/steady.json')
  const busy = Array.from({ length: loops }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }))
  const [command, ...rest] = [...before, node, VITEST, 'run', '--reporter=json', `--outputFile.json=${report}`]
  const began = performance.now()
  try {
    spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env, GRADUS_TIER: 'unit' } })
  } finally {
    for (const loop of busy) loop.kill()
  }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const times = new Map()
  const tests = testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults.map(({ fullName, status }) => ({ name: numbered(`${path.relative('', file)}: ${fullName}`, times), status })),
  )
  const failed = tests.filter(({ status }) => status === 'failed')
  for (const test of failed) console.log(`  failed: ${test.name}`)
  const passed = new Set(tests.filter(({ status }) => status === 'passed').map((test) => test.name))
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`${name}: ${passed.size} passed, ${failed.length} failed, ${seconds} s`)
  return { passed, failed: failed.length }
}

/** A name that stands for one test alone: the second test of the same name is number 2. */
function numbered(name, times) {
  const time = (times.get(name) ?? 0) + 1
  times.set(name, time)
  return time === 1 ? name : `${name} (${time})`
}

let unsteady = 0
if (values.short) for (const name of names) unsteady += passedTests(name, CONDITIONS[name]).failed
else compare(passedTests(`as usual, Node ${process.versions.node}, ${os.cpus().length} cores`, {}).passed)
console.log(`${names.length} conditions, ${unsteady} unsteady tests`)
process.exitCode = unsteady > 0 ? 1 : 0

function compare(usual) {
  for (const name of names) {
    if (CONDITIONS[name].node && !existsSync(CONDITIONS[name].node)) {
      console.log(`${name}: left out, ${CONDITIONS[name].node} is not there`)
      continue
    }
    const { passed } = passedTests(name, CONDITIONS[name])
    const differing = [...[...usual].filter((test) => !passed.has(test)), ...[...passed].filter((test) => !usual.has(test))]
    unsteady += differing.length
    for (const test of differing.slice(0, SHOWN)) console.log(`  only ${usual.has(test) ? 'as usual' : name}: ${test}`)
    if (differing.length > SHOWN) console.log(`  and ${differing.length - SHOWN} more`)
  }
}
