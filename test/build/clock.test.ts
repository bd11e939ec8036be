/** Measured time goes through ts/common/clock.ts, so that tests can replace the clock and show that time never changes a bit of a result. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { milliseconds, NIGHTLY } from '../tools/nightly.js'

const CLOCK = 'common/clock.ts'
const NIGHT = 'compares a time with `milliseconds(…)`, a limit of the night'

/** Files that read another clock, and why. A name that ends in / is a folder. */
const ALLOWED: Readonly<Record<string, string>> = {
  'cli/': 'is built apart from the library, and shows times; what it trains goes by the clock of the library',
  'backend/threads/worker.ts': 'is the program of another thread, and decides when that thread sleeps, never what it computes',
  'files/temporary-files.ts': 'compares the date of a file that was left behind with that of today',
  'tune/storage/file-lock.ts': 'compares the date of a lock file with that of today',
  'tune/queue/bullmq.ts': 'gives BullMQ the date from which a job that was handed back is there again',
  'tune/entries.ts': 'writes the date of an entry of a journal, which nothing is decided by',
}

/** `performance.now` and the like, called or not; `Date()`, `new Date()` of no argument. */
function readings(file: string, text: string): string[] {
  // most files need no parser
  if (!/\b(performance|Date|process|AbortSignal)\b/.test(text)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const isProperty =
      (ts.isPropertyAccessExpression(node) &&
        /^(performance|Date|process|AbortSignal)\.(now|hrtime|timeOrigin|uptime|timeout)$/.test(pathOf(node))) ||
      (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name) && node.initializer?.getText() === 'performance')
    const isDate =
      (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
      node.expression.getText() === 'Date' &&
      (ts.isCallExpression(node) || !node.arguments?.length)
    if (isProperty || isDate)
      found.push(`ts/${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} reads a clock: ${node.getText()}`)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `globalThis.performance.now` → `performance.now` */
const pathOf = (node: ts.PropertyAccessExpression) =>
  node
    .getText()
    .replace(/\s|\?/g, '')
    .replace(/^globalThis\./, '')

test('measured time goes through ts/common/clock.ts', () => {
  const files = readdirSync('ts', { recursive: true, encoding: 'utf8' })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => /(?<!\.d)\.ts$/.test(file) && file !== CLOCK && !file.includes('/generated/'))
  expect(files.length).toBeGreaterThan(200)
  const found = new Map(files.map((file) => [file, readings(file, readFileSync(path.join('ts', file), 'utf8'))]))
  const allowed = Object.keys(ALLOWED)
  const isAllowed = (file: string) => allowed.some((name) => file === name || (name.endsWith('/') && file.startsWith(name)))
  const wrong = [...found].flatMap(([file, lines]) => (isAllowed(file) ? [] : lines))
  expect(wrong, 'import { clock } from ts/common/clock.ts, or give the reason in ALLOWED of test/build/clock.test.ts').toEqual([])
  // true if an exception of the list is still needed
  const needed = (name: string) =>
    [...found].some(([file, lines]) => lines.length > 0 && (file === name || (name.endsWith('/') && file.startsWith(name))))
  expect(allowed.filter((name) => !needed(name))).toEqual([])
})

/** Tests and their tools that read a clock, the load or the number of cores, and why no outcome depends on it. A name that ends in / is a folder. */
const TESTS_ALLOWED: Readonly<Record<string, string>> = {
  'test/backend/threads/threads.test.ts': 'keeps one thread busy for a millisecond, again and again, until another one comes first',
  'test/cli/commands/tune.test.ts': NIGHT,
  'test/data/formats/hostile-columns.test.ts': NIGHT,
  'test/files/disk-files.test.ts': 'gives files the dates of old ones',
  'test/reliability/crash.test.ts': NIGHT,
  'test/reliability/denormals.test.ts': 'runs at night alone',
  'test/reliability/fuzz.test.ts': NIGHT,
  'test/reliability/hostile-files.test.ts': NIGHT,
  'test/reliability/many-fits.test.ts': 'limits time with GRADUS_STRICT alone, and works for a while until there is something to look at',
  'test/reliability/memory.test.ts': NIGHT,
  'test/reliability/tables.test.ts': NIGHT,
  'test/table/train-table.test.ts': 'takes a deadline that is over',
  'test/tune/samplers/constraint.test.ts': NIGHT,
  'test/tune/samplers/samplers.test.ts': NIGHT,
  'test/tune/storage/lost.test.ts': NIGHT,
  'playground/test/playground.test.ts': 'prints what it measures, and promises it at night',
}

test('no test outside of the list reads a clock, the load or the number of cores', () => {
  const files = ['test', 'playground/test']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file.split(path.sep).join('/')}`),
    )
    .filter((file) => file.endsWith('.test.ts') && file !== 'test/build/clock.test.ts')
  expect(files.length).toBeGreaterThan(200)
  const reads =
    /\b(performance\.now|Date\.now|process\.(hrtime|uptime)|monitorEventLoopDelay|loadavg|availableParallelism|cpus|cpuNow|cpuTime)\b(?! *:)/
  const found = files.filter((file) => reads.test(readFileSync(file, 'utf8').replace(/spyOn\(performance, 'now'\)/g, '')))
  expect(found.sort(), 'wait for an event, or replace the clock (test/tools/clocks.ts)').toEqual(Object.keys(TESTS_ALLOWED).sort())
})

test('a limit of time holds at night alone', () => {
  const files = Object.entries(TESTS_ALLOWED).filter(([, why]) => why === NIGHT)
  for (const [file] of files) expect(readFileSync(file, 'utf8'), file).toContain('milliseconds(')
  expect(milliseconds(5)).toBe(NIGHTLY ? 5 : Number.POSITIVE_INFINITY)
})

test.each([
  'performance.now()',
  'const { now } = performance',
  'globalThis.performance.now()',
  'const time = performance?.now',
  'Date.now()',
  'new Date()',
  'new Date',
  'Date()',
  'process.hrtime.bigint()',
  'AbortSignal.timeout(5)',
])('%s is found', (text) => {
  expect(readings('a.ts', text)).toHaveLength(1)
})

test.each(['clock.now()', 'new Date(days * 864e5)', 'stopwatch.now()'])('%s is none', (text) => {
  expect(readings('a.ts', text)).toEqual([])
})
