import path from 'node:path'
import { expect, test } from 'vitest'
import { failedInCargo, failedInVitest, lineOf, unsteady } from '../tools/failed-tests.mjs'

test('names each failed test of vitest with its file and the first line of its message', () => {
  const passed = { status: 'passed', fullName: 'a', failureMessages: [] }
  const failed = { status: 'failed', fullName: 'sums of rows', failureMessages: ['AssertionError: expected 1 to be 2\n    at b.ts:3'] }
  const report = {
    testResults: [
      { name: path.resolve('test/a.test.ts'), status: 'passed', message: '', assertionResults: [passed] },
      { name: path.resolve('test/b.test.ts'), status: 'failed', message: '', assertionResults: [passed, failed] },
      { name: path.resolve('test/c.test.ts'), status: 'failed', message: "Cannot find module './d.js'\n", assertionResults: [] },
    ],
  }
  expect(failedInVitest(report).map(lineOf)).toEqual([
    'test/b.test.ts: sums of rows: AssertionError: expected 1 to be 2',
    "test/c.test.ts: Cannot find module './d.js'",
  ])
})

test('names each failed test of cargo with the place of its panic', () => {
  const output = `
running 2 tests
.F
failures:

---- gemm::tests::odd stdout ----

thread 'gemm::tests::odd' (71) panicked at crate/gemm/mod.rs:7:5:
assertion failed: 1 == 2
note: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace


failures:
    gemm::tests::odd

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`
  expect(failedInCargo(output).map(lineOf)).toEqual(['cargo test: gemm::tests::odd: crate/gemm/mod.rs:7:5: assertion failed: 1 == 2'])
})

test('a test is unsteady where it failed in the first try alone', () => {
  const failure = (file: string, name?: string) => ({ place: name ? `${file}: ${name}` : file, file, message: '' })
  const [slow, wrong, hidden] = [failure('a.test.ts', 'slow'), failure('a.test.ts', 'wrong'), failure('b.test.ts', 'hidden')]
  expect(unsteady([slow, wrong, hidden], [wrong, failure('b.test.ts')])).toEqual([slow])
})
