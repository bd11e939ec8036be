/** `gradus bench`: the table and its summary, from the command and from invented figures. */
import { describe, expect, test } from 'vitest'
import { type Measurement, measure, NETS, reading, resultLines } from '../../../ts/cli/backend/measure.js'
import { createBackend } from '../../../ts/index.js'
import { gradus } from '../../tools/command.js'

const names = NETS.map(({ sizes }) => sizes.join('-'))
const speeds = (ratio: number) => ({ wasm: 1000 * ratio, js: 1000, ratio })
/** Figures of a fast machine: these ratios to JavaScript on each net. */
const figures = (ratios: readonly number[], nets = names): Measurement[] =>
  nets.map((net, i) => ({ net, batch: NETS[i].batch, ...speeds(ratios[i]), byHand: speeds(1.5) }))

test('the command prints the table and then what it says', async () => {
  const { stdout, stderr } = await gradus(['bench', '--seconds', '0.01'])
  expect(stderr).toBe('')
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toBe('Training steps per second, by fit and by a loop by hand: forward, loss, backward and Adam')
  expect(lines[1]).toMatch(/^Node \d+\.\d+\.\d+, WebAssembly, (relaxed )?SIMD$/)
  expect(lines[2]).toBe('')
  expect(lines[3]).toMatch(/^net +batch +fit: WASM +JS +WASM \/ JS +by hand: WASM +JS +WASM \/ JS$/)
  const rows = lines.slice(4, 4 + NETS.length).map((line) => line.split(/\s{2,}/))
  expect(rows.map(([net]) => net)).toEqual(names)
  for (const [, , ...both] of rows)
    for (const loop of [both.slice(0, 3), both.slice(3)]) {
      expect(loop).toEqual([expect.stringMatching(/^[\d,.]+$/), expect.stringMatching(/^[\d,.]+$/), expect.stringMatching(/^[\d.]+ ×$/)])
    }
  expect(lines[4 + NETS.length]).toBe('')
  expect(lines.slice(5 + NETS.length).join('\n')).toMatch(/On this machine WebAssembly[\s\S]+MNIST[\s\S]+One core;/)
})

test('a measurement has what it says of both backends', async () => {
  const net = { sizes: [2, 3, 1], batch: 2, batches: 4 }
  const [wasm, js] = [createBackend({ backend: 'wasm' }), createBackend({ backend: 'js' })]
  const both = await measure(net, wasm, js, 0.01)
  expect(both).toMatchObject({ net: '2-3-1', batch: 2 })
  for (const { wasm, js, ratio } of [both, both.byHand]) expect(ratio).toBe((wasm as number) / js)
  expect(await measure(net, null, js, 0.01)).toMatchObject({ wasm: null, ratio: null })
})

test('the table', () => {
  const none = { wasm: null, js: 12.34, ratio: null }
  const [first, ...rest] = resultLines([...figures([1.2, 4, 14, 13, 17.5]), { net: '1-1', batch: 1, ...none, byHand: none }])
  expect(first).toBe('net             batch  fit: WASM     JS  WASM / JS  by hand: WASM     JS  WASM / JS')
  expect(rest[0]).toBe('2-8-1               4      1,200  1,000     1.20 ×          1,500  1,000     1.50 ×')
  expect(rest.at(-1)).toBe('1-1                 1          -   12.3          -              -   12.3          -')
})

test('the reading names the best net, the smallest nets, and an epoch of digits', () => {
  expect(reading(figures([1.2, 4, 14, 13, 17.5]))).toEqual([
    'On this machine WebAssembly trains 784-512-512-10 17.5 times as fast as JavaScript, by fit.',
    'For nets as small as 2-8-1 both are about equal: a step of fit takes 830 µs with WebAssembly and 1000 µs with JavaScript.',
    "An epoch of MNIST's 60,000 digits on 784-128-10 takes 0.072 s with WebAssembly and 0.94 s with JavaScript.",
    'fit runs recorded steps, in WebAssembly many of a small net in one call. In a loop by hand (forward, loss, backward, step) 2-8-1 is 1.50 times as fast with WebAssembly.',
    'One core; best of several windows, the backends by turns. A busy machine lowers all numbers.',
  ])
})

test('the reading of other machines', () => {
  const second = (ratios: number[]) => reading(figures(ratios))[1]
  expect(second([2, 4, 14, 13, 17])).toMatch(/^Even on a net as small as 2-8-1 it is 2\.00 times as fast: a step of fit takes 500 µs, not /)
  expect(second([0.5, 0.5, 14, 13, 17])).toBe('On a net as small as 2-16-16-1 JavaScript is 2.00 times as fast.')
  expect(second([1, 1.4, 14, 13, 17])).toMatch(/^For nets as small as 2-16-16-1 both are about equal/)
  expect(reading(figures([1, 1, 1, 1, 1]))[0]).toMatch(/no faster than JavaScript: something is wrong, or very busy/)
  expect(reading(figures([1, 1, 1], names.slice(0, 3))).join()).not.toContain('MNIST')
  const none = figures([1]).map((figure) => ({ ...figure, wasm: null, ratio: null }))
  expect(reading(none)).toEqual(['This runtime has no WebAssembly SIMD, so there is only the JS backend.'])
})

describe('as JSON', () => {
  test('bench measures both backends', async () => {
    const { code, stdout } = await gradus(['bench', '--seconds', '0.01', '--json'])
    expect(code).toBe(0)
    const { results } = JSON.parse(stdout)
    expect(results.map((r: { net: string }) => r.net)).toEqual(['2-8-1', '2-16-16-1', '32-64-64-1', '784-128-10', '784-512-512-10'])
    for (const { js } of results) expect(js).toBeGreaterThan(0)
  })
})
