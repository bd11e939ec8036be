import path from 'node:path'
import { expect, test } from 'vitest'
import { failedInCargo, failedInVitest, lineOf, uncaughtInVitest } from '../tools/failed-tests.mjs'

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

test('names the file of an error that no test caught', () => {
  const printed = `
\u001b[31m⎯⎯⎯⎯⎯⎯\u001b[39m Unhandled Errors \u001b[31m⎯⎯⎯⎯⎯⎯\u001b[39m

Vitest caught 2 unhandled errors during the test run.

⎯⎯⎯⎯ Unhandled Rejection ⎯⎯⎯⎯⎯
TypeError: Cannot use a pool after calling end on the pool
 ❯ QueueRunner.failBy ts/tune/queue/runner.ts:292:52

This error originated in "test/tune/queue/queue.test.ts" test file. It doesn't mean the error was thrown inside the file itself.

⎯⎯⎯⎯ Uncaught Exception ⎯⎯⎯⎯⎯
Error: late
 ❯ a.ts:1:1

This error originated in "test/a.test.ts" test file.
`
  expect(uncaughtInVitest(printed).map(lineOf)).toEqual([
    'test/tune/queue/queue.test.ts: an error that no test caught: TypeError: Cannot use a pool after calling end on the pool',
    'test/a.test.ts: an error that no test caught: Error: late',
  ])
  expect(uncaughtInVitest('')).toEqual([])
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
