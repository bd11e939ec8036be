/** Keeps the CPU seconds of a test file, of its imports and tests without the programs that it starts, for test/tools/reporter.mjs. */
import { afterAll } from 'vitest'

const before = process.cpuUsage()

// biome-ignore lint/correctness/noEmptyPattern: vitest wants a pattern here
afterAll(({}, { file }) => {
  const { user, system } = process.cpuUsage(before)
  Object.assign(file.meta, { cpuSeconds: (user + system) / 1e6 })
})
