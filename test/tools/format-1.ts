/**
 * The script that made the files in test/files/format-1, which every later version has to read. They are never made again: a new version of the
 * format gets a folder and a script of its own. So this script refuses to overwrite existing files.
 *
 *   node --import tsx test/tools/format-1.ts FOLDER
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  AdamW,
  Checkpoint,
  Dense,
  EarlyStopping,
  Embedding,
  Ensemble,
  encodeModel,
  encodeState,
  Flatten,
  fit,
  load,
  mse,
  Sequential,
  saveModel,
  tensor,
} from '../../ts/index.js'
import { trainTable } from '../../ts/table/index.js'
import { everyLayer, INPUTS, PENGUINS, training, WORDS } from '../files/format-1/models.js'

const folder = process.argv[2] ?? 'test/files/format-1'
if (existsSync(path.join(folder, 'expected.json'))) throw new Error(`${folder} has files already, which are kept as they are`)
mkdirSync(folder, { recursive: true })
const at = (name: string) => path.join(folder, `${name}.safetensors`)
await load({ reproducible: true })

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const expected: Record<string, unknown> = {
  version,
  date: new Date().toISOString().slice(0, 10),
  inputs: INPUTS,
  words: WORDS,
  rows: PENGUINS,
}

const layers = everyLayer()
await fit(layers, { inputs: INPUTS, targets: [[1], [0], [2], [1]], loss: mse, optimizer: new AdamW(layers.parameters()), epochs: 5 })
layers.parameters()[0].requiresGrad = false
const optimizer = new AdamW(layers.parameters(), { learningRate: 0.02 })
await saveModel(layers, at('layers'), { optimizer, classNames: ['no', 'yes'], counts: Int32Array.of(3, 5) })
expected.layers = { describe: layers.modules().map((m) => m.describe()), output: layers.predict(INPUTS).toArray() }

writeFileSync(at('halves'), encodeModel(layers, {}, { weights: 'float16' }))

const words = new Sequential([new Embedding(5, 3), new Flatten(), new Dense(6, 2, { activation: 'sigmoid' })], { seed: 2 })
const two = new Sequential([new Embedding(5, 3), new Flatten(), new Dense(6, 2, { activation: 'elu' })], { seed: 3 })
const ensemble = new Ensemble([words, two], { average: 'softmax', weights: [1, 3] })
await saveModel(ensemble, at('ensemble'))
expected.ensemble = { output: ensemble.predict(tensor(Int32Array.from(WORDS.flat()), [WORDS.length, 2])).toArray() }

writeFileSync(at('state'), encodeState({ weights: words.state(), epoch: 3, rates: Float64Array.of(0.1, 1 / 3), note: 'é ✓' }))

const { model, options } = training()
const early = new EarlyStopping({ patience: 50 })
const history = await fit(model, { ...options, epochs: 3, callbacks: [early, new Checkpoint(at('training'), { keep: 1 })] })
const whole = training()
const never = await fit(whole.model, { ...whole.options, epochs: 7, callbacks: [new EarlyStopping({ patience: 50 })] })
expected.training = {
  losses: history.epochs.map(({ loss }) => loss),
  lossesOfAll: never.epochs.map(({ loss }) => loss),
  output: whole.model.predict(INPUTS).toArray(),
}

const table = await trainTable('docs/guide/penguins.csv', { target: 'species', seed: 3 })
await table.model.save(at('table'))
expected.table = { columns: table.model.columns, classNames: table.model.classNames, answers: table.model.predict(PENGUINS) }

writeFileSync(path.join(folder, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`)
