/**
 * RealMLP-TD-S and TabM-mini made of public parts, beside the packages of their authors: the same rows, first weights of the same distributions, as many
 * epochs. Loss on the test rows and CPU time of the training, each table in turns; writes bench/results/tables-ports.json.
 *
 *   node_modules/node/bin/node --import tsx bench/tables/ports.ts [tables, concrete,…] [seeds, 0,1] [python, .cache/tables/venv/bin/python]    (after `make tables`)
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseNpy } from '../../ts/data/index.js'
import {
  AdamW,
  crossEntropy,
  Dense,
  Dropout,
  EarlyStopping,
  EnsembleDense,
  EnsembleMean,
  ensembleLoss,
  fit,
  initializers,
  type Loss,
  load,
  type Module,
  mse,
  type Optimizer,
  Scale,
  type Schedule,
  Sequential,
  schedules,
  softmax,
  type Tensor,
  tensor,
} from '../../ts/index.js'
import { takeRows } from '../../ts/rows/take.js'
import { FOLDER } from './write.js'

const TABLES = 'oj,concrete,sacramento,attrition,saratoga,hmda'
const [names = TABLES, seeds = '0,1', python = `${FOLDER}/venv/bin/python`] = process.argv.slice(2)
const { normal, uniform } = initializers
const RESULTS = 'bench/results/tables-ports.json'
const BATCH = 256

/** What ports.py prints of a table. */
interface Theirs {
  classes: number
  epochs: Record<Who, number>
  tabm: { k: number; d_block: number; n_blocks: number; dropout: number }
  scores: Score[]
}
type Who = 'RealMLP-TD-S' | 'TabM-mini'
interface Score {
  who: Who
  seed: number
  loss: number
  cpu: number
}

/** A net with its optimizer, schedule and options of `fit`. */
interface Recipe {
  model: Sequential<Module[]>
  optimizer: Optimizer
  schedule?: Schedule
  dropLast: boolean
}

/**
 * RealMLP-TD-S (Holzmüller, Grinsztajn & Steinwart 2024), without label smoothing. A layer xW/√n + b with W of deviation 1 is, for Adam, one whose
 * weights have deviation 1/√n and learn at 1/√n times the rate.
 */
function realMlp(inputs: number, classes: number, seed: number, steps: number): Recipe {
  const rate = classes > 0 ? 0.04 : 0.07
  const widths = [inputs, 256, 256, 256]
  const hidden = widths.slice(1).map((width, i) => {
    const deviation = 1 / Math.sqrt(widths[i])
    const activation = classes > 0 ? 'selu' : 'mish'
    return new Dense(widths[i], width, { activation, weightInitializer: normal(0, deviation), biasInitializer: normal(0, 1) })
  })
  const model = new Sequential<Module[]>([new Scale(inputs), ...hidden, new Dense(256, classes || 1, { weightInitializer: 'zeros' })], {
    seed,
  })
  const groups = model.parameters().map((parameter) => {
    const factor = parameter.name.endsWith('bias') ? 0.1 : parameter.rank === 1 ? 6 : 1 / Math.sqrt(parameter.shape[0] as number)
    return { parameters: [parameter], learningRate: factor * rate }
  })
  return {
    model,
    optimizer: new AdamW(groups, { beta1: 0.9, beta2: 0.95, weightDecay: 0 }),
    // the schedule is that of the first group
    schedule: schedules.coslog(groups[0].learningRate, { steps }),
    dropLast: true,
  }
}

/** TabM-mini (Gorishniy, Kotelnikov & Babenko 2025) with the first weights of its package: those of PyTorch. */
function tabmMini(inputs: number, classes: number, { k, d_block: width, n_blocks: blocks, dropout }: Theirs['tabm'], seed: number): Recipe {
  const first = (n: number) => uniform(-1 / Math.sqrt(n), 1 / Math.sqrt(n))
  const both = (n: number) => ({ weightInitializer: first(n), biasInitializer: first(n) })
  const hidden = Array.from({ length: blocks }, (_, i) => (i === 0 ? inputs : width)).flatMap((n) => [
    new Dense(n, width, { activation: 'relu', ...both(n) }),
    new Dropout(dropout),
  ])
  const head = new EnsembleDense(width, classes || 1, k, { shared: false, ...both(width) })
  const model = new Sequential<Module[]>(
    [new Scale(inputs, { members: k }), ...hidden, head, new EnsembleMean({ average: classes > 0 ? 'softmax' : 'outputs' })],
    { seed },
  )
  return { model, optimizer: new AdamW(model.parameters(), { learningRate: 2e-3, weightDecay: 3e-4, clipNorm: 1 }), dropLast: false }
}

