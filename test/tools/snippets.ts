/**
 * Programs in documents: finding them, compiling them under strict TypeScript against these sources, and running them.
 *
 * Snippets of one language in one section are one program, in their order. `console.log(x) // claim` is a promise: `≥ 0.9`,
 * `≤ 0.1`, `≈ 2` (to 1 %), or literals with `or` between them.
 */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { ENTRIES } from '../../ts/build/entries.js'

const execute = promisify(execFile)
const COMPILER = path.resolve('node_modules/typescript-7/bin/tsc')
const SOURCES: Readonly<Record<string, string>> = { ...ENTRIES, 'gradus/js': 'ts/entries/js.ts' }

export interface Snippet {
  section: string
  language: string
  code: string
}

/** A snippet to run, with a name for its file. */
export interface Program extends Snippet {
  name: string
}

/** The fenced blocks; blocks of one language and section are joined. Sections are named by their headings, the first is `opening`. */
export function findSnippets(text: string): Snippet[] {
  const out: Snippet[] = []
  let section = 'opening'
  let block: Snippet | null = null
  let headings = 0
  for (const line of text.split('\n')) {
    const fence = /^```(\w*)/.exec(line)
    if (fence && block) {
      const before = out.find((s) => s.section === block?.section && s.language === block.language)
      if (before) before.code += block.code
      else out.push(block)
      block = null
    } else if (fence) block = { section, language: fence[1], code: '' }
    else if (block) block.code += `${line}\n`
    else if (/^#+ /.test(line) && headings++ > 0) section = line.replace(/^#+ /, '')
  }
  return out
}

/** The snippets in TypeScript and JavaScript. */
export function programsOf(text: string, prefix = ''): Program[] {
  return findSnippets(text)
    .filter(({ language }) => language === 'ts' || language === 'js')
    .map((snippet, i) => ({ ...snippet, name: `${prefix}${i}-${snippet.section.toLowerCase().replace(/\W+/g, '-')}` }))
}

/** The fenced blocks that are not run, each with the file name in its first line: `// worker.ts, not run here`. */
export function filesNotRun(text: string): { file: string; code: string }[] {
  return [...text.matchAll(/^```\w+\n(\/\/ (\S+), not run here\n[\s\S]*?)^```$/gm)].map(([, code, file]) => ({ file, code }))
}

// ---- types ----

/** Errors of the compiler for these programs, each in a file of its own. @param options of the compiler, besides the options of the project */
export function compilerErrors(folder: string, programs: readonly Omit<Program, 'section'>[], options: object = {}): string[] {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = programs.map(({ name, language, code }) => {
    const file = path.join(folder, `${name}.m${language}`)
    writeFileSync(file, code)
    return file
  })
  const { compilerOptions } = JSON.parse(readFileSync('tsconfig.json', 'utf8'))
  return typeErrors(files, { ...compilerOptions, ...options })
}

/**
 * Errors of the compiler for these files with the given options, in the form of tsconfig.json. The sources that they import are left to `make check`.
 */
export function typeErrors(named: readonly string[], compilerOptions: object): string[] {
  const files = named.map((file) => path.resolve(file))
  const paths = Object.fromEntries(Object.entries(SOURCES).map(([name, file]) => [name, [path.resolve(file)]]))
  const project = path.resolve(`.cache/types-${process.pid}.json`)
  writeFileSync(
    project,
    JSON.stringify({ compilerOptions: { allowJs: true, checkJs: true, paths, noEmit: true, ...compilerOptions }, files }),
  )
  const { stdout, stderr } = spawnSync(process.execPath, [COMPILER, '-p', project, '--pretty', 'false'], { encoding: 'utf8' })
  rmSync(project)
  // a file, its error, and lines of more about it that begin with blanks
  const errors = (stdout + stderr).split(/\n(?! )/).filter(Boolean)
  return errors.filter((text) => {
    const file = /^(.+)\(\d+,\d+\): /.exec(text)
    return file === null || files.includes(path.resolve(file[1]))
  })
}

// ---- running ----

const PROMISE = /^(\s*)console\.log\((.*)\) \/\/ (.+)$/gm

export function countPromises(code: string): number {
  return code.match(PROMISE)?.length ?? 0
}

/** `console.log(x) // claim` as a check that reports for the program of that name. */
function withChecks(name: string, code: string): string {
  const checked = code.replace(PROMISE, (_, indent, value, claim) => {
    const bound = /^([≥≤≈]) (\S+)$/.exec(claim)
    const wanted = bound ? `'${bound[1]}', ${bound[2]}` : `'=', [${claim.split(' or ').join(', ')}]`
    return `${indent}__keeps('${name}', ${JSON.stringify(`${value} // ${claim}`)}, ${value}, ${wanted})`
  })
  return CHECK + checked
}

const CHECK = `import { isDeepStrictEqual as __same } from 'node:util'
function __keeps(program, text, got, relation, wanted) {
  const kept = { '≥': () => got >= wanted, '≤': () => got <= wanted, '≈': () => Math.abs(got - wanted) <= 0.01 * Math.abs(wanted),
    '=': () => wanted.some((one) => __same(got, one)) }
  console.log(JSON.stringify({ program, text, got, kept: kept[relation]() }))
}
`

/** A plugin that resolves `gradus` to these sources; `gradus/js` without the bytes of WebAssembly. */
function sources(withoutWasm: boolean): Plugin {
  return {
    name: 'gradus-from-source',
    setup(build) {
      build.onResolve({ filter: /^gradus(\/|$)/ }, ({ path: name }) => {
        if (!SOURCES[name]) return { errors: [{ text: `gradus has no entry '${name}'` }] }
        return { path: path.resolve(SOURCES[name]) }
      })
      if (!withoutWasm) return
      build.onResolve({ filter: /\/generated\/core\.js$/ }, () => ({ path: path.resolve('ts/backend/wasm/no-text.ts') }))
    },
  }
}

/** One file of a program and all that it imports. @param folder where its relative imports start */
export async function bundle(outfile: string, code: string, language: string, folder = process.cwd()): Promise<void> {
  await build({
    stdin: { contents: code, loader: language as 'ts' | 'js', resolveDir: folder, sourcefile: path.basename(outfile) },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    plugins: [sources(code.includes("'gradus/js'"))],
    logLevel: 'silent',
  })
}

/** Lines of JSON that a bundled program prints. */
export async function runBundle<T>(outfile: string, options: { cwd?: string } = {}): Promise<T[]> {
  const { stdout } = await execute(process.execPath, [outfile], { timeout: 500_000, ...options })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** Makes a project in this folder that has only the package. test/build/package.test.ts shows that the packed package has the same files. */
export function emptyProject(folder: string): string {
  const project = path.join(folder, 'project')
  const installed = path.join(project, 'node_modules/gradus')
  mkdirSync(path.dirname(installed), { recursive: true })
  if (!existsSync(installed)) symlinkSync(path.resolve('.'), installed, 'junction')
  return project
}

/** A promise that a program reached. */
export interface Reached {
  program: string
  text: string
  got: unknown
  kept: boolean
}

/** Bundles programs in one pass, each with a copy of gradus of its own. */
export async function bundlePrograms(folder: string, programs: readonly Program[]): Promise<void> {
  const named = new Map(programs.map((program) => [program.name, program]))
  const isWithoutWasm = ({ code }: Program) => code.includes("'gradus/js'")
  for (const withoutWasm of [false, true]) {
    const entryPoints = programs.filter((p) => isWithoutWasm(p) === withoutWasm).map(({ name }) => ({ in: `program:${name}`, out: name }))
    if (entryPoints.length === 0) continue
    const given: Plugin = {
      name: 'programs',
      setup(build) {
        build.onResolve({ filter: /^program:/ }, ({ path }) => ({ path: path.slice('program:'.length), namespace: 'program' }))
        build.onLoad({ filter: /.*/, namespace: 'program' }, ({ path }) => {
          const { name, code, language } = named.get(path) as Program
          return { contents: withChecks(name, code), loader: language as 'ts' | 'js', resolveDir: process.cwd() }
        })
      },
    }
    await build({
      entryPoints,
      outdir: path.join(folder, 'run'),
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'es2022',
      plugins: [given, sources(withoutWasm)],
      logLevel: 'silent',
    })
  }
}

/** Runs bundled programs one after the other in one process; each has its own modules, and so its own engine. @returns the promises that they reached */
export function runPrograms(folder: string, name: string, programs: readonly Program[], options: { cwd?: string } = {}) {
  const file = path.join(folder, 'run', `all-${name}.mjs`)
  writeFileSync(file, programs.map((one) => `await import('./${one.name}.mjs')\n`).join(''))
  return runBundle<Reached>(file, options)
}
