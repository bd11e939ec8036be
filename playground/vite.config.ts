import { defineConfig, type Plugin } from 'vite'

/**
 * Kernels of WebAssembly that the page can do without, as their loops in JavaScript are fast enough for what it does with them: operations
 * of Hessians and of formulas, and the updates of optimizers other than SGD, Momentum and Adam, on nets of a few hundred weights. They
 * would be 28 kB of gzip, a sixth of the page.
 */
const LEFT_OUT = /\/wasm\/generated\/(doubles|fleet-updates|operations|others|updates)\.js$/
const withoutSomeKernels = (): Plugin => ({
  name: 'without-some-kernels',
  load: { filter: { id: LEFT_OUT }, handler: () => "export default ''" },
})

/**
 * The worker in five files instead of thirty, which compress better: the library's engine, what descends functions, what nets need of the
 * library and of the page, and the fleet. A tab fetches its own.
 */
const GROUPS = [
  { name: 'gradus', test: /modules\/web\/(?!(solve|nn|loss|train|schedule|data|metrics)\/)/, priority: 4 },
  { name: 'training', test: /modules\/web\/(nn|loss|train(?!\/fleet)|schedule|data|metrics)\//, priority: 3 },
  { name: 'descent', test: /modules\/web\/solve|src\/descent|d3-contour|d3-array|src\/methods/, priority: 2 },
  { name: 'train', test: /src\/(train|schedules|benchmark)\/|d3-dsv|engine\/ready/, priority: 2 },
  { name: 'fleet', test: /train\/fleet\/|src\/fleet\//, priority: 1 },
]

// Relative addresses, so that the folder works wherever a host puts it; JSX is preact's.
export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: {
    format: 'es',
    plugins: () => [withoutSomeKernels()],
    rolldownOptions: { output: { codeSplitting: { groups: GROUPS } } },
  },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  server: { fs: { allow: ['..'] } },
})
