/** Every runtime that the package is run in: where it is, how it runs the program, and what has to come out. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { BROWSERS, PAGES, visit } from './browser.mjs'
import { CACHE, run } from './consumer.mjs'

const FIXTURES = path.resolve('test/runtimes')
const tool = (...parts) => path.join(CACHE, 'runtimes/node_modules', ...parts)

/** What goes into the project folder. */
export const PROGRAMS = ['program.mjs', 'main.mjs', 'main.cjs', 'worker.mjs'].map((name) => path.join(FIXTURES, name))

const nodes = [
  ['Node 20', process.execPath],
  ['Node 22', path.resolve('node_modules/node/bin/node')],
  ['Node 24', tool('node-24/bin/node')],
  ['Node 26', tool('node-26/bin/node')],
]

/** Runs a program that prints its report as one line. */
const program = (command, args, env) => async (folder) => {
  const output = await run(command, args, { cwd: folder, env })
  return { reports: { '': JSON.parse(output) } }
}

/** `cheap`: takes a second or two, so `make test` runs it where it is installed. `variant`: what reproducible must choose. */
export const RUNTIMES = [
  ...nodes.flatMap(([title, command]) => [
    { title: `${title}, ESM`, file: command, cheap: true, run: program(command, ['main.mjs']) },
    { title: `${title}, CommonJS`, file: command, cheap: true, run: program(command, ['main.cjs']) },
  ]),
  {
    title: 'Deno',
    file: tool('@deno/linux-x64-glibc/deno'),
    cheap: true,
    // No permission is granted, and none is needed.
    run: program(tool('@deno/linux-x64-glibc/deno'), ['run', '--no-prompt', '--quiet', 'main.mjs'], { DENO_NO_UPDATE_CHECK: '1' }),
  },
  {
    title: 'Bun',
    file: tool('@oven/bun-linux-x64/bin/bun'),
    cheap: true,
    run: program(tool('@oven/bun-linux-x64/bin/bun'), ['run', 'main.mjs'], { DO_NOT_TRACK: '1' }),
  },
  { title: 'workerd', file: tool('@cloudflare/workerd-linux-64/bin/workerd'), cheap: false, run: runWorkerd },
  ...Object.entries(BROWSERS).map(([name, { title, command }]) => ({
    title,
    file: command,
    cheap: name === 'chromium',
    run: async (folder) => {
      const roots = { '/fixtures/': FIXTURES, '/gradus/': path.join(folder, 'node_modules/gradus/dist') }
      const pages = Object.entries(PAGES).map(([page, { csp }]) => ({ name: page, url: `/fixtures/page.html?page=${page}`, csp }))
      return { reports: await visit(name, pages, roots) }
    },
  })),
]

export const isInstalled = (runtime) => existsSync(runtime.file)

/** As a user deploys: wrangler bundles (it sets the export conditions), workerd serves what came out. */
async function runWorkerd(folder) {
  const out = path.join(folder, 'deployed')
  const config = { name: 'gradus-smoke', main: 'worker.mjs', compatibility_date: '2026-01-01' }
  writeFileSync(path.join(folder, 'wrangler.json'), JSON.stringify(config))
  const wrangler = tool('wrangler/bin/wrangler.js')
  const env = { WRANGLER_SEND_METRICS: 'false', CI: 'true', WRANGLER_LOG_PATH: folder, HOME: folder }
  await run(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', out], { cwd: folder, timeout: 120_000, env })
  const main = readFileSync(path.join(out, 'worker.js'), 'utf8')
  const modules = [...new Set([...main.matchAll(/from ["']\.\/([^"']+\.wasm)["']/g)].map((match) => match[1]))]
  const port = 20_000 + (process.pid % 20_000)
  writeFileSync(
    path.join(out, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [
    (name = "worker.js", esModule = embed "worker.js"),
    ${modules.map((name) => `(name = "${name}", wasm = embed "${name}")`).join(',\n    ')}
  ],
  compatibilityDate = "2026-01-01"
);
`,
  )
  const child = spawn(tool('@cloudflare/workerd-linux-64/bin/workerd'), ['serve', 'config.capnp'], { cwd: out, stdio: ['ignore', 'inherit', 'inherit'] })
  try {
    return { reports: { '': await fetchWhenUp(`http://127.0.0.1:${port}/`) }, note: `${modules.length} wasm module` }
  } finally {
    child.kill()
  }
}

async function fetchWhenUp(url) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await (await fetch(url)).json()
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** What is wrong with a report; an empty list if nothing is. `reference`: the report of the first runtime. */
export function faults(report, reference, page = '') {
  if (report.error) return [report.error]
  const blocked = page === 'csp-strict'
  const { chosen, fast, js, warnings } = report
  const wrong = []
  const want = (fine, text) => fine || wrong.push(text)
  want(chosen.variant === (blocked ? 'js' : 'simd'), `reproducible chose ${chosen.variant}`)
  want(blocked ? fast.variant === 'js' : fast.variant !== 'js', `load() chose ${fast.variant}`)
  for (const [name, run] of Object.entries({ chosen, fast, js })) {
    want(run.last < 0.25 * run.first, `${name}: the loss went from ${run.first} to ${run.last} only`)
    want(run.optimizer === 'Adam', `${name}: the optimizer calls itself ${run.optimizer}`)
  }
  want(report.repeats, 'the same seed gave other weights, or another seed the same')
  if (!blocked) want(chosen.hash === reference.chosen.hash, `weights ${chosen.hash}, elsewhere ${reference.chosen.hash}`)
  const expected = blocked ? ['wasm-unsafe-eval', 'reproducible: true'] : []
  const asExpected = warnings.length === expected.length && expected.every((word, i) => warnings[i].includes(word))
  want(asExpected, `warnings: ${JSON.stringify(warnings)}`)
  if (['worker', 'service-worker'].includes(page)) want(report.document === false, 'there is a document')
  return wrong
}
