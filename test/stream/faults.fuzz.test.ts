/**
 * Random sources × faults × interruptions. The source fails, stalls, ends in half a row, or gives a part twice; a row is broken, has another width or
 * type, or lacks a column. Afterwards a net has the bits of a training on the good rows, or it is as before the window of the fault, and the error names
 * the row. `OnlineLearner` is as before the call.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { encoderFromStream, streamTable } from '../../ts/data/index.js'
import { Adam, Checkpoint, Dense, decodeState, encodeState, type Module, mse, Sequential, type Tensor } from '../../ts/index.js'
import { type FitStreamOptions, fitStream, OnlineLearner, type OnlineState, type StreamData } from '../../ts/stream/index.js'
import { cases } from '../tools/nightly.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-stream-faults-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Row = {
  a: number
  b: number
  y: number
}
type Random = (from: number, to: number) => number
const randomOf = (seed: number) => {
  const random = new RandomStream(seed)
  const whole: Random = (from, to) => from + Math.floor(random.uniform() * (to - from + 1))
  // few digits, so that text has the same numbers
  const rows = Array.from({ length: whole(1, 150) }, (): Row => {
    const [a, b, y] = Array.from({ length: 3 }, () => Math.round(100 * random.normal()) / 100)
    return { a, b, y }
  })
  return { whole, rows }
}
const numbers = ({ a, b, y }: Row) => ({ inputs: [a, b], targets: y })
const make = () => {
  const model = new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 1 })
  return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.01 }) }
}
const weights = (model: Module) => model.parameters().map((p: Tensor) => [...p.data()])

const SOURCE_FAULTS = ['none', 'fails', 'stalls', 'again'] as const
const ROW_FAULTS = ['broken', 'width', 'type', 'column'] as const
type RowFault = (typeof ROW_FAULTS)[number]

/** A row that cannot be read. */
function broken(row: Row, fault: RowFault, isTable: boolean): object {
  if (isTable) {
    if (fault === 'column') return { c: row.a, b: row.b, y: row.y }
    return fault === 'type' ? { ...row, a: 'much' } : { ...row, y: fault === 'width' ? null : 'none' }
  }
  if (fault === 'width') return { inputs: [row.a], targets: row.y }
  if (fault === 'type') return { inputs: [row.a, 'much'], targets: row.y }
  return fault === 'column' ? { inputs: [row.a, row.b] } : { inputs: [Number.NaN, row.b], targets: row.y }
}

/** Sizes of parts, which add up to the number of rows; a part may be empty. */
function partsOf(whole: Random, count: number): number[] {
  const sizes: number[] = []
  for (let left = count; left > 0; left -= sizes.at(-1) as number) sizes.push(Math.min(left, whole(0, 2) === 0 ? 0 : whole(1, 40)))
  return sizes
}

