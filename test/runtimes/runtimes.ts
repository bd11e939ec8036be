/** Every runtime in which the package is tested: its path, and how it runs the program. */
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { BROWSERS, type BrowserName, PAGES, visit } from './browser.js'
import { CACHE, run } from './consumer.js'
import { type Expected, FULL, type Report } from './report.js'
import { WORKERD, withWorker } from './workerd.js'

const FIXTURES = path.resolve('test/runtimes')
const tool = (...parts: string[]) => path.join(CACHE, 'runtimes/node_modules', ...parts)

/** Files for the project folder. */
export const PROGRAMS = [
  'program.mjs',
  'main.mjs',
  'main.cjs',
  'worker.mjs',
  'resume.mjs',
  'resume-main.mjs',
  'stream.mjs',
  'stream-main.mjs',
].map((name) => path.join(FIXTURES, name))

const nodes: readonly [title: string, command: string][] = [
  ['Node 22', path.resolve('node_modules/node/bin/node')],
  // The oldest that package.json names as enough.
  ['Node 22.13', tool('node-22-first/bin/node')],
  // the only one that `make test` needs
  ['Node 24', path.join(CACHE, 'node-24/node_modules/node-24/bin/node')],
  ['Node 26', tool('node-26/bin/node')],
]

/** Runs a program that prints its report as one line. */
const program = (command: string, args: string[], env?: Record<string, string>) => async (folder: string) => ({
  '': JSON.parse(await run(command, args, { cwd: folder, env })) as Report,
})

export interface Runtime {
  title: string
  /** Path of the program; the runtime is installed if the file exists. */
  file: string
  /** True if it takes only a second or two, so that `make test` runs it if it is installed. */
  cheap: boolean
  /** Expectation for a runtime without pages. */
  expected: Expected
  /** Reports by page; a runtime without pages has one, ''. */
  run(folder: string): Promise<Record<string, Report>>
}

export const RUNTIMES: readonly Runtime[] = [
  ...nodes.flatMap(([title, command]) => [
    { title: `${title}, ESM`, file: command, cheap: true, expected: FULL, run: program(command, ['main.mjs']) },
    { title: `${title}, CommonJS`, file: command, cheap: true, expected: FULL, run: program(command, ['main.cjs']) },
  ]),
  {
    title: 'Deno',
    file: tool('@deno/linux-x64-glibc/deno'),
    cheap: true,
    expected: FULL,
    // No permission is granted, and none is needed.
    run: program(tool('@deno/linux-x64-glibc/deno'), ['run', '--no-prompt', '--quiet', 'main.mjs'], { DENO_NO_UPDATE_CHECK: '1' }),
  },
  {
    title: 'Bun',
    file: tool('@oven/bun-linux-x64/bin/bun'),
    cheap: true,
    expected: FULL,
    run: program(tool('@oven/bun-linux-x64/bin/bun'), ['run', 'main.mjs'], { DO_NOT_TRACK: '1' }),
  },
  {
    title: 'workerd',
    file: WORKERD,
    cheap: false,
    expected: { threads: 'one', warnings: ['one thread is used'] },
    run: runWorkerd,
  },
  ...(Object.keys(BROWSERS) as BrowserName[]).map((name) => ({
    title: BROWSERS[name].title,
    file: BROWSERS[name].command,
    cheap: name === 'chromium',
    expected: FULL,
    run: async (folder: string) => {
      const roots = { '/fixtures/': FIXTURES, '/gradus/': path.join(folder, 'node_modules/gradus/dist') }
      const pages = Object.entries(PAGES).map(([page, how]) => ({ name: page, url: `/fixtures/page.html?page=${page}`, ...how }))
      return visit(name, pages, roots)
    },
  })),
]

/** Expectation for a report of that page. */
export const expectedOf = (runtime: Runtime, page: string): Expected => PAGES[page]?.expected ?? runtime.expected

export const isInstalled = (runtime: Runtime) => existsSync(runtime.file)

async function runWorkerd(folder: string): Promise<Record<string, Report>> {
  const config = { name: 'gradus-smoke', main: 'worker.mjs', compatibility_date: '2026-01-01' }
  writeFileSync(path.join(folder, 'wrangler.json'), JSON.stringify(config))
  return { '': await withWorker(folder, async (home) => (await (await fetch(home)).json()) as Report) }
}
