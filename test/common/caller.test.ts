/** Stack traces begin at the line that called, however deep in the library an error was made. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { folderIn } from '../../ts/common/caller.js'
import { add, createBackend, Dense, Module, Sequential, type Tensor, tensor, zeros } from '../../ts/index.js'

const backend = createBackend({ backend: 'js' })
const source = readFileSync(new URL(import.meta.url), 'utf8').split('\n')

/** The line of this file that the first frame of an error leads to. */
function firstLine(fn: () => unknown): string {
  let error: Error | undefined
  try {
    fn()
  } catch (thrown) {
    error = thrown as Error
  }
  const frame = (error?.stack ?? '').split('\n').find((line) => /^\s+at /.test(line)) ?? ''
  expect(frame).toContain('caller.test.ts')
  return source[Number(/:(\d+):\d+\)?$/.exec(frame)?.[1]) - 1]
}

test('of wrong sizes, options and shapes', () => {
  expect(firstLine(() => new Dense(0, 1))).toContain('new Dense(0, 1)')
  expect(firstLine(() => new Dense(1, 1, { bais: true } as never))).toContain('bais')
  expect(firstLine(() => zeros([-1]))).toContain('zeros([-1])')
  expect(firstLine(() => add(zeros([2], { backend }), zeros([3], { backend }) as never))).toContain('add(zeros')
})

test('however deep it was, and where a model’s own forward called, there', () => {
  let model = new Sequential([new Dense(2, 2)], { backend }) as Sequential
  for (let i = 0; i < 20; i++) model = new Sequential([model], { backend }) as Sequential
  expect(firstLine(() => model.predict([[1, 2, 3]]))).toContain('model.predict([[1, 2, 3]])')
  class Own extends Module {
    layer = new Dense(2, 2)
    forward(x: Tensor): Tensor {
      return this.layer.forward(x) // of this line
    }
  }
  expect(firstLine(() => new Own({ backend }).predict(tensor([[1, 2, 3]], { backend })))).toContain('// of this line')
  expect(Error.stackTraceLimit).toBeGreaterThan(0)
})

test('the folder of the library is found in the package and in its source, and in nobody’s bundle', () => {
  expect(folderIn('    at fromCaller (file:///home/a/ts/node_modules/gradus/dist/node.js:1:2)')).toBe(
    'file:///home/a/ts/node_modules/gradus/dist/',
  )
  expect(folderIn('    at fromCaller (C:\\a\\node_modules\\gradus\\dist\\common\\caller.js:1:2)')).toBe(
    'C:\\a\\node_modules\\gradus\\dist\\',
  )
  expect(folderIn('    at f (/home/a/gradus/ts/common/caller.ts:1:2)')).toBe('/home/a/gradus/ts/')
  expect(folderIn('    at f (/home/a/ts/bundle.js:1:2)')).toBeNull()
})