await load()
for (const name of names.split(',')) {
  const args = ['bench/tables/ports.py', FOLDER, name, seeds]
  const theirs = JSON.parse(execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })) as Theirs
  const own: Score[] = []
  for (const seed of seeds.split(',').map(Number))
    for (const who of ['RealMLP-TD-S', 'TabM-mini'] as const) own.push({ who, seed, ...(await train(name, who, theirs, seed)) })
  const known = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {}
  const meanOf = (scores: Score[], who: Who, key: 'loss' | 'cpu') => {
    const values = scores.filter((score) => score.who === who).map((score) => score[key])
    return Number((values.reduce((sum, value) => sum + value, 0) / values.length).toPrecision(4))
  }
  known[name] = Object.fromEntries(
    (['RealMLP-TD-S', 'TabM-mini'] as const).map((who) => {
      const of = (scores: Score[]) => ({ loss: meanOf(scores, who, 'loss'), cpu: meanOf(scores, who, 'cpu') })
      return [who, { authors: of(theirs.scores), gradus: of(own), epochs: theirs.epochs[who], seeds: own.length / 2 }]
    }),
  )
  writeFileSync(RESULTS, `${JSON.stringify(known, null, 1)}\n`)
  console.log(name, JSON.stringify(known[name]))
}
const results = Object.values(JSON.parse(readFileSync(RESULTS, 'utf8'))) as Record<
  Who,
  Record<'authors' | 'gradus', Record<'loss' | 'cpu', number>>
>[]
for (const who of ['RealMLP-TD-S', 'TabM-mini'] as const) {
  const ratio = (key: 'loss' | 'cpu') =>
    Math.exp(results.reduce((sum, { [who]: { authors, gradus } }) => sum + Math.log(gradus[key] / authors[key]), 0) / results.length)
  console.log(`${who}: loss ${ratio('loss').toFixed(3)} of the authors', CPU time ${ratio('cpu').toFixed(3)} (${results.length} tables)`)
}

/** The loss on the test rows after training: log loss, or the root of the mean squared error. */
async function train(name: string, who: Who, { classes, epochs, tabm }: Theirs, seed: number): Promise<{ loss: number; cpu: number }> {
  const read = (what: string) => parseNpy(new Uint8Array(readFileSync(`${FOLDER}/ports/${name}.${what}.npy`)))
  const [inputs, test] = ['inputs', 'test'].map(read)
  const [targets, truth] = ['targets', 'truth'].map((what) => Array.from(read(what).data as Float32Array))
  const [learned, held] = ['learned', 'held'].map((what) => read(what).data as Int32Array)
  const width = inputs.shape[1]
  const answersOf = Array.from(learned, (row) => targets[row])
  const mean = classes > 0 ? 0 : answersOf.reduce((sum, y) => sum + y, 0) / answersOf.length
  const deviation = classes > 0 ? 1 : Math.sqrt(answersOf.reduce((sum, y) => sum + (y - mean) ** 2, 0) / answersOf.length)
  const rowsOf = (rows: Int32Array) => {
    const own = Array.from(rows, (row) => targets[row])
    return {
      inputs: tensor(takeRows(inputs.data as Float32Array, rows, width, width), [rows.length, width]),
      targets:
        classes > 0
          ? Int32Array.from(own)
          : tensor(
              Float32Array.from(own, (y) => (y - mean) / deviation),
              [rows.length, 1],
            ),
    }
  }
  const began = process.cpuUsage()
  const steps = epochs[who] * Math.floor(learned.length / BATCH)
  const { model, optimizer, schedule, dropLast } =
    who === 'TabM-mini' ? tabmMini(width, classes, tabm, seed) : realMlp(width, classes, seed, steps)
  const loss = (classes > 0 ? crossEntropy : mse) as Loss
  await fit(model, {
    ...{ ...rowsOf(learned), validation: rowsOf(held), optimizer, schedule, batchSize: BATCH, epochs: epochs[who], seed, dropLast },
    loss: who === 'TabM-mini' ? ensembleLoss(loss) : loss,
    callbacks: [new EarlyStopping({ patience: epochs[who] })],
  })
  const { user, system } = process.cpuUsage(began)
  const output = model.predict(tensor(test.data as Float32Array, [truth.length, width])) as Tensor
  const answers = (classes > 0 ? (softmax(output) as Tensor) : output).data()
  const losses = truth.map((y, i) =>
    classes > 0 ? -Math.log(Math.max(1e-7, answers[i * classes + y])) : (mean + deviation * answers[i] - y) ** 2,
  )
  const average = losses.reduce((sum, value) => sum + value, 0) / losses.length
  return { loss: classes > 0 ? average : Math.sqrt(average), cpu: (user + system) / 1e6 }
}
