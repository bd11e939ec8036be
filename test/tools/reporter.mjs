/**
 * The reporter of `make test`: a line for each folder when its last file has ended, with its CPU seconds; a failed test at once with the command that
 * repeats it; and at the end the slowest files, the skipped tests with the targets that run them, and folders that take more CPU time than
 * test/budgets.json says.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

const SLOWEST = 20
const { conditions } = JSON.parse(readFileSync(new URL('../skips.json', import.meta.url), 'utf8'))
const { cpuSeconds: budget } = JSON.parse(readFileSync(new URL('../budgets.json', import.meta.url), 'utf8'))

export default class FolderReporter {
  /** For each folder: files that have not ended, tests that passed and failed, milliseconds. */
  folders = new Map()
  files = []
  skipped = new Map()
  root = process.cwd()

  onInit({ config }) {
    this.root = config.root
  }

  onTestRunStart(specifications) {
    for (const { moduleId } of specifications) this.folderOf(moduleId).left++
  }

  onTestModuleEnd(module) {
    const folder = this.folderOf(module.moduleId)
    const { duration } = module.diagnostic()
    this.files.push({ file: this.nameOf(module.moduleId), duration })
    folder.files++
    folder.cpu += module.meta().cpuSeconds ?? 0
    for (const error of module.errors()) this.fail(this.nameOf(module.moduleId), undefined, error)
    for (const test of module.children.allTests()) {
      const { state, errors } = test.result()
      folder[state]++
      if (state === 'skipped') this.skipped.set(module.moduleId, (this.skipped.get(module.moduleId) ?? 0) + 1)
      if (state === 'failed') this.fail(this.nameOf(module.moduleId), test.fullName, errors?.[0])
    }
    if (--folder.left > 0) return
    const { files, passed, failed, skipped, cpu } = folder
    const counts = [`${passed} passed`, ...(failed ? [`${failed} FAILED`] : []), ...(skipped ? [`${skipped} skipped`] : [])].join(', ')
    console.log(`  ${folder.name.padEnd(28)} ${String(files).padStart(3)} files  ${cpu.toFixed(1).padStart(6)} CPU s  ${counts}`)
  }

  onTestRunEnd(_, errors) {
    // in the words of vitest's own reporter, which test/tools/failed-tests.mjs looks for
    for (const { type = 'Unhandled Error', stack, message, VITEST_TEST_PATH: file } of errors)
      console.log(
        `⎯⎯ ${type} ⎯⎯\n${stack ?? message}\n\nThis error originated in "${file ? this.nameOf(file) : 'an unknown'}" test file. It was not caught.\n`,
      )
    const slowest = this.files.sort((a, b) => b.duration - a.duration).slice(0, SLOWEST)
    console.log(
      `\n  the slowest files:\n${slowest.map(({ file, duration }) => `  ${(duration / 1000).toFixed(1).padStart(6)} s  ${file}`).join('\n')}`,
    )
    const skipped = [...this.skipped].map(
      ([moduleId, count]) => `${count} of ${this.nameOf(moduleId)} (${targetsOf(this.nameOf(moduleId))})`,
    )
    if (skipped.length > 0) console.log(`\n  skipped here, and run by the targets in brackets: ${skipped.join(', ')}`)
    const over = [...this.folders.values()].filter(({ name, cpu }) => cpu > 1.5 * (budget.folders[name] ?? Infinity))
    for (const { name, cpu } of over)
      console.log(`  ${name}: ${cpu.toFixed(1)} CPU seconds, ${budget.folders[name]} in test/budgets.json (on ${budget.machine})`)
  }

  fail(file, name, error) {
    const option = name === undefined ? '' : ` -t ${quoted(name)}`
    const root = path.relative(process.cwd(), this.root)
    const where = root === '' ? '' : ` --root ${root}`
    console.log(`\nFAILED ${file}${name === undefined ? '' : `: ${name}`}`)
    console.log(String(error?.stack ?? error?.message ?? 'no error was given').replace(/^/gm, '  '))
    if (error?.diff) console.log(error.diff.replace(/^/gm, '  '))
    console.log(`  again: node node_modules/vitest/vitest.mjs run${where} ${file}${option}\n`)
  }

  nameOf(moduleId) {
    return path.relative(this.root, moduleId).split(path.sep).join('/')
  }

  folderOf(moduleId) {
    const name = this.nameOf(moduleId).split('/').slice(0, -1).slice(0, 2).join('/')
    if (!this.folders.has(name)) this.folders.set(name, { name, left: 0, files: 0, cpu: 0, passed: 0, failed: 0, skipped: 0, pending: 0 })
    return this.folders.get(name)
  }
}

const targetsOf = (file) =>
  [...new Set(conditions.filter(([name]) => name.endsWith(file)).map(([, , target]) => `make ${target}`))].join(' or ')

/** A name as a pattern in single quotes of a shell. */
const quoted = (name) => `'${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "'\\''")}'`
