/**
 * RELIABILITY.md from the tests: `make reliability`. Tests have the number of a fault in their name, "fault 17: …". This program runs them all, and
 * writes for each fault its tests, their number of cases and whether they passed. Faults without a test have their reason in
 * test/reliability/faults.json. `--last` uses the results of the last run of the tests, if only figures of fuzzing and of long runs are new.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FuzzResult } from './fuzz.js'
import { longResults } from './long-runs.js'

interface Fault {
  fault: string
  wanted?: string
  reason?: string
  /** Limits of the fault's tests. */
  limits?: string
  /** Tests whose names have no number. */
  tests?: { file: string; name: string }[]
}

interface Promised {
  promise: string
  faults: number[]
  limits: string
}

export const { faults, promises }: { faults: Record<string, Fault>; promises: Record<string, Promised> } = JSON.parse(
  readFileSync('test/reliability/faults.json', 'utf8'),
)

/** Tests of one name: cases of a table are counted together. */
interface Tried {
  file: string
  name: string
  passed: number
  failed: number
}

interface Report {
  testResults: { name: string; assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[]
}

/** Does not match "fault 16.3", which is a number of another list. */
const FAULT = 'fault (\\d+)(?!\\.?\\d)'
const NUMBER = new RegExp(`\\b${FAULT}`, 'g')
const QUOTED = new RegExp(`['"\`]${FAULT}`)

/** Files under test/ whose text speaks of a fault by number. */
function filesWithFaults(): string[] {
  const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'))
  const listed = new Set(Object.values(faults).flatMap(({ tests = [] }) => tests.map(({ file }) => file)))
  return files
    .map((file) => path.join('test', file).replaceAll('\\', '/'))
    .filter((file) => listed.has(file) || QUOTED.test(readFileSync(file, 'utf8')))
    .sort()
}

const OUT = path.resolve('.cache/reliability.json')

function run(files: readonly string[]): Report {
  mkdirSync('.cache', { recursive: true })
  const names = Object.values(faults).flatMap(({ tests = [] }) => tests.map(({ name }) => name))
  const pattern = [FAULT, ...names].join('|')
  const args = ['node_modules/vitest/vitest.mjs', 'run', ...files, '-t', pattern, '--reporter=json', `--outputFile=${OUT}`]
  const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (!existsSync(OUT)) throw new Error(`the tests did not run: ${stderr}`)
  return lastRun()
}

const lastRun = () => JSON.parse(readFileSync(OUT, 'utf8')) as Report

/** The tests by number of the fault. */
function triedBy(report: Report): Map<number, Tried[]> {
  const found = new Map<number, Tried[]>()
  // files come in the order in which they ended
  const results = [...report.testResults].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name: absolute, assertionResults } of results) {
    const file = path.relative(process.cwd(), absolute).replaceAll('\\', '/')
    for (const { ancestorTitles, title, status } of assertionResults) {
      if (status !== 'passed' && status !== 'failed') continue
      const titles = [...ancestorTitles, title]
      for (const [number, name] of namesIn(file, titles)) note(found, number, { file, name, status })
    }
  }
  return found
}

/** The titles of tests that contain the number of a fault or are listed for it, each with the number. */
function namesIn(file: string, titles: readonly string[]): [number, string][] {
  const listed = Object.entries(faults).flatMap(([number, { tests = [] }]) =>
    tests.filter((test) => test.file === file && titles.includes(test.name)).map(({ name }): [number, string] => [Number(number), name]),
  )
  const numbered = titles.flatMap((title) => [...title.matchAll(NUMBER)].map(([, number]): [number, string] => [Number(number), title]))
  return [...numbered, ...listed]
}

