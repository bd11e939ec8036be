/** No test is skipped unnoticed: each condition in test/ and playground/test/ under which tests are skipped is listed here with the target that runs them. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** The machines of the targets in CI, with their requirements. */
const MACHINE = 'test' // on Linux with an x86 processor that has AVX2, WebAssembly with SIMD, and two cores
const BROWSERS = 'browsers' // `make test` begins with it
const SERVERS = 'queue-proof' // Redis and PostgreSQL are found or unpacked; the suite runs these tests where that works

/** File, condition, and targets; at least one of the targets runs the tests that depend on the condition. */
const CONDITIONS: readonly [file: string, condition: string, target: string][] = [
  ['playground/test/playground.test.ts', "name === 'chromium' || NIGHTLY", 'nightly-suite'],
  ['playground/test/smoke.test.ts', "existsSync('/usr/bin/chromium')", BROWSERS],
  ['test/backend/threads/threads.test.ts', "!process.platform !== 'linux'", MACHINE],
  ['test/backend/wasm/tiles.test.ts', '!supportedVariants().length === 0', MACHINE],
  ['test/backend/wasm/widen.test.ts', '!!hasAvx2', MACHINE],
  ['test/bench/page.test.ts', '!!existsSync(BROWSERS.chromium.command)', BROWSERS],
  ['test/build/runtimes.test.ts', '!!existsSync(BROWSERS[browser].command)', BROWSERS],
  ['test/build/runtimes.test.ts', '!!isInstalled(deno)', 'runtimes'],
  ['test/build/runtimes.test.ts', '!!isInstalled(named(title))', 'runtimes'],
  ['test/build/runtimes.test.ts', '!!isInstalled(runtime)', 'runtimes'],
  ['test/cli/commands/tune.test.ts', 'program', SERVERS],
  ['test/docs/benchmarks.test.ts', 'FIGURES', 'figures-check'],
  ['test/docs/guides.test.ts', 'GRADUS_FIGURES', 'figures-check'],
  ['test/docs/projects.test.ts', "!EXAMPLES !== 'all' && !files.every(existsSync)", 'examples'],
  ['test/docs/readme.test.ts', 'GRADUS_FIGURES', 'figures-check'],
  ['test/files/disk-files.test.ts', "process.platform !== 'win32'", MACHINE],
  ['test/images/page.test.ts', '!!existsSync(BROWSERS.chromium.command)', BROWSERS],
  ['test/reliability/canaries.test.ts', 'GRADUS_CANARIES', 'test'],
  ['test/reliability/denormals.test.ts', 'NIGHTLY || GRADUS_STRICT', 'nightly'],
  ['test/train/fleet/fleet.test.ts', 'WIDEN', 'fleet-proof'],
  ['test/train/fleet/fleet.test.ts', 'threaded[0]?.threads === 2', MACHINE],
  ['test/train/fleet/fleet.test.ts', 'variants.length > 0', MACHINE],
  ['test/tune/queue/edges.test.ts', 'program', SERVERS],
  ['test/tune/queue/hostile.test.ts', 'server', SERVERS],
  ['test/tune/queue/queue.test.ts', 'folder', SERVERS],
  ['test/tune/queue/queue.test.ts', 'server', SERVERS],
  ['test/tune/storage/lost.test.ts', 'program', SERVERS],
  ['test/tune/storage/lost.test.ts', 'programs', SERVERS],
  ['test/tune/storage/optuna.test.ts', 'existsSync(PYTHON)', 'optuna-proof'],
]

const files = ['test', 'playground/test']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file.replaceAll('\\', '/')}`))
  .filter((file) => file.endsWith('.test.ts') && file !== 'test/build/skips.test.ts')
const CALL = /\b(?:test|describe|it)(?:\.\w+)*\.(skipIf|runIf)\(((?:[^()]|\([^()]*\))*(?:\((?:[^()]|\([^()]*\))*\))?)\)/g

test('each condition is listed, with the target that runs it', () => {
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(CALL)].map(
      ([, kind, condition]) => `${file}: ${kind === 'skipIf' ? '!' : ''}${condition.replaceAll('process.env.', '')}`,
    ),
  )
  expect([...new Set(found)].sort()).toEqual(CONDITIONS.map(([file, condition]) => `${file}: ${condition}`).sort())
})

test('the targets are there', () => {
  const makefile = readFileSync('Makefile', 'utf8')
  for (const [, , target] of CONDITIONS) expect(makefile, target).toMatch(new RegExp(`^${target}:`, 'm'))
})

test('nothing is left out for good, and no file runs one of its tests alone', () => {
  const wrong = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^\s*(?:test|describe|it)(?:\.\w+)*\.(?:skip|only|todo|fails)\b(?!If).*/gm)].map(
      ([line]) => `${file}: ${line}`,
    ),
  )
  expect(wrong).toEqual([])
})
