/** Clocks for tests, which replace the clock of all measurements (ts/common/clock.ts). */
import { clock } from '../../ts/common/clock.js'
import { Generator } from '../../ts/index.js'

/** Milliseconds of the processor that this process has had, which other programs on the machine do not change. */
export function cpuNow(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** Milliseconds of the processor that a call takes. */
export function cpuTime(call: () => unknown): number {
  const before = cpuNow()
  call()
  return cpuNow() - before
}

/**
 * Behavior of clocks between two readings. With a clock that stands still, blocks of steps get as long as allowed; with one that runs ahead they are
 * single steps; with one that jumps they have every length, and with one that ticks the same one in each run.
 */
export const CLOCKS = {
  'stands still': () => () => 0,
  'runs ahead': () => () => 50,
  ticks: () => () => 0.1,
  jumps: (seed: number) => {
    const generator = new Generator(seed)
    return () => {
      const [kind, size] = generator.uniforms(2)
      // mostly the microseconds of small steps, now and then a pause
      return kind < 0.5 ? 0.01 * size : kind < 0.9 ? size : kind < 0.98 ? 20 * size : 100_000 * size
    }
  },
} as const

export type ClockName = keyof typeof CLOCKS

/** Runs `fn` with a clock; the previous clock goes on from there. */
export function byClock<T>(name: ClockName, seed: number, fn: () => T | Promise<T>): Promise<T> {
  return byTicks(CLOCKS[name](seed), fn)
}

/** Runs `fn` with a clock that moves on by `tick` at each reading. */
export function byTicks<T>(tick: () => number, fn: () => T | Promise<T>): Promise<T> {
  // starts at the present time, as parts of the library store when the turn of the event loop began
  let time = clock.now()
  return withNow(() => (time += tick()), fn)
}

/**
 * Runs `fn` by a clock that moves on by 20 ms at each reading, so that a limit of `time` leads to the same work on any machine: some 5,000 readings for
 * 100 seconds, which take about a second. Timers of Node go as usual.
 */
export const counted = <T>(fn: () => T | Promise<T>): Promise<T> => byTicks(() => 20, fn)

/** Runs `fn` by a clock that is this many times as fast; timers of Node go as usual. For limits of seconds, which a test would only wait for. */
export function faster<T>(times: number, fn: () => T | Promise<T>): Promise<T> {
  const { now } = clock
  const start = now()
  return withNow(() => start + times * (now() - start), fn)
}

async function withNow<T>(now: () => number, fn: () => T | Promise<T>): Promise<T> {
  const before = clock.now
  clock.now = now
  try {
    return await fn()
  } finally {
    clock.now = before
  }
}
