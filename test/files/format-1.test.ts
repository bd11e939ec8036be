/**
 * The files in test/files/format-1, which version 0.1.0 wrote, can be loaded for ever: with the same layers, numbers and predictions. Whoever changes
 * the format keeps a reader of this one; these files are never written again.
 */
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  Adam,
  AdamW,
  Checkpoint,
  EarlyStopping,
  fit,
  loadModel,
  loadModelFile,
  loadState,
  type Module,
  resumeFrom,
  tensor,
} from '../../ts/index.js'
import { loadTableModel } from '../../ts/table/index.js'
import { training } from './format-1/models.js'

const FOLDER = path.resolve('test/files/format-1')
const at = (name: string) => path.join(FOLDER, `${name}.safetensors`)
const expected = JSON.parse(readFileSync(path.join(FOLDER, 'expected.json'), 'utf8'))

/** Backends round differently. */
function close(found: unknown, wanted: unknown, error = 1e-5): void {
  const flat = (x: unknown) => (x as number[][]).flat() as number[]
  expect(flat(found).length).toBe(flat(wanted).length)
  flat(found).forEach((x, i) => void expect(Math.abs(x - flat(wanted)[i])).toBeLessThan(error))
}

test('a model of every layer, with its parts', async () => {
  const file = await loadModelFile(at('layers'))
  expect(file.model.modules().map((m) => m.describe())).toEqual(expected.layers.describe)
  close(file.model.predict(expected.inputs).toArray(), expected.layers.output)
  expect(file.model.parameters().map((p) => p.requiresGrad)).toEqual(file.model.parameters().map((_, i) => i > 0))
  expect(file.classNames).toEqual(['no', 'yes'])
  expect(file.counts).toEqual(Int32Array.of(3, 5))
  const optimizer = new AdamW(file.model.parameters())
  optimizer.loadState(file.optimizer)
  expect(optimizer.learningRate).toBe(0.02)
  expect(() => new Adam(file.model.parameters()).loadState(file.optimizer)).toThrow(/AdamW/)
})

test('weights in halves', async () => {
  const model = await loadModel(at('halves'))
  close(model.predict(expected.inputs).toArray(), expected.layers.output, 5e-3)
})

test('an ensemble with embeddings', async () => {
  const model = await loadModel(at('ensemble'))
  const words = tensor(Int32Array.from(expected.words.flat()), [2, 2])
  close(model.predict(words).toArray(), expected.ensemble.output)
})

test('a state', async () => {
  const state = await loadState(at('state'))
  expect([state.epoch, state.rates, state.note]).toEqual([3, Float64Array.of(0.1, 1 / 3), 'é ✓'])
  expect((await loadModel<Module>(at('ensemble'))).state()).toMatchObject({ 'members.0.0.weight': state.weights['0.weight'] })
})

test('a training, which goes on as if it had not been stopped', async () => {
  const { model, options } = training()
  const more = path.join(tmpdir(), `gradus-format-1-${process.pid}.safetensors`)
  const callbacks = [new EarlyStopping({ patience: 50 }), new Checkpoint(more, { keep: 1 })]
  const { epochs } = await fit(model, { ...options, epochs: 7, callbacks, resume: resumeFrom(at('training')) })
  rmSync(more)
  expect(epochs.map(({ loss }) => loss).slice(0, 3)).toEqual(expected.training.losses)
  close([epochs.map(({ loss }) => loss)], [expected.training.lossesOfAll], 1e-4)
  close(model.predict(expected.inputs).toArray(), expected.training.output, 1e-4)
})

test('a model of a table, from raw rows', async () => {
  const model = await loadTableModel(at('table'))
  expect(model.columns).toEqual(expected.table.columns)
  expect(model.classNames).toEqual(expected.table.classNames)
  const answers = model.predict(expected.rows)
  for (const [i, answer] of answers.entries()) {
    expect(answer.class).toBe(expected.table.answers[i].class)
    for (const name of model.classNames) expect(answer.probabilities[name]).toBeCloseTo(expected.table.answers[i].probabilities[name], 5)
  }
})