function note(found: Map<number, Tried[]>, number: number, { file, name, status }: { file: string; name: string; status: string }): void {
  const of = found.get(number) ?? []
  found.set(number, of)
  let tried = of.find((other) => other.file === file && other.name === name)
  if (!tried) of.push((tried = { file, name, passed: 0, failed: 0 }))
  if (status === 'passed') tried.passed++
  else tried.failed++
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

/** Largest number of test names per fault; the rest are counted. */
const MAX_NAMES = 6

function faultRow(number: number, tried: readonly Tried[]): string {
  const { fault, wanted, reason, limits } = faults[number]
  const names = tried.slice(0, MAX_NAMES).map(({ file, name }) => `\`${file}\`: ${cell(name)}`)
  if (tried.length > MAX_NAMES) names.push(`and ${tried.length - MAX_NAMES} more`)
  const [passed, failed] = [tried.reduce((sum, one) => sum + one.passed, 0), tried.reduce((sum, one) => sum + one.failed, 0)]
  const result = tried.length === 0 ? '–' : failed > 0 ? `**${failed} of ${passed + failed} fail**` : `${passed} of ${passed}`
  const how = [...names, ...(reason && tried.length === 0 ? [cell(reason)] : []), ...(limits ? [cell(limits)] : [])].join('<br>')
  return `| ${number} | ${cell(fault)} | ${cell(wanted ?? '')} | ${how} | ${result} |`
}

function promiseRow([name, { promise, faults: numbers, limits }]: [string, Promised], tried: Map<number, Tried[]>): string {
  const all = numbers.flatMap((number) => tried.get(number) ?? [])
  const [passed, failed] = [all.reduce((sum, one) => sum + one.passed, 0), all.reduce((sum, one) => sum + one.failed, 0)]
  return `| ${name} | ${promise} | ${numbers.join(', ')} | ${passed} of ${passed + failed} | ${cell(limits)} |`
}

function fuzzRows(): string[] {
  const results: Record<string, FuzzResult> = JSON.parse(readFileSync('test/fuzz/results.json', 'utf8'))
  return Object.entries(results).map(([name, one]) => {
    const { executions, corpus, branches, findings, slowestMilliseconds, date } = one
    return `| ${name} | ${executions.toLocaleString('en-US')} | ${branches} | ${corpus} | ${findings} | ${slowestMilliseconds} ms | ${date} |`
  })
}

function longRows(): string[] {
  return Object.entries(longResults()).map(
    ([name, { what, figure, passed, minutes, node, date }]) =>
      `| \`${name}\` | ${cell(what)} | ${figure} | ${passed ? 'holds' : '**fails**'} | ${minutes} | ${node} | ${date} |`,
  )
}

/** One run: the places drawn, those that a test noticed before, and with the tests that were written for the others. */
interface Mutants {
  drawn: number
  killed: number
  then: number
  equivalent: number
  seed: number
  date: string
}

function mutantRows(): string[] {
  const runs: Record<string, Mutants[]> = JSON.parse(readFileSync('test/reliability/mutants.json', 'utf8'))
  const share = (killed: number, of: number) => `${killed} of ${of}, ${((100 * killed) / of).toFixed(1)} %`
  return Object.entries(runs).flatMap(([folder, ofFolder]) =>
    ofFolder.map(({ drawn, killed, then, equivalent, seed, date }) => {
      const of = drawn - equivalent
      return `| \`${folder}\` | ${drawn} | ${equivalent} | ${share(killed, of)} | ${share(then, of)} | ${seed} | ${date} |`
    }),
  )
}

function page(tried: Map<number, Tried[]>): string {
  const numbers = Object.keys(faults).map(Number)
  return `# Reliability

What gradus promises when things go wrong, and the test of each promise. \`make reliability\` writes this page from a run of the tests: do
not edit it. Tests carry the number of their fault in their name, so that \`grep -rn "fault 17" test\` finds them.

## Promises

| | promise | faults | cases that pass | limits |
|---|---|---|---:|---|
${Object.entries(promises)
  .map((entry) => promiseRow(entry, tried))
  .join('\n')}

## Faults

| | what goes wrong | what should come of it | tests, or why there is none | cases |
|---:|---|---|---|---:|
${numbers.map((number) => faultRow(number, tried.get(number) ?? [])).join('\n')}

## Fuzzing

\`make fuzz\` mutates inputs of each parser, guided by the branches that they reach; inputs that reached something new are in
\`test/fuzz-corpus\`, and the suite replays them. A finding is anything but an answer or an error of ours.

| parser | executions | branches | corpus | findings | slowest input | date |
|---|---:|---:|---:|---:|---:|---|
${fuzzRows().join('\n')}

## Mutants

\`make mutants\` changes the source in places at random, one at a time, such as + to −, and looks whether a test of its folder fails. Survivors that make no
difference are in \`test/tools/equivalent-mutants.json\` with the reason; each of the others got a test. The share that failed a test before stands for all
places of a folder, as far as so few can; another seed asks again.

| | places | without effect | failed a test before | with the tests written since | seed | date |
|---|---:|---:|---:|---:|---:|---|
${mutantRows().join('\n')}

## Long runs

What takes too long for the suite, which has a short form of each: \`make long-runs\`, or one of them by \`make long-runs ONLY=server\`.

| | what | passed | | minutes | Node | date |
|---|---|---:|---|---:|---|---|
${longRows().join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tried = triedBy(process.argv.includes('--last') ? lastRun() : run(filesWithFaults()))
  writeFileSync('RELIABILITY.md', page(tried))
  const failed = [...tried.values()].flat().filter((one) => one.failed > 0)
  for (const { file, name } of failed) process.stdout.write(`failed: ${file}: ${name}\n`)
  process.stdout.write(`RELIABILITY.md: ${tried.size} of ${Object.keys(faults).length} faults are tried by tests\n`)
  process.exitCode = failed.length > 0 ? 1 : 0
}
