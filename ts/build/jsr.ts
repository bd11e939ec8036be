/**
 * Writes .cache/jsr, the package as JSR takes it: the built entries with a comment that names their types, declarations that import declarations by their
 * whole names, and jsr.json. `make jsr` writes it, and lets Deno check it (`deno publish --dry-run`), which needs no network.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ENTRIES } from './entries.js'

const FOLDER = '.cache/jsr'
const NAME = '@gradus/gradus'
/** Programs and the entry of Node alone, which JSR's users cannot import. */
const LEFT_OUT = /^(cli|command|node)\.js$/

/** `index`, `data`, …: the files of dist/ that are entries. */
const FILES = Object.keys(ENTRIES).map((name) => name.split('/')[1] ?? 'index')

/** The text of jsr.json. */
function config({ version }: { version: string }): string {
  const entries = Object.fromEntries(FILES.map((name) => [name === 'index' ? '.' : `./${name}`, `./dist/${name}.js`]))
  return `${JSON.stringify({ name: NAME, version, license: 'MIT', exports: entries, publish: { include: ['dist', 'LICENSE', 'README.md'] } }, null, 2)}\n`
}

/**
 * A file of dist/ as JSR requires it: without imports of the package by its own name, without declarations that refer to a missing script, and without
 * the type of a page's elements, which Deno does not know and JSR lets nobody refer to.
 */
function adapted(file: string, text: string): string {
  if (file.endsWith('.d.ts'))
    return text.replace(/(from |import |import\()'(\.\/[^']+)\.js'/g, "$1'$2.d.ts'").replace(/\bHTMLElement\b/g, 'object')
  const self = text
    .replace(/(from |import |import\()(["'])gradus(\/\w+)?\2/g, (_, how, quote, entry) => `${how}${quote}.${entry ?? '/index'}.js${quote}`)
    // removes types that refer to a bundled library
    .replace(/\/\*\* @type \{[^}]*import\([^}]*\} \*\//g, '')
  const name = file.slice(0, -'.js'.length)
  return FILES.includes(name) ? `/* @ts-self-types="./${name}.d.ts" */\n${self}` : self
}

/** Writes a file of dist/, and the modules without imports that it takes from dist/modules, such as parsers. */
function copy(file: string): void {
  const text = adapted(file, readFileSync(path.join('dist', file), 'utf8'))
  const target = path.join(FOLDER, 'dist', file)
  mkdirSync(path.dirname(target), { recursive: true })
  writeFileSync(target, text)
  if (file.endsWith('.js')) for (const [, module] of text.matchAll(/(?:from |import\()["']\.\/(modules\/[^"']+)["']/g)) copy(module)
}

/** Writes the whole folder. @returns its files */
export function writeJsr(): string[] {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(path.join(FOLDER, 'dist'), { recursive: true })
  for (const file of readdirSync('dist').filter((name) => /\.(js|d\.ts)$/.test(name) && !LEFT_OUT.test(name))) copy(file)
  for (const file of ['LICENSE', 'README.md']) copyFileSync(file, path.join(FOLDER, file))
  writeFileSync(path.join(FOLDER, 'jsr.json'), config(JSON.parse(readFileSync('package.json', 'utf8'))))
  return readdirSync(FOLDER, { recursive: true }).map(String)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeJsr()
