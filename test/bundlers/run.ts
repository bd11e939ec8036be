/**
 * Builds small apps from the installed tarball with every bundler's defaults, runs them in Chromium and, bundled into one file, in
 * Node, and prints their sizes:
 *
 *   make bundlers, or: node node_modules/tsx/dist/cli.mjs test/bundlers/run.ts [--only WORD] [--package FOLDER]
 *
 * The bundlers come from the package registry into .cache/bundlers. Sizes are compared with test/budgets.json.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { SHARING } from '../../ts/build/entries.js'
import { visit } from '../runtimes/browser.js'
import { installTools, makeProject, run } from '../runtimes/consumer.js'
import { failure, faults, type Report } from '../runtimes/report.js'
import { PROGRAMS, RUNTIMES } from '../runtimes/runtimes.js'
import { BUNDLERS, coreSizes, gzipped, scriptsOf } from './bundlers.js'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, package: { type: 'string', default: '.' } } })
installTools('bundlers', 'test/bundlers')
const budgets = JSON.parse(readFileSync('test/budgets.json', 'utf8'))
const entries = ['app.mjs', 'sgd.mjs', 'index.html'].map((name) => path.resolve('test/bundlers', name))
const project = makeProject(path.resolve(values.package), [...PROGRAMS, ...entries])
const all = ['gradus', ...SHARING.map((name) => `gradus/${name}`)]
const everything =
  all.map((entry, i) => `import * as entry${i} from '${entry}'\n`).join('') +
  `globalThis.gradusParts = [${all.map((_, i) => `entry${i}`)}]\n`
writeFileSync(path.join(project.folder, 'core.mjs'), everything)
const wrong: string[] = []
try {
  const reference = (await RUNTIMES[0].run(project.folder))['']
  const built = []
  for (const [name, build] of Object.entries(BUNDLERS)) {
    if (!name.toLowerCase().includes(values.only.toLowerCase())) continue
    const app = await build(project.folder, 'app.mjs')
    const sgd = gzipped(scriptsOf(await build(project.folder, 'sgd.mjs')))
    const core = coreSizes(scriptsOf(await build(project.folder, 'core.mjs')))
    built.push({ name, app, sgd, core })
    const limit = budgets.optimizerAlone
    if (sgd > limit.budget * 1.1)
      wrong.push(`${name}: one optimizer takes ${sgd} bytes, more than a tenth above the budget of ${limit.budget}`)
  }
  const roots = Object.fromEntries(built.map(({ name, app }) => [`/${name}/`, app]))
  const pages = built.map(({ name }) => ({ name, url: `/${name}/index.html?page=${name}`, isolated: true }))
  const inBrowser = await visit('chromium', pages, roots)
  for (const { name, app, sgd, core } of built) {
    const found = faults(inBrowser[name], reference)
    wrong.push(...found.map((fault) => `${name}, in Chromium: ${fault}`))
    console.log(
      `${name.padEnd(8)}  app ${gzipped(scriptsOf(app))}  core ${core.whole} (script ${core.script})  SGD ${sgd}  ` +
        `Chromium ${found.length === 0 ? 'ok' : 'FAILS'} ${inBrowser[name].chosen?.hash ?? ''}`,
    )
  }
  await runMoved(project.folder, reference)
} finally {
  project.remove()
}
for (const fault of wrong) console.error(fault)
process.exitCode = wrong.length > 0 ? 1 : 0

/** Bundles into a single file and moves it to a folder without packages, as serverless functions and container images are made. */
async function runMoved(folder: string, reference: Report): Promise<void> {
  for (const name of ['esbuild', 'Rollup', 'webpack']) {
    if (!name.toLowerCase().includes(values.only.toLowerCase())) continue
    const out = await BUNDLERS[name](folder, 'main.mjs')
    const away = path.join(path.dirname(folder), 'away')
    mkdirSync(away, { recursive: true })
    const file = path.join(away, `${name}.mjs`)
    renameSync(path.join(out, 'main.js'), file)
    const report: Report = await run(process.execPath, [file], { cwd: away }).then(JSON.parse, failure)
    const found = faults(report, reference)
    wrong.push(...found.map((fault) => `${name}, one file in Node: ${fault}`))
    console.log(`${name.padEnd(8)}  one file in Node ${found.length === 0 ? 'ok' : 'FAILS'} ${report.chosen?.hash ?? ''}`)
    rmSync(away, { recursive: true, force: true })
  }
}
