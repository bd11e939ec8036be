/** Trainings on streams: they are those of fit, and whatever a source does is told with its row. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { encoderFromStream, streamTable } from '../../ts/data/index.js'
import {
  Adam,
  Checkpoint,
  crossEntropy,
  Dense,
  EarlyStopping,
  fit,
  GradientAccumulation,
  type Module,
  mse,
  mul,
  type Progress,
  Sequential,
  type Tensor,
  type Training,
} from '../../ts/index.js'
import { type FitStreamOptions, fitStream, type StreamData } from '../../ts/stream/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-stream-'))
afterAll(() => rmSync(folder, { recursive: true }))

const net = (seed = 1) => new Sequential([new Dense(3, 16, { activation: 'tanh' }), new Dense(16, 1)], { seed })
const rowAt = (i: number) => [Math.sin(i), Math.cos(i * 0.7), Math.sin(i * 0.31)]
const targetAt = (i: number) => rowAt(i).reduce((a, b) => a * b)
const rows = (from: number, to: number) => {
  const at = Array.from({ length: to - from }, (_, i) => from + i)
  return { inputs: Float32Array.from(at.flatMap(rowAt)), shape: [to - from, 3], targets: Float32Array.from(at, targetAt) }
}
/** Rows 0..count in parts of a size. */
function* parts(count: number, size: number, from = 0) {
  for (let at = from; at < count; at += size) yield rows(at, Math.min(at + size, count))
}
const weights = (model: Module) => model.parameters().map((p: Tensor) => [...p.data()])
const trained = async (data: StreamData, options: Partial<FitStreamOptions> = {}, model: Module = net()) => {
  const optimizer = options.optimizer ?? new Adam(model.parameters(), { learningRate: 0.01 })
  const history = await fitStream(model, { data, loss: mse, optimizer, ...options })
  return { model, history, weights: weights(model) }
}