test('a stream with a fault has the bits of its good rows, or a net as before the fault', async () => {
  for (let seed = 0; seed < cases(400); seed++) {
    const { whole, rows } = randomOf(seed)
    const form = (['rows', 'batches', 'table', 'csv'] as const)[whole(0, 3)]
    const fault =
      form === 'csv' ? (['none', 'halfRow', 'broken', 'type'] as const)[whole(0, 3)] : [...SOURCE_FAULTS, ...ROW_FAULTS][whole(0, 7)]
    const isOfRow = ROW_FAULTS.includes(fault as RowFault)
    const batchSize = whole(1, 20)
    // a third of the windows have one batch
    const size = whole(0, 2) === 0 ? batchSize : whole(1, 3) * batchSize
    const parts = partsOf(whole, rows.length)
    const at = whole(0, rows.length - 1)
    const [epochs, killedAt, isForGood, skips] = [whole(1, 2), whole(1, 40), whole(0, 1) === 1, whole(0, 1) === 1]
    const isTable = form === 'table' || form === 'csv'
    const encoder = isTable
      ? await encoderFromStream([[...rows, { a: 1, b: 2, y: 3 }, { a: 2, b: 1, y: 0.5 }]], { target: 'y', scale: 'none' } as never)
      : undefined
    const shown = rows.map((row, i) => (isOfRow && i === at ? broken(row, fault as RowFault, isTable) : isTable ? row : numbers(row)))
    const text = `a,b,y\n${shown.map((row) => Object.values(row).join()).join('\n')}${fault === 'halfRow' ? '\n1' : ''}`

    let isMended = false
    const data: StreamData = () => (form === 'csv' ? streamTable(new Blob([text])) : items())
    async function* items() {
      for (let part = 0, from = 0; part < parts.length; from += parts[part++]) {
        const [own, holds] = [
          shown.slice(from, from + parts[part]) as { inputs: number[]; targets: number }[],
          from <= at && at < from + parts[part],
        ]
        if (holds && !isMended) {
          isMended = !isForGood
          if (fault === 'fails') throw new Error('down')
          if (fault === 'stalls') await new Promise(() => {})
        }
        // a row that cannot be read makes no batch
        const asBatch = form === 'batches' && !(holds && isOfRow)
        const item = asBatch
          ? {
              inputs: own.map(({ inputs }) => inputs),
              targets: own.map(({ targets }) => targets),
              ...(own.length === 0 && { shape: [0, 2] }),
            }
          : own
        yield item as object
        if (holds && fault === 'again') yield item as object
      }
    }
    const run = (own: Partial<FitStreamOptions> & { data: StreamData }) => {
      const { model, optimizer } = make()
      return { model, history: fitStream(model, { ...{ batchSize, window: size, epochs, seed, loss: mse, optimizer }, ...own }) }
    }
    /** The weights after these rows, without a fault. */
    const expected = async (list: readonly Row[], passes = epochs) => {
      if (list.length === 0) return weights(make().model)
      const { model, history } = run({ data: () => [list.map(numbers)], epochs: passes })
      await history
      return weights(model)
    }
    const file = path.join(folder, `${seed}.safetensors`)
    const checkpoint = () => new Checkpoint(file, { every: { steps: 3 }, keep: 1 })
    const resumed = () => {
      const saved = checkpoint()
      return run({ ...usual, callbacks: [saved], resume: saved })
    }
    const usual = { data, encoder, retries: 1, stallTime: 0.05, ...(skips && { badRows: 'skip' as const }) }
    const about = { seed, form, fault, size, batchSize, at, isForGood, skips }

    const holder = parts.findIndex((_, i) => parts.slice(0, i + 1).reduce((a, b) => a + b) > at)
    const start = parts.slice(0, holder).reduce((a, b) => a + b, 0)
    const wholeWindows = (end: number) => rows.slice(0, Math.floor(end / size) * size)
    if (fault === 'halfRow') {
      const { model, history } = run(usual)
      await expect(history, JSON.stringify(about)).rejects.toThrow(
        new RegExp(`the source failed after row 0, .*line ${rows.length + 2}\\b`),
      )
      expect(weights(model)).toEqual(await expected([]))
      continue
    }
    if (isOfRow && !skips) {
      const { model, history } = run(usual)
      // a part is read as a whole
      await expect(history, JSON.stringify(about)).rejects.toThrow(new RegExp(`\\brow ${at}\\b`))
      expect({ about, weights: weights(model) }).toEqual({ about, weights: await expected(wholeWindows(form === 'csv' ? 0 : start), 1) })
      continue
    }
    if (isForGood && (fault === 'fails' || fault === 'stalls')) {
      // saved where it failed; goes on once the source works
      const { model, history } = run({ ...usual, retries: 0, callbacks: [checkpoint()] })
      await expect(history, JSON.stringify(about)).rejects.toThrow(
        `fitStream: the source failed after row ${start}: ${fault === 'fails' ? 'down' : 'nothing came for 0.05 s'}; retries: 3`,
      )
      expect({ about, weights: weights(model) }).toEqual({ about, weights: await expected(wholeWindows(start), 1) })
      isMended = true
      const again = resumed()
      await again.history
      expect({ about, weights: weights(again.model) }).toEqual({ about, weights: await expected(rows) })
      continue
    }
    const good = rows.flatMap((row, i) => {
      if (i === at && isOfRow) return []
      return fault === 'again' && i === start + parts[holder] - 1
        ? rows.slice(start, i + 1).flatMap((own, k, all) => (k < all.length - 1 ? [] : [own, ...all]))
        : [row]
    })
    if (good.length === 0) continue
    const wanted = await expected(good)
    // killed at a random step, and resumed
    const killer = { onBatchEnd: ({ step }: { step: number }) => (step === killedAt ? Promise.reject(new Error('killed')) : undefined) }
    const first = run({ ...usual, callbacks: [checkpoint(), killer] })
    const wasKilled = await first.history.then(
      () => false,
      (error: Error) => /killed/.test(error.message) || Promise.reject(error),
    )
    const last = wasKilled ? resumed() : first
    const history = await last.history
    expect({ about, weights: weights(last.model) }).toEqual({ about, weights: wanted })
    expect({ about, count: history.skipped.count }).toEqual({ about, count: isOfRow ? epochs : 0 })
  }
})

