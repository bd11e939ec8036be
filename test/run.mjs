/**
 * Runs every suite, some beside each other, and closes with the failed tests, one line each, and `N passed, M failed`.
 * A suite that dies without naming a failed test counts as one failure. Exit code 1 unless everything passed.
 * A failed test is a failure, also where it passes the second time: no outcome may depend on the load of the machine.
 *
 *   node test/run.mjs                       all suites with all files
 *   node test/run.mjs --tier unit           the files of a tier (test/tiers.json)
 *   node test/run.mjs cargo vitest
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { failedInCargo, failedInVitest, lineOf, uncaughtInVitest } from './tools/failed-tests.mjs'
import { WITHOUT_CANARIES } from './tools/without-canaries.mjs'

/** A suite that hangs is stopped and fails. */
const SUITE_TIMEOUT = 60 * 60_000
const VITEST = 'node_modules/vitest/vitest.mjs'
const suites = {
  cargo: { title: 'cargo test', run: cargo },
  // every block of memory between canaries: test/tools/canaries.ts
  vitest: {
    title: `vitest on Node ${process.versions.node}`,
    run: (show) => vitest(show, 'vitest', [], { GRADUS_CANARIES: '1' }),
  },
  playground: { title: 'the playground in Chromium and Firefox', run: playground },
  // tests that canaries would disturb: bytes of garbage, and blocks that lie end to end
  plain: { title: 'vitest without canaries', run: (show) => vitest(show, 'plain', WITHOUT_CANARIES) },
}
/**
 * Suites that run at the same time as all others. The playground mostly waits for browsers, and the others stand back: a browser that has to share two
 * cores with two workers of vitest takes three times as long, while they lose little by its short turns. The compiler of cargo is often on one core.
 */
const BESIDE = ['playground', 'cargo']

async function cargo(show) {
  const { code, output } = await run(show, 'cargo', ['test', '--quiet'])
  const lines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)]
  return { code, passed: sum(lines.map((l) => Number(l[1]))), failed: sum(lines.map((l) => Number(l[2]))), named: failedInCargo(output) }
}

async function vitest(show, name, options, env = {}) {
  const report = path.resolve(`.cache/vitest-${name}.json`)
  mkdirSync('.cache', { recursive: true })
  rmSync(report, { force: true })
  const reporters = [`--reporter=${path.resolve('test/tools/reporter.mjs')}`, '--reporter=json', `--outputFile.json=${report}`]
  const { code, output, errors } = await run(show, process.execPath, [VITEST, 'run', ...options, ...reporters], env)
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'))
    const named = [...failedInVitest(result), ...uncaughtInVitest(output + errors)]
    return { code, passed: result.numPassedTests, failed: named.length, named }
  } catch {
    return { code: code || 1, passed: 0, failed: 0, named: [] }
  }
}

/** Tests the playground in Debian's browsers; a machine that has none and cannot install them leaves these tests out. */
async function playground(show) {
  if (!existsSync('/usr/bin/chromium') && !existsSync('/usr/bin/apt-get')) {
    show('left out: there is no /usr/bin/chromium\n')
    return { code: 0, passed: 0, failed: 0, named: [], isLeftOut: true }
  }
  return vitest(show, 'playground', ['--root', 'playground'])
}

/** Runs a command, shows its output as it comes, and keeps what it wrote to stdout and to stderr. */
function run(show, command, args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: SUITE_TIMEOUT, env: { ...process.env, ...env } })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk) => {
      output += chunk
      show(chunk)
    })
    child.stderr.on('data', (chunk) => {
      errors += chunk
      show(chunk)
    })
    child.on('error', (error) => {
      show(`${command}: ${error.message}\n`)
      resolve({ code: 1, output, errors })
    })
    child.on('close', (code) => resolve({ code: code ?? 1, output, errors }))
  })
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)

const { values, positionals } = parseArgs({ options: { tier: { type: 'string' } }, allowPositionals: true })
if (values.tier !== undefined) process.env.GRADUS_TIER = values.tier
/** Tests of Rust, and those without canaries, need nothing. */
const suitesOf = (tier) => Object.keys(suites).filter((name) => tier !== 'external' || name === 'vitest' || name === 'playground')
const wanted = positionals.length > 0 ? positionals : suitesOf(values.tier)
for (const name of wanted) if (!suites[name]) throw new Error(`no suite '${name}'; there are ${Object.keys(suites).join(', ')}`)
const results = {}

async function runSuite(name, show) {
  const { title, run } = suites[name]
  show(`\n── ${title}\n`)
  const start = performance.now()
  const result = await run(show)
  if ((result.code !== 0 && result.failed === 0) || (!result.isLeftOut && result.passed + result.failed === 0)) {
    result.named.push({ place: title, message: `exit code ${result.code}, ${result.passed} tests passed; counted as a failure` })
    result.failed += 1
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  results[name] = { ...result, line: `${title}: ${result.passed} of ${result.passed + result.failed} in ${seconds} s` }
}

/** Shows the output of a suite when it is over, so that it is in one piece. */
async function runBeside(name) {
  const shown = []
  await runSuite(name, (text) => void shown.push(text))
  for (const text of shown) process.stdout.write(text)
}

const beside = []
for (const name of BESIDE) {
  if (!wanted.includes(name)) continue
  beside.push(runBeside(name))
  // what this process starts from now on inherits its priority
  os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)
}
for (const name of wanted) if (!BESIDE.includes(name)) await runSuite(name, (text) => void process.stdout.write(text))
await Promise.all(beside)

const all = wanted.map((name) => results[name])
const [passed, failed] = ['passed', 'failed'].map((key) => sum(all.map((result) => result[key])))
const failures = all.flatMap(({ named }) => named)
const summary = all.map(({ line }) => line)
console.log(`\n${summary.join('\n')}`)
const list = (tests) => tests.map((test) => `  ${lineOf(test)}\n`).join('')
if (failures.length > 0) console.log(`\nfailed:\n${list(failures)}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
