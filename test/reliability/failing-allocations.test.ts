/**
 * The k-th allocation of a training fails, for every k, however its steps are run: the outcome is an OutOfMemoryError or, if training can do without
 * that memory, the right result; the weights are those after a whole number of steps; and the same call works afterwards.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StepArena } from '../../ts/backend/arena.js'
import { Heap } from '../../ts/backend/heap.js'
import { OutOfMemoryError } from '../../ts/common/errors.js'
import { Adam, type Backend, createBackend, Dense, type FitOptions, fit, fitMany, mse, Sequential } from '../../ts/index.js'

const simd = createBackend({ variant: 'simd' })
const js = createBackend({ backend: 'js' })
const threads = createBackend({ variant: 'simd', threads: 2 })
beforeAll(() => threads.ready)

const ROWS = 8
const inputs = Array.from({ length: ROWS }, (_, i) => [i / 4 - 1, 1 - i / 8, (i % 3) / 2])
const targets = inputs.map(([a, b]) => [a - b])
/** Watches each step, so that no two steps run in one call. */
const callbacks = [{ onBatchEnd: () => {} }]

interface Allocates {
  allocate(this: unknown, bytes: number, ...more: unknown[]): number
}

/** Runs fn; allocation k from now on fails. @returns true if there were that many */
async function failing(k: number, fn: () => Promise<unknown>): Promise<boolean> {
  let left = k
  const patched = (owner: Allocates) => {
    const { allocate } = owner
    owner.allocate = function (bytes, ...more) {
      if (left-- === 0) throw new OutOfMemoryError(bytes, 0, 0)
      return allocate.call(this, bytes, ...more)
    }
    return () => {
      owner.allocate = allocate
    }
  }
  // patches the allocations of the heap, and of the arenas of steps and recordings
  const undo = [StepArena, Heap].map((of) => patched(of.prototype as unknown as Allocates))
  try {
    await fn()
  } catch (error) {
    expect(error).toBeInstanceOf(OutOfMemoryError)
  } finally {
    for (const restore of undo) restore()
  }
  return left < 0
}

const make = (backend: Backend, width: number) => {
  const model = new Sequential([new Dense(3, width, { activation: 'tanh' }), new Dense(width, 1)], { seed: 1, backend })
  return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.01 }) }
}
type Subject = ReturnType<typeof make>
const bits = ({ model }: Subject) => model.parameters().flatMap((p) => [...p.data()])

interface Path {
  path: string
  backend: Backend
  width?: number
  options?: Pick<FitOptions, 'replay' | 'callbacks'>
  nets?: number
  /** True if steps were run as the path says. */
  runs: (execution: { programs: number; replayed: number; writtenOut: number; fleet: number }) => boolean
}

const paths: Path[] = [
  { path: 'eager, js', backend: js, options: { replay: false }, runs: (e) => e.replayed === 0 && e.programs === 0 },
  { path: 'eager', backend: simd, options: { replay: false }, runs: (e) => e.replayed === 0 && e.programs === 0 },
  { path: 'replayed, js', backend: js, options: { callbacks }, runs: (e) => e.replayed > 0 },
  { path: 'replayed', backend: simd, options: { callbacks }, runs: (e) => e.replayed > 0 },
  { path: 'many steps in one call', backend: simd, runs: (e) => e.programs > 0 },
  { path: 'threads', backend: threads, width: 600, options: { callbacks }, runs: (e) => e.replayed > 0 },
  { path: 'fleet', backend: simd, nets: 3, runs: (e) => e.fleet > 0 },
]

describe.each(paths)('fault 8: the k-th allocation of a training fails: $path', ({ backend, width = 5, options = {}, nets = 1, runs }) => {
  const all = { inputs, targets, loss: mse, batchSize: 4, epochs: 4, shuffle: false, ...options }
  const train = async (subjects: readonly Subject[]): Promise<boolean> => {
    if (nets === 1) {
      const [{ model, optimizer }] = subjects
      return runs((await fit(model, { ...all, optimizer })).execution)
    }
    const histories = await fitMany(
      subjects.map(({ model }) => model),
      { ...all, callbacks: () => [], optimizers: subjects.map(({ optimizer }) => optimizer) },
    )
    for (const { error } of histories) if (error) throw error
    return histories.every(({ execution }) => runs(execution))
  }
  const subjects = () => Array.from({ length: nets }, () => make(backend, width))

  test('a typed error, whole steps, and the same call works afterwards', async () => {
    const reference = subjects()
    // weights after each number of steps
    const states = [bits(reference[0])]
    const { model, optimizer } = make(backend, width)
    await fit(model, { ...all, optimizer, callbacks: [{ onBatchEnd: () => void states.push(bits({ model, optimizer })) }] })
    expect(await train(reference)).toBe(true)
    expect(bits(reference[0])).toEqual(states[states.length - 1])
    const known = new Set(states.map(String))
    let k = 0
    for (; k < 2000; k++) {
      const nets = subjects()
      const before = nets.map(({ model, optimizer }) => ({ model: model.state(), optimizer: optimizer.state() }))
      const failed = await failing(k, () => train(nets))
      for (const net of nets) expect(known.has(String(bits(net))), `allocation ${k} failed: the weights are between two steps`).toBe(true)
      if (!failed) break
      nets.forEach(({ model, optimizer }, i) => {
        model.loadState(before[i].model)
        optimizer.loadState(before[i].optimizer)
      })
      await train(nets)
      for (const net of nets) expect(bits(net), `after allocation ${k} failed`).toEqual(states[states.length - 1])
    }
    expect(k).toBeGreaterThan(5)
    expect(k).toBeLessThan(2000)
  })
})

afterAll(() => {
  ;(threads as { close?: () => void }).close?.()
})
