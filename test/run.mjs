/**
 * Runs every suite, some beside each other, and closes with the failed tests, one line each, and `N passed, M failed`.
 * A suite that dies without naming a failed test counts as one failure. Exit code 1 unless everything passed.
 * If a few tests of vitest fail, their files run once more, alone: a server that was slow to start on a busy machine is not a fault of the code. A
 * test that fails only the first time is listed as unsteady, so that somebody looks at it.
 *
 *   node test/run.mjs             all suites
 *   node test/run.mjs cargo vitest
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { failedInCargo, failedInVitest, lineOf, uncaughtInVitest, unsteady } from './tools/failed-tests.mjs'
import { WITHOUT_CANARIES } from './tools/without-canaries.mjs'

/** A suite that hangs is stopped and fails. */
const SUITE_TIMEOUT = 60 * 60_000
/** If more tests fail than this, something is broken, and a second try would only cost time. */
const SECOND_TRY = 10
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
  const first = await vitestOnce(show, name, options, env)
  if (first.named.length === 0 || first.named.length > SECOND_TRY) return first
  const files = [...new Set(first.named.map(({ file }) => file))]
  show(`\n── once more, alone: ${files.join(', ')}\n`)
  const second = await vitestOnce(show, `${name}-again`, [...options, ...files], env)
  if (second.passed === 0 || (second.code !== 0 && second.named.length === 0)) return first
  return { ...second, passed: first.passed + first.failed - second.failed, unsteady: unsteady(first.named, second.named) }
}

async function vitestOnce(show, name, options, env) {
  const report = path.resolve(`.cache/vitest-${name}.json`)
  mkdirSync('.cache', { recursive: true })
  rmSync(report, { force: true })
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
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

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(suites)
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
const unsteadyTests = all.flatMap(({ unsteady = [] }) => unsteady)
const summary = all.map(({ line }) => line)
console.log(`\n${summary.join('\n')}`)
const list = (tests) => tests.map((test) => `  ${lineOf(test)}\n`).join('')
if (unsteadyTests.length > 0) console.log(`\nfailed once, passed alone; look at them:\n${list(unsteadyTests)}`)
if (failures.length > 0) console.log(`\nfailed:\n${list(failures)}`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 ? 1 : 0