test('a learner of rows that never end is as before a call with a bad row, and goes on to the bits of one that never saw it', () => {
  for (let seed = 0; seed < cases(400); seed++) {
    const { whole, rows } = randomOf(seed)
    const options = {
      ...{ loss: mse, batchSize: whole(1, 20), memory: whole(0, 2) * 20, seed },
      ...(whole(0, 1) === 1 && { halfLife: whole(1, 50) }),
      ...(whole(0, 1) === 1 && { afterDrift: 'forget' as const }),
    }
    const learner = (badRows: 'error' | 'skip' = 'error') => {
      const { model, optimizer } = make()
      return { model, optimizer, online: new OnlineLearner(model, { ...options, optimizer, badRows }) }
    }
    const parts = partsOf(whole, rows.length)
    const [faulty, savedAt] = [whole(0, parts.length - 1), whole(0, parts.length - 1)]
    const fault = ROW_FAULTS[whole(0, 3)]
    const [clean, wounded, skipping] = [learner(), learner(), learner('skip')]
    let [from, resumed] = [0, wounded]
    for (const [i, size] of parts.entries()) {
      const own = rows.slice(from, (from += size)).map(numbers)
      const place = whole(0, size)
      // the first row of all says how wide rows are
      const kind = fault === 'width' && from - size + place === 0 ? 'broken' : fault
      const bad = [...own.slice(0, place), broken(rows[0], kind, false), ...own.slice(place)]
      const about = { seed, fault, i, place, size }
      if (i === faulty) {
        const before = {
          weights: weights(resumed.model),
          optimizer: resumed.optimizer.state(),
          online: encodeState({ ...resumed.online.state() }),
        }
        expect(() => resumed.online.partialFit(bad), JSON.stringify(about)).toThrow(
          new RegExp(`^partialFit: .*rows? ${from - size + place}\\b`),
        )
        const after = {
          weights: weights(resumed.model),
          optimizer: resumed.optimizer.state(),
          online: encodeState({ ...resumed.online.state() }),
        }
        expect({ about, after }).toEqual({ about, after: before })
      }
      for (const one of [clean, resumed]) one.online.partialFit(own)
      const { skipped } = skipping.online.partialFit(i === faulty ? bad : own)
      expect({ about, skipped }).toMatchObject({ about, skipped: i === faulty ? [{ row: from - size + place }] : [] })
      if (i === savedAt) {
        const saved = decodeState(
          encodeState({ model: resumed.model.state(), optimizer: resumed.optimizer.state(), online: resumed.online.state() }),
        )
        resumed = learner()
        resumed.model.loadState(saved.model as never)
        resumed.optimizer.loadState(saved.optimizer as never)
        resumed.online.loadState(saved.online as OnlineState)
      }
      for (const one of [resumed, skipping])
        expect({ about, weights: weights(one.model) }).toEqual({ about, weights: weights(clean.model) })
    }
  }
})
