import { readFileSync } from 'node:fs'
import { OPTIMIZERS } from 'gradus/optim'
import { defineConfig, type Plugin } from 'vite'
import { KNOWN } from './src/known-methods.ts'

/**
 * Kernels of WebAssembly that the page does not need. Its nets have a few hundred weights, so loops in JavaScript are fast enough for the operations
 * of Hessians and formulas, for convolutions, GRUs and heads, and for updates of optimizers other than SGD, Momentum and Adam; its fleets do not use the
 * others. They would be 86 kB of gzip, a third of the page. Nor does it write model files, which know all layers of convolution and recurrence.
 */
const LEFT_OUT =
  /\/wasm\/generated\/(conv|doubles|fleet-others|fleet-updates|head|operations|others|recurrent|updates)\.js$|\/(conv|recurrent)\/files\.js$/
/** Threads, which the hosts of pages like this one hardly ever allow, as they want headers that isolate the page: 6 kB. */
const THREADS = /\/backend\/threads\/index\.js$/
const ONE_THREAD = 'export const wantedThreads = () => 1, canShare = () => false, sharedMemory = undefined, startThreads = undefined'
/** How threads share kernels. */
const SHARES_LEFT_OUT = /\/backend\/threads\/(batch-norm|conv|recurrent)\.js$/
const replaced = (name: string, id: RegExp, text: string): Plugin => ({ name, load: { filter: { id }, handler: () => text } })
const withoutSomeKernels = (): Plugin[] => [
  replaced('without-some-kernels', LEFT_OUT, "export default ''"),
  replaced('without-threads', THREADS, ONE_THREAD),
  replaced('without-their-shares', SHARES_LEFT_OUT, 'export const shareKernels = undefined'),
]

/**
 * Puts the worker into a few files, because gzip compresses one file better than thirty. One has the library's engine and the descent on functions,
 * which the first view needs; the others are loaded on demand: further optimizers, code for nets, and code for fleets. WebAssembly is in separate
 * files.
 */
const FLEET = 'train/fleet|backend/(?:wasm/)?fleet'
const OTHER_OPTIMIZERS = 'optim/(?!(?:sgd|momentum|rmsprop|adam)\\.|base/(?!qr|matrix|schedule-free|averaging)|transforms/)'
const NETS = 'nn/|loss/|train/|schedule/|data/|metrics/|files/'
const PICTURES = 'conv/|backend/(?:js/|rooms/)?conv'
const SERIES = 'recurrent/|backend/(?:js/|rooms/)?recurrent'
const GROUPS = [
  { name: 'wasm-fleet', test: /wasm\/generated\/fleet/, priority: 4 },
  { name: 'wasm', test: /wasm\/generated\//, priority: 3 },
  {
    name: 'gradus',
    test: new RegExp(
      `modules/web/(?!${NETS}|${FLEET}|${OTHER_OPTIMIZERS}|${PICTURES}|${SERIES}|solve/)|src/(descent/(?!starts|block|fair|solve)|engine/(doubles|optimizers))`,
    ),
    priority: 2,
  },
  { name: 'solve', test: /modules\/web\/solve\/|src\/descent\/solve/, priority: 1.5 },
  { name: 'optimizers', test: new RegExp(`modules/web/${OTHER_OPTIMIZERS}`), priority: 1.5 },
  {
    name: 'nets',
    test: new RegExp(
      `modules/web/(?!${FLEET}|${PICTURES}|${SERIES}|train/find-learning-rate)|src/(train/(?!xray|noise|backprop|sharpness|table)|schedules/(?!find-rate|slope)|benchmark/)|engine/(ready|paced|watched-net)`,
    ),
    priority: 1,
  },
  { name: 'find-rate', test: /find-learning-rate|src\/schedules\/(find-rate|slope)/, priority: 0.7 },
  { name: 'pictures', test: new RegExp(`modules/web/(${PICTURES})|src/pictures/`), priority: 0.5 },
  { name: 'series', test: new RegExp(`modules/web/(${SERIES})|src/series/`), priority: 0.5 },
  { name: 'fleet', test: /modules\/web\/|src\/fleet\//, priority: 0 },
]

/** The update of each optimizer of the table in docs/optimizers.md, by its name. */
export function updates(table: string): Record<string, string> {
  const rows = table.matchAll(/^\| \[(\w+)\]\([^)]*\) \| ((?:[^|\\]|\\.)*) \|/gm)
  return Object.fromEntries(Array.from(rows, ([, name, update]) => [name, update.replaceAll('\\|', '|')]))
}

/** For src/methods.ts: name, default rate and update of each optimizer of the library that src/known-methods.ts does not name. */
export function otherMethods(
  optimizers: Record<string, { defaults: { learningRate?: unknown } }>,
  table: string,
): [string, number, string][] {
  const known = updates(table)
  return Object.entries(optimizers).flatMap(([name, { defaults }]) =>
    KNOWN.some(({ id }) => id === name) ? [] : [[name, Number(defaults.learningRate ?? 0.01), known[name] ?? name]],
  )
}

const OPTIMIZER_TABLE = readFileSync(new URL('../docs/optimizers.md', import.meta.url), 'utf8')
/** Values that replace names in the sources, here and in tests. */
export const DEFINED = {
  OTHER_METHODS: JSON.stringify(otherMethods(OPTIMIZERS, OPTIMIZER_TABLE)),
  UPDATES: JSON.stringify(updates(OPTIMIZER_TABLE)),
}

// Relative addresses, so that the folder works wherever a host puts it; JSX is preact's.
export default defineConfig({
  base: './',
  define: DEFINED,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: {
    format: 'es',
    plugins: withoutSomeKernels,
    rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  build: {
    ...{ target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
    // What the page and its parts on demand share is one file.
    rolldownOptions: {
      output: {
        codeSplitting: {
          includeDependenciesRecursively: false,
          groups: [
            {
              name: 'controls',
              test: /node_modules\/@?preact|src\/(ui|methods|known-methods|schedules\/choice|engine\/use-task)|plot\/scale/,
            },
            { name: 'rooms', test: /src\/(pictures\/(tab|grid)|series\/(tab|given|alone-text)|engine\/use-session)/ },
            { name: 'tabs', test: /src\/(train\/(tab|bar|pictures|layout)|(schedules|fleet|benchmark)\/tab)/ },
          ],
        },
      },
    },
  },
  server: { fs: { allow: ['..'] } },
})
