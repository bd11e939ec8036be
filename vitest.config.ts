import { spawnSync } from 'node:child_process'
import { defineConfig, type TestUserConfig } from 'vitest/config'
import { leftOut } from './test/tools/tiers.mjs'
import { WITHOUT_CANARIES } from './test/tools/without-canaries.mjs'
import { writeWorker } from './ts/build/worker.mjs'

writeWorker()

// After a change of crate/, also one that a rebase brought, tests fail for reasons that no message names.
if (process.platform !== 'win32' && spawnSync('ts/build/wasm.sh', ['--is-built']).status !== 0)
  console.warn('ts/backend/wasm/generated was built from other sources of crate/: run make wasm')

/**
 * Folders whose files share a process: to import the library takes longer than their tests. Their files leave nothing behind: no variable of the
 * environment, no spy (`restoreMocks`). Each begins with the usual backend (test/tools/usual-backend.ts). Any order of them passes:
 * GRADUS_ORDER=2.
 */
const SHARED = [
  'test/{attention,conv,curvature,data,export,head,io,loss,metrics,nn,notebook,ops,optim,plot,recurrent,report,rows,schedule}/**/*.test.ts',
  'test/{search,select,series,solve,table,text,train,xray}/**/!(allocation).test.ts',
  'test/tune/{,pruners/,report/,samplers/}*.test.ts',
  'test/backend/{constants,contract,every-kernel,heap,kernels*}.test.ts',
  'test/backend/wasm/{module-text,tile-loops}.test.ts',
  'test/common/!(copies|caller).test.ts',
  'test/files/{checkpoint,formats,model-file}.test.ts',
  'test/images/!(diverged).test.ts',
  'test/reliability/{divergence,edges,graph-lifetime,hostile-files,idx,input-arrays,not-finite,safetensors,tables}.test.ts',
  'test/stream/*.test.ts',
  'test/tune/storage/{optuna,storage}.test.ts',
  'test/{autograd,tensor,trace}.test.ts',
]
/** Tests of documents, of the build and of the command line, which start programs by paths of Unix. */
const UNIX = ['test/{bench,build,cli,docs}/**/*.test.ts']
/** Of these, those that share a process. */
const UNIX_SHARED = [
  'test/cli/**/*.test.ts',
  'test/bench/ranking.test.ts',
  'test/build/{clock,doors,errors,failed-tests,imports,release,skips,supply-chain,tiers,vocabulary,without-docs}.test.ts',
  'test/docs/{api,benchmarks,examples,links,llms,optimizers,readme,reliability,site}.test.ts',
]

const CANARIES = Boolean(process.env.GRADUS_CANARIES)

const SETUP = [
  'test/tools/cpu-time.ts',
  'test/tools/equal-numbers.ts',
  ...(CANARIES ? ['test/tools/canaries.ts'] : []),
  ...(process.env.GRADUS_CLOCK ? ['test/tools/other-clock.ts'] : []),
]
/** Flags of V8 under which `make steady` runs the tests. */
const FLAGS = process.env.GRADUS_NODE_FLAGS?.split(' ') ?? []

/** A seed of another order of files, for `make steady`. */
const SEED = process.env.GRADUS_ORDER
const ORDER = SEED ? { shuffle: { files: true }, seed: Number(SEED) } : {}

const LEFT_OUT = leftOut('test', process.env.GRADUS_TIER)

const common: TestUserConfig = {
  setupFiles: SETUP,
  execArgv: FLAGS,
  // Far above what any test takes, so that none fails because the machine is busy; it only stops a test that hangs.
  testTimeout: 600_000,
  hookTimeout: 600_000,
  // what a test waits for is an event
  expect: { poll: { timeout: 600_000 } },
}

/** Many of these files wait for servers, browsers and processes: a third worker uses the cores meanwhile. */
const waiting: TestUserConfig = { ...common, maxWorkers: 3, sequence: ORDER }

const together: TestUserConfig = {
  ...{ ...common, setupFiles: [...SETUP, 'test/tools/usual-backend.ts'], isolate: false, restoreMocks: true },
  sequence: { ...ORDER, groupOrder: 1 },
}

export default defineConfig({
  test: {
    // Two cores are what CI has; a worker each.
    maxWorkers: 2,
    // Compiled files are kept for the next run, and for the other projects of this one.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.cache/vitest' },
    projects: [
      { test: { ...waiting, name: 'unix', include: UNIX, exclude: [...UNIX_SHARED, ...LEFT_OUT] } },
      { test: { ...together, name: 'unix shared', include: UNIX_SHARED, exclude: LEFT_OUT } },
      {
        test: {
          ...waiting,
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [...UNIX, ...SHARED, ...LEFT_OUT, ...(CANARIES ? WITHOUT_CANARIES : [])],
        },
      },
      { test: { ...together, name: 'shared', include: SHARED, exclude: LEFT_OUT } },
    ],
  },
})
