import { defineConfig } from 'vitest/config'
import { leftOut } from '../test/tools/tiers.mjs'
import { DEFINED } from './vite.config.ts'

const LEFT_OUT = leftOut('playground/test', process.env.GRADUS_TIER).map((file) => file.slice('playground/'.length))

// One browser test at a time; the limit only stops a test that hangs.
export default defineConfig({
  define: DEFINED,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: { include: ['test/**/*.test.ts'], exclude: LEFT_OUT, testTimeout: 900_000, hookTimeout: 900_000, fileParallelism: false },
})
