/** Calls are shared or not depending on the time that they take on one thread and when shared. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Gain } from '../../../ts/backend/threads/gain.js'
import { clock } from '../../../ts/common/clock.js'

let now = 0
beforeEach(() => {
  now = 1000
  vi.spyOn(clock, 'now').mockImplementation(() => now)
})
afterEach(() => vi.restoreAllMocks())

/** Runs a number of calls of a kind; returns the number of shared calls. */
function run(gain: Gain, kind: number, calls: number, alone: number, shared: number): number {
  let count = 0
  for (let i = 0; i < calls; i++) {
    const isShared = gain.wants(kind)
    const took = isShared ? shared : alone
    now += took
    if (isShared) gain.noteShared(kind, took)
    else gain.noteAlone(kind, took)
    if (isShared) count++
  }
  return count
}

test('nearly all calls are shared where that is faster, but for the first of each kind', () => {
  const gain = new Gain()
  expect(run(gain, 1, 3, 1, 0.6)).toBe(0)
  expect(run(gain, 1, 1000, 1, 0.6)).toBeGreaterThan(975)
  expect(run(gain, 2, 3, 10, 6)).toBe(0)
  expect(run(gain, 2, 100, 10, 6)).toBeGreaterThan(95)
})

test('one late share among many changes nothing', () => {
  const gain = new Gain()
  run(gain, 1, 100, 0.1, 0.06)
  let shared = 0
  for (let i = 0; i < 50; i++) {
    shared += run(gain, 1, 1, 0.1, 3) // another program had the core for three milliseconds
    shared += run(gain, 1, 199, 0.1, 0.06)
  }
  expect(shared).toBeGreaterThan(9700)
})

test('where sharing is slower less than a twentieth of the time goes into it, and it is tried again', () => {
  const gain = new Gain()
  run(gain, 1, 200, 1, 0.6)
  // another program comes
  const start = now
  const slow = run(gain, 1, 10_000, 1, 1.3)
  expect(slow * 1.3).toBeLessThan(0.05 * (now - start))
  // it ends
  run(gain, 1, 1500, 1, 0.6)
  expect(run(gain, 1, 1000, 1, 0.6)).toBeGreaterThan(975)
})

test('the time of one thread follows a machine that has become slower, not a single pause', () => {
  const gain = new Gain()
  run(gain, 1, 10, 1, 0.6)
  gain.noteAlone(1, 50)
  run(gain, 1, 3000, 1, 1.2)
  expect(run(gain, 1, 1000, 1, 1.2)).toBeLessThan(50)
  // from here on all calls take twice as long, shared or not
  run(gain, 1, 4000, 2, 1.2)
  expect(run(gain, 1, 500, 2, 1.2)).toBeGreaterThan(480)
})

test('as many kinds as there may be take no more memory than a thousand, and are still shared', () => {
  const gain = new Gain()
  for (let kind = 0; kind < 10_000; kind++) run(gain, kind, 5, 1, 0.6)
  expect((gain as unknown as { alone: Map<number, unknown> }).alone.size).toBeLessThanOrEqual(1024)
  expect(run(gain, 1, 103, 1, 0.6)).toBeGreaterThan(95)
})