describe('a training on a stream', () => {
  test('with all rows in one window has the bits of fit, in parts of whatever size', async () => {
    const model = net()
    const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
    const { epochs } = await fit(model, { ...rows(0, 500), loss: mse, optimizer, seed: 7 })
    for (const size of [1, 7, 128, 500]) {
      const found = await trained(parts(500, size), { seed: 7, window: size === 7 ? 1e12 : 500 })
      expect(found.weights).toEqual(weights(model))
      expect(found.history.epochs[0].loss).toBe(epochs[0].loss)
      expect(found.history.steps).toBe(16)
      expect(found.history.rows).toBe(500)
    }
  })

  test('is one fit a window, the seed going on, over epochs', async () => {
    const model = net()
    const optimizer = new Adam(model.parameters(), { learningRate: 0.01 })
    for (let window = 0; window < 6; window++) {
      const [from, to] = [
        [0, 192],
        [192, 384],
        [384, 450],
      ][window % 3]
      await fit(model, { ...rows(from, to), loss: mse, optimizer, seed: 3 + window })
    }
    const found = await trained(() => parts(450, 50), { seed: 3, window: 190, epochs: 2 })
    expect(found.weights).toEqual(weights(model))
    expect(found.history.steps).toBe(30)
    expect(found.history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2])
  })

  test('takes single rows, nested rows, rows in arrays, and promises of them', async () => {
    const { weights: expected } = await trained(parts(100, 100))
    const single = Array.from({ length: 100 }, (_, i) => ({ inputs: rowAt(i), targets: targetAt(i) }))
    const later = async function* () {
      for (const row of single) yield row
    }
    const nested = [{ inputs: single.map(({ inputs }) => inputs), targets: single.map(({ targets }) => targets) }]
    const readable = new ReadableStream<object>({
      start(controller) {
        for (const row of single) controller.enqueue(row)
        controller.close()
      },
    })
    for (const data of [single, later(), readable, nested, [single.slice(0, 30), single.slice(30)], async () => later()])
      expect((await trained(data as StreamData)).weights).toEqual(expected)
  })

  test('tells rows of a table by an encoder', async () => {
    const lines = Array.from({ length: 300 }, (_, i) => `${i % 7},${(i * 5) % 11},${i % 7 > 3 ? 'high' : 'low'}`)
    const file = new Blob([`a,b,kind\n${lines.join('\n')}\n`])
    const encoder = await encoderFromStream(streamTable(file), { target: 'kind', scale: 'standard' })
    const model = new Sequential([new Dense(encoder.features, 8, { activation: 'relu' }), new Dense(8, encoder.classes)], { seed: 1 })
    const optimizer = new Adam(model.parameters(), { learningRate: 0.05 })
    const history = await fitStream(model, {
      data: () => streamTable(file),
      encoder,
      loss: crossEntropy,
      optimizer,
      epochs: 20,
      window: 64,
    })
    expect(history.epochs.at(-1)?.loss).toBeLessThan(0.1)
    expect(history.rows).toBe(6000)
  })

  test('has epochs of a number of rows, within a pass and over passes', async () => {
    const opened: number[] = []
    const data = ({ pass }: { pass: number }) => {
      opened.push(pass)
      return parts(100, 9)
    }
    const { history } = await trained(data, { epochRows: 70, epochs: 3, batchSize: 10, window: 40 })
    expect(history.epochs.length).toBe(3)
    expect([history.rows, history.steps]).toEqual([210, 21])
    expect(opened).toEqual([0, 1, 2])
    const endless = function* () {
      for (let i = 0; ; i += 10) yield rows(i, i + 10)
    }
    expect((await trained(endless(), { epochRows: 64, epochs: 5 })).history.rows).toBe(320)
    const { history: ended } = await trained(parts(100, 10), { epochRows: 64, epochs: 5 })
    expect([ended.rows, ended.epochs.length, ended.stopReason]).toEqual([100, 2, 'the stream ended'])
  })

  test('judges by validation rows, stops early, and calls callbacks as fit does', async () => {
    const calls: string[] = []
    const watch = {
      onTrainBegin: () => void calls.push('begin'),
      onEpochEnd: () => void calls.push('epoch'),
      onTrainEnd: () => void calls.push('end'),
      onBatchEnd: ({ step, batch }: { step: number; batch: number }) => void calls.push(`${step}/${batch}`),
    }
    const { history } = await trained(() => parts(96, 16), {
      epochs: 2,
      window: 32,
      callbacks: [watch],
      validation: rows(0, 20),
      metrics: ['mae'],
    })
    expect(calls).toEqual(['begin', '1/1', '2/2', '3/3', 'epoch', '4/1', '5/2', '6/3', 'epoch', 'end'])
    expect(history.epochs[1].validation?.mae).toBeGreaterThan(0)
    const early = new EarlyStopping({ monitor: 'validation.loss', patience: 0, minDelta: 10 })
    const { history: stopped } = await trained(() => parts(96, 16), { epochs: 9, callbacks: [early], validation: rows(0, 20) })
    expect(stopped.epochs.length).toBeLessThan(9)
    const stop = {
      onBatchEnd: ({ step }: { step: number }, control: { stop(reason: string): void }) => step === 4 && control.stop('enough'),
    }
    const { history: enough } = await trained(() => parts(96, 16), { epochs: 9, window: 64, callbacks: [stop as never] })
    expect([enough.steps, enough.stopReason]).toEqual([4, 'enough'])
  })

  test('onPause is called between steps of all windows, with the place in the stream', async () => {
    const seen: string[] = []
    const look = {
      savesEvery: 2,
      onPause: ({ step, epoch }: Progress, { history }: Training) =>
        void (step % 2 === 0 && seen.push(`${epoch}: ${step}/${history.steps}`)),
    }
    await trained(() => parts(64, 64), { batchSize: 8, window: 32, epochs: 2, callbacks: [look] })
    expect(seen).toEqual(['1: 2/2', '1: 4/4', '1: 6/6', '1: 8/8', '2: 10/10', '2: 12/12', '2: 14/14', '2: 16/16'])
    // windows of 5 steps, and two callbacks with periods of their own
    const steps: number[] = []
    const callbacks = [
      { savesEvery: 3, onPause: ({ step }: Progress) => void steps.push(step) },
      { savesEvery: 5, onPause: () => {} },
    ]
    await trained(() => parts(64, 64), { batchSize: 8, window: 40, epochs: 5, callbacks })
    for (const every of [3, 5]) expect(steps.filter((step) => step % every === 0)).toHaveLength(Math.floor(40 / every))
    const wrong = { name: 'wrong', onPause: () => Promise.reject(new Error('no')) as never }
    await expect(trained(parts(8, 8), { callbacks: [wrong] })).rejects.toThrow('fitStream: onPause of callback wrong failed: no')
  })

  test('takes the rate of the schedule at each step of all windows', async () => {
    const asked: number[] = []
    await trained(() => parts(100, 10), { epochs: 2, window: 32, schedule: (step) => asked.push(step) && 0.01 })
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('closes its source when it stops, also while it waits', async () => {
    const stop = new AbortController()
    let closed = 0
    const waiting = async function* () {
      try {
        yield rows(0, 64)
        setTimeout(() => stop.abort(), 400)
        await new Promise((resolve) => setTimeout(resolve, 500))
        yield rows(64, 65)
        await new Promise(() => {})
      } finally {
        closed++
      }
    }
    const { history } = await trained(waiting(), { signal: stop.signal, batchSize: 16, window: 32 })
    expect([history.stopReason, history.rows]).toEqual(['aborted', 64])
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(closed).toBe(1)
  })

  test('does not wait for a silent source: aborted before, stopped by a callback, or with a loss that is no number', async () => {
    const silent = async function* () {
      yield rows(0, 40)
      await new Promise(() => {})
    }
    const how = { batchSize: 16, window: 32 }
    const before = await trained(silent, { ...how, signal: AbortSignal.abort() })
    expect([before.history.stopReason, before.history.rows]).toEqual(['aborted', 0])
    // the second window is asked for before the first one is learnt
    const stops = {
      onBatchEnd: (progress: { batch: number }, { stop }: { stop: (why: string) => void }) => void (progress.batch === 2 && stop('enough')),
    }
    const stopped = await trained(silent, { ...how, callbacks: [stops] })
    expect([stopped.history.stopReason, stopped.history.rows]).toEqual(['enough', 32])
    let step = 0
    const breaks = (...given: Parameters<typeof mse>) => mul(mse(...given), step++ === 1 ? Number.NaN : 1)
    await expect(trained(silent, { ...how, loss: breaks, replay: false })).rejects.toThrow('loss is NaN')
  })
})

describe('a stream that fails', () => {
  const failing = (at: number, times: number) => {
    let failures = 0
    return () =>
      (function* () {
        for (const part of parts(400, 20)) {
          if (failures < times && part.targets[0] === Math.fround(targetAt(at))) {
            failures++
            throw new Error('connection reset')
          }
          yield part
        }
      })()
  }

  test('is opened again at its row, to the same bits', async () => {
    const { weights: expected } = await trained(() => parts(400, 20), { window: 96 })
    const found = await trained(failing(200, 2), { window: 96, retries: 2 })
    expect(found.weights).toEqual(expected)
    expect(found.history.reopened).toBe(2)
    const seeking = ({ row }: { row: number }) => parts(400, 20, row)
    expect((await trained(seeking, { window: 96, seeks: true })).weights).toEqual(expected)
  })

  test('ends with its row, and a net that learnt whole windows', async () => {
    const model = net()
    await expect(trained(failing(200, 9), { window: 96 }, model)).rejects.toThrow(
      'fitStream: the source failed after row 200: connection reset; retries: 3 opens it again at this row',
    )
    const { weights: expected } = await trained(() => parts(192, 20), { window: 96 })
    expect(weights(model)).toEqual(expected)
  })

  test('fails if nothing comes for a while, or if it is shorter the second time', async () => {
    const stalling = async function* () {
      yield rows(0, 10)
      await new Promise(() => {})
    }
    await expect(trained(stalling(), { stallTime: 0.02 })).rejects.toThrow(
      'the source failed after row 10: nothing came for 0.02 s; give data as a function',
    )
    let opened = 0
    const shrinking = async function* () {
      yield rows(0, 30)
      if (opened++ === 0) throw new Error('gone')
    }
    await expect(trained(shrinking, { retries: 1, window: 32 })).resolves.toBeDefined()
    opened = 0
    const shorter = async function* () {
      if (opened++ === 0) {
        yield rows(0, 30)
        throw new Error('gone')
      }
      yield rows(0, 20)
    }
    await expect(trained(shorter, { retries: 1 })).rejects.toThrow('the source ended before row 30, where it was left')
  })
})

describe('a row that cannot be read', () => {
  const table = (lines: string[]) => new Blob([`x,y\n${lines.join('\n')}\n`])
  const good = Array.from({ length: 200 }, (_, i) => `${i % 10},${(i % 10) * 2}`)
  const cases: [string, string, RegExp][] = [
    ['a text in a column of numbers', 'abc,3', /row 77\b.*'abc'/],
    ['a gap', ',3', /no value in column 'x' of row 77/],
    ['a target that is none', '3,much', /row 77\b.*'much'/],
  ]
  for (const [what, line, message] of cases)
    test(`is named: ${what}; nothing of its window is learnt; skipping counts it`, async () => {
      const encoder = await encoderFromStream(streamTable(table(good)), { target: 'y', scale: 'standard' })
      const lines = [...good.slice(0, 77), line, ...good.slice(77)]
      const make = () => new Sequential([new Dense(1, 4), new Dense(4, 1)], { seed: 1 })
      const model = make()
      const before = weights(model)
      await expect(trained(() => streamTable(table(lines)), { encoder, window: 96 }, model)).rejects.toThrow(message)
      expect(weights(model)).toEqual(before)
      const found = await trained(() => streamTable(table(lines)), { encoder, window: 96, badRows: 'skip' }, make())
      expect(found.history.skipped).toEqual({ count: 1, first: [{ row: 77, message: expect.stringMatching(message) }] })
      const { weights: expected } = await trained(() => streamTable(table(good)), { encoder, window: 96 }, make())
      expect(found.weights).toEqual(expected)
    })

  test('is found among numbers: NaN, another width, a missing target, a class too many', async () => {
    const bad = {
      inputs: [
        [1, 2, 3],
        [1, Number.NaN, 3],
      ],
      targets: [1, 2],
    }
    await expect(trained([rows(0, 40), bad])).rejects.toThrow("fitStream: row 41: inputs want finite numbers, got NaN; badRows: 'skip'")
    await expect(trained([rows(0, 40), { inputs: [[1, 2]], targets: [1] }])).rejects.toThrow(
      'row 40: inputs have shape [2], those of the rows before [3]',
    )
    await expect(trained([rows(0, 40), { inputs: [[1, 2, 3]] }] as never)).rejects.toThrow(/row 40: a row without an encoder wants/)
    await expect(trained([rows(0, 40), 7] as never)).rejects.toThrow('row 40 wants an object, got 7')
    await expect(trained([rows(0, 40), null] as never)).rejects.toThrow('row 40 wants an object, got null')
    const skipped = await trained([rows(0, 40), bad, rows(40, 80)], { badRows: 'skip' })
    expect([skipped.history.rows, skipped.history.skipped.count]).toEqual([81, 1])
    const classes = () => new Sequential([new Dense(3, 2)], { seed: 1 })
    const labelled = (label: number) => ({ inputs: [rowAt(1), rowAt(2)], targets: Int32Array.of(0, label) })
    await expect(trained([labelled(1), labelled(2)], { loss: crossEntropy }, classes())).rejects.toThrow(/fitStream: row 3: targets: .*2/)
    const { history } = await trained([labelled(1), labelled(2), labelled(0)], { loss: crossEntropy, badRows: 'skip' }, classes())
    expect(history.skipped.first).toEqual([{ row: 3, message: expect.stringMatching(/^row 3: targets: /) }])
    expect(history.rows).toBe(5)
  })

  test('may have lost a column, or have it under another name: no gap is learnt in its place', async () => {
    // gaps in x: the encoder fills them in
    const whole = Array.from({ length: 200 }, (_, i) => ({ x: i % 7 === 0 ? null : i % 10, z: i % 3, y: (i % 10) * 2 }))
    const encoder = await encoderFromStream([whole], { target: 'y', missing: 'auto' })
    const make = () => new Sequential([new Dense(encoder.features, 1)], { seed: 1 })
    const without = ({ x: _, ...row }: (typeof whole)[number]) => row
    const renamed = whole.map((row) => ({ ...without(row), price: row.x }))
    const untold = whole.map(({ x, z }) => ({ x, z }))
    const changes: [object[][], RegExp][] = [
      [[renamed], /row 200: there is no column 'x', which every row before had, but price;/],
      [renamed.map((row) => [row]), /row 200: there is no column 'x', which every row before had, but price;/],
      [[whole.map(without)], /row 200: there is no column 'x', which every row before had; rename it/],
      [[untold], /row 200: there is no column 'y', which every row before had; rename it/],
    ]
    for (const [parts, message] of changes) {
      const model = make()
      await expect(trained(() => [whole, ...parts], { encoder, window: 96 }, model)).rejects.toThrow(message)
      const { weights: before } = await trained(() => [whole.slice(0, 192)], { encoder, window: 96 }, make())
      expect(weights(model)).toEqual(before)
      const skipping = await trained(() => [whole, ...parts, whole], { encoder, window: 200, badRows: 'skip' }, make())
      expect([skipping.history.rows, skipping.history.skipped.count]).toEqual([400, 200])
    }
    // rows of JSON that leave out what they have no value for, columns in another order, further ones, and those of a prototype
    const sparse = whole.map((row, i) => (i % 5 === 0 ? without(row) : row))
    const reordered = whole.map(({ x, z, y }) => ({ y, z, more: 1, x }))
    for (const parts of [
      [whole, sparse],
      [sparse, whole.slice(0, 50).map(without), whole],
      [whole, ...sparse.map((row) => [row])],
      [whole, reordered],
    ])
      expect((await trained(() => parts, { encoder, window: 200 }, make())).history.skipped.count).toBe(0)
  })

  test('may be half a line at the end of a file', async () => {
    const file = new Blob([`x,y\n${good.join('\n')}\n7`])
    const encoder = await encoderFromStream(streamTable(table(good)), { target: 'y', scale: 'standard' })
    const make = () => new Sequential([new Dense(1, 4), new Dense(4, 1)], { seed: 1 })
    await expect(trained(() => streamTable(file), { encoder, window: 96 }, make())).rejects.toThrow(
      /^fitStream: the source failed after row 0: .*line 202/,
    )
    const data = () => streamTable(file, { ragged: 'fill' })
    await expect(trained(data, { encoder, window: 96 }, make())).rejects.toThrow(/row 200/)
    const found = await trained(data, { encoder, window: 96, badRows: 'skip' }, make())
    expect([found.history.rows, found.history.skipped.count]).toEqual([200, 1])
  })

  test('ends the training after all if a thousand follow one another', async () => {
    const many = Array.from({ length: 1200 }, () => ({ inputs: [1, 2], targets: 1 }))
    await expect(trained([rows(0, 40), many], { badRows: 'skip' })).rejects.toThrow(
      'none of 1000 rows in succession can be read, so the stream has changed',
    )
  })

  test('is told for a stream that repeats its rows', async () => {
    const { history } = await trained([rows(0, 100), rows(100, 200), rows(100, 200)])
    expect(history.repeated).toBe(100)
    const alike = { inputs: Array.from({ length: 50 }, () => [1, 2, 3]), targets: Array.from({ length: 50 }, () => 1) }
    expect((await trained([alike, alike])).history.repeated).toBe(0)
  })

  test('names the step, epoch and rows of a loss that is not finite', async () => {
    const model = net()
    const huge = { inputs: [[3e38, 3e38, 3e38]], targets: [3e38] }
    const data = function* () {
      yield* parts(64, 32)
      yield huge
    }
    await expect(trained(data, { window: 32, epochs: 2 }, model)).rejects.toThrow(
      /^loss is Infinity at step 3 \(epoch 1, batch 3, in rows 64 to 64\); .*after step 2/,
    )
  })
})

describe('a training on a stream that is saved', () => {
  /** Trains until a step, as if the process ended there; then again from the file. */
  async function interrupted(at: number, options: Partial<FitStreamOptions>, data: StreamData) {
    const file = path.join(folder, `${Math.random()}.safetensors`)
    const kill = { onBatchEnd: ({ step }: { step: number }) => (step === at ? Promise.reject(new Error('killed')) : undefined) }
    const make = () => {
      const model = net()
      const inner = new Adam(model.parameters(), { learningRate: 0.01 })
      return { model, optimizer: options.optimizer ? new GradientAccumulation(inner, { every: 2 }) : inner }
    }
    const checkpoint = () => new Checkpoint(file, { every: { steps: 1 } })
    const first = make()
    const given = { ...options, optimizer: first.optimizer, callbacks: [checkpoint(), kill] }
    await expect(trained(data, given, first.model)).rejects.toThrow('fitStream: onBatchEnd of callback 1 failed: killed')
    const { model, optimizer } = make()
    const again = checkpoint()
    return trained(data, { ...options, optimizer, callbacks: [again], resume: again }, model)
  }

  test('goes on with the same bits from each step, in the midst of windows and epochs', async () => {
    const options = { epochs: 3, window: 64, seed: 5, validation: rows(0, 10) }
    const data = () => parts(150, 11)
    const expected = await trained(data, options)
    for (const at of [1, 2, 3, 4, 5, 8, 13, 15]) {
      const found = await interrupted(at, options, data)
      expect(found.weights).toEqual(expected.weights)
      expect(found.history.epochs.map(({ loss, validation }) => [loss, validation])).toEqual(
        expected.history.epochs.map(({ loss, validation }) => [loss, validation]),
      )
      expect([found.history.steps, found.history.rows]).toEqual([15, 450])
    }
    const seeking = ({ row }: { row: number }) => parts(150, 11, row)
    expect((await interrupted(7, { ...options, seeks: true }, seeking)).weights).toEqual(expected.weights)
  })

  test('goes on with rows that were skipped, and epochs that span passes', async () => {
    const bad = { inputs: [[Number.NaN, 1, 1]], targets: [1] }
    const data = () => [rows(0, 30), bad, rows(30, 63), bad, bad, rows(63, 100), bad]
    for (const options of [
      { epochs: 2, window: 32, badRows: 'skip' as const },
      { epochs: 3, epochRows: 80, window: 32, badRows: 'skip' as const },
    ]) {
      const expected = await trained(data, options)
      for (let at = 1; at <= expected.history.steps; at += 2) {
        const found = await interrupted(at, options, data)
        expect(found.weights).toEqual(expected.weights)
        expect(found.history.skipped.count).toBe(expected.history.skipped.count)
        expect(found.history.rows).toBe(expected.history.rows)
      }
    }
  })

  test('refuses another source, window or epoch; what is read once goes on with its next row', async () => {
    const file = path.join(folder, 'other.safetensors')
    const save = () => new Checkpoint(file, { every: { steps: 1 } })
    await trained(() => parts(100, 10), { window: 64, callbacks: [save()] })
    const resumed = (data: StreamData, options: object) => {
      const resume = save()
      return trained(data, { window: 64, epochs: 2, callbacks: [resume], resume, ...options })
    }
    await expect(resumed(() => parts(110, 10, 10), {})).rejects.toThrow('resume: these are other rows')
    await expect(resumed(() => parts(100, 10), { window: 128 })).rejects.toThrow('resume: window was 64 rows in the training in the file')
    await expect(resumed(() => parts(100, 10), { epochRows: 64 })).rejects.toThrow('resume: epochRows was not given')
    const live = path.join(folder, 'live.safetensors')
    const saved = () => new Checkpoint(live, { every: { steps: 1 } })
    await trained(parts(100, 10), { window: 32, epochRows: 200, callbacks: [saved()] })
    const resume = saved()
    const { history } = await trained(parts(200, 10, 100), { window: 32, epochRows: 200, epochs: 2, callbacks: [resume], resume })
    expect(history.rows).toBe(200)
  })

  test('is saved where the source fails, and goes on when it works', async () => {
    const file = path.join(folder, 'failed.safetensors')
    const checkpoint = () => new Checkpoint(file, { every: { minutes: 60 } })
    let fails = true
    const data = function* () {
      yield* parts(200, 20)
      if (fails) throw new Error('down')
      yield* parts(300, 20, 200)
    }
    const options = { window: 64 }
    await expect(trained(data, { ...options, callbacks: [checkpoint()] })).rejects.toThrow('after row 200: down')
    fails = false
    const resume = checkpoint()
    const found = await trained(data, { ...options, callbacks: [resume], resume })
    expect(found.weights).toEqual((await trained(data, options)).weights)
  })
})

test('options that do not fit together are errors before a row is read', async () => {
  const data = parts(10, 10)
  await expect(trained(data, { epochs: 2 })).rejects.toThrow('fitStream: 2 epochs want a function as data')
  await expect(trained(data, { retries: 1 })).rejects.toThrow('fitStream: retries wants a function as data')
  await expect(trained(data, { seeks: true })).rejects.toThrow('fitStream: seeks wants a function as data')
  await expect(trained(data, { metrics: ['mae'] })).rejects.toThrow('give validation, too')
  await expect(trained(7 as never)).rejects.toThrow('fitStream: data wants rows that come one after the other')
  await expect(trained('table.csv' as never)).rejects.toThrow("got 'table.csv'; streamTable reads a file")
  await expect(trained((() => 7) as never)).rejects.toThrow('fitStream: data wants a function that returns rows')
  await expect(trained([])).rejects.toThrow('fitStream: there are no rows')
  await expect(trained([[]])).rejects.toThrow('fitStream: there are no rows')
  await expect(trained(() => data, { epochs: 2 })).rejects.toThrow('there are no rows in pass 2; data wants to open the source anew')
  await expect(trained([rows(0, 10)], { callbacks: [{}] })).rejects.toThrow('fitStream: callbacks[0] wants an object with onTrainBegin')
  await expect(trained([rows(0, 10)], { loss: 'mse' as never })).rejects.toThrow(
    "fitStream: loss wants a function, such as mse or crossEntropy, got 'mse'; import it",
  )
  const model = net()
  const first = trained([rows(0, 10)], {}, model)
  await expect(trained([rows(0, 10)], {}, model)).rejects.toThrow('fitStream: this model is being trained already')
  await first
})
