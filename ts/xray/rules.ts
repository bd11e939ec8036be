/**
 * The rules: figures of a report → a sentence with a remedy. A rule looks at the report alone, so a saved report gives the same verdicts. Each has its
 * source beside it; thresholds were set on trainings of test/xray/faults.ts with even seeds and judged on odd ones.
 */
import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { formatNumber, formatShare } from '../report/format.js'
import { type Course, courseOf, isSlow, isUnfinished, overshootOf, wayOf } from './course.js'
import type { Severity, Verdict, XrayLayer, XrayReport } from './report.js'

/** A finding before it has the name of its rule. */
interface Finding {
  severity: Severity
  layer?: string
  /** Default: the start. */
  step?: number
  says: string
  remedy: string
  figures: Record<string, number>
}

interface Rule {
  name: string
  /** Paper or book, and what the threshold means. */
  source: string
  find: (c: Course) => Finding | null
}

/** Root mean square of the largest column, or of targets, that counts as scaled, and how far above it nobody would doubt that it is not. */
const [MIN_INPUT, MAX_INPUT, SURE] = [0.02, 10, 3]
/** Gain of weights below which signals are too small to be told apart. */
const MIN_GAIN = 0.12

const RULES: readonly Rule[] = [
  {
    name: 'wrong loss for the output',
    source: 'Goodfellow, Bengio & Courville 2016, section 6.2.2: the loss decides the output units',
    find: ({ report: { setup, loss, data } }): Finding | null => {
      const { output, logits } = setup
      if (logits && output !== 'linear')
        return {
          severity: 'fault',
          says: `the last layer has the activation ${output}, but ${loss} takes logits`,
          remedy: "leave the last layer's activation out, and apply it to predictions",
          figures: {},
        }
      const { levels = 0 } = data?.target ?? {}
      if (!logits && levels >= 3 && data?.target?.least === 0 && data.target.most === levels - 1)
        return {
          severity: 'warning',
          says: `targets look like ${levels} classes, 0 to ${levels - 1}, but ${loss} takes them as numbers`,
          remedy: `let the last layer have ${levels} outputs, take crossEntropy, and give targets as Int32Array`,
          figures: { levels, most: levels - 1 },
        }
      const [low, high] = { sigmoid: [0, 1], tanh: [-1, 1], relu: [0, Infinity], softplus: [0, Infinity] }[output] ?? [-Infinity, Infinity]
      const { least, most, deviation } = data?.target ?? { least: 0, most: 0, deviation: 0 }
      if (data?.target === undefined || (least >= low - 0.01 * deviation && most <= high + 0.01 * deviation)) return null
      return {
        severity: 'fault',
        says: `the last layer's ${output} gives ${low} to ${high}, but targets go from ${formatNumber(least)} to ${formatNumber(most)}`,
        remedy: 'make the last layer linear',
        figures: { least, most, low, ...(Number.isFinite(high) && { high }) },
      }
    },
  },
  {
    name: 'frozen layer',
    source: 'a layer without updates: its parameters do not requireGrad, or are not in the optimizer',
    find: ({ report: { layers } }) => {
      const frozen = layers.filter((layer) => layer.frozen)
      if (frozen.length === 0) return null
      const [{ name }] = frozen
      const share = frozen.reduce((sum, l) => sum + l.parameters, 0) / layers.reduce((sum, l) => sum + l.parameters, 0)
      return {
        severity: 'warning',
        layer: name,
        says: `${inWords(frozen)} ${frozen.length > 1 ? 'are' : 'is'} frozen, ${formatShare(share)} of the weights`,
        remedy: `set requiresGrad = true on the parameters of ${inWords(frozen)} and give them to the optimizer, unless this is meant`,
        figures: { frozen: frozen.length, share },
      }
    },
  },
  {
    name: 'inputs not scaled',
    source: 'LeCun, Bottou, Orr & Müller 1998, section 4.3: inputs of mean 0 and equal variance; raw iris has 5.9',
    find: ({ report: { data, start, layers }, left, hidden }) => {
      // indices are no quantities, and a normalization scales its input
      if (data?.largest === undefined || /Embed|Norm/.test(layers[0]?.kind ?? '')) return null
      const { column, size, least } = data.largest
      if (size > MIN_INPUT && size < MAX_INPUT) return null
      const suffers =
        left > 0.5 || hidden.some(({ i }) => start !== undefined && (start.layers[i].saturated ?? 0) > 0.4 && start.layers[i].gain < 3)
      return {
        severity: size > SURE * MAX_INPUT || size < MIN_INPUT || suffers ? 'warning' : 'note',
        says: `inputs are not scaled: column ${column} has values of about ${formatNumber(size)}${least < size / 2 ? `, the smallest column of ${formatNumber(least)}` : ''}`,
        remedy: 'standardize the inputs: standardize() of gradus/data',
        figures: { column, size, least },
      }
    },
  },
  {
    name: 'target not scaled',
    source: 'Bishop 1995, section 8.2: targets of order one',
    find: ({ report: { data, setup }, left }) => {
      const { mean, deviation, most, least } = data?.target ?? { mean: 0, deviation: 1, most: 0, least: 0 }
      const size = Math.hypot(mean, deviation)
      if (setup.logits || most === least || (size <= MAX_INPUT && size > MIN_INPUT)) return null
      return {
        severity: size > SURE * MAX_INPUT || left > 0.5 ? 'warning' : 'note',
        says: `targets are not scaled: their mean is ${formatNumber(mean)} and their spread ${formatNumber(deviation)}`,
        remedy: 'subtract the mean from targets and divide them by the spread, and undo that in predictions',
        figures: { mean, deviation },
      }
    },
  },
  {
    name: 'sorted rows',
    source: 'Bottou 2012, section 2: draw rows at random',
    find: ({ report: { data, setup, batchesPerEpoch } }) => {
      if (data === undefined || setup.shuffle || batchesPerEpoch < 2) return null
      const { share, expected } = data.sorted
      if (share - expected < 0.6 * (1 - expected)) return null
      const what = data.classes
        ? `${formatShare(share)} of the rows have the class of the row before`
        : `neighboring targets have a correlation of ${formatNumber(share)}`
      return {
        severity: 'warning',
        says: `rows are sorted and not shuffled: ${what}, ${data.classes ? formatShare(expected) : formatNumber(expected)} in a random order`,
        remedy: 'leave shuffle: false out',
        figures: { share, expected },
      }
    },
  },
  {
    name: 'validation rows in training',
    source: 'Kapoor & Narayanan 2023, leakage L1.4: duplicates',
    find: ({ report: { data } }) => {
      const { validation, training, copied = 0 } = data?.repeated ?? { validation: 0, training: 0 }
      // where every row stands k times, most training rows repeat another one, too
      if (validation < 0.05 + 2 * training && copied <= 0.5) return null
      return {
        severity: 'warning',
        says: `${formatShare(validation)} of the validation rows are among the training rows, where ${formatShare(training)} repeat another`,
        remedy: 'take duplicates out before rows are split: the validation loss is too good',
        figures: { validation, training },
      }
    },
  },
  {
    name: 'leak',
    source: 'Kaufman, Rosset & Perlich 2012: a column that would not be known before the target is',
    find: ({ report: { data } }) => {
      const { column, share, second } = data?.telling ?? { column: 0, share: 0, second: 0 }
      if (data === undefined || data.columns < 2 || share < (data.classes ? 0.99 : 0.98) || 1 - second < 5 * (1 - share)) return null
      return {
        severity: 'warning',
        says: `column ${column} explains ${(100 * share).toFixed(1)} % of the target, the next best ${(100 * second).toFixed(1)} %: it may be a copy of the answer`,
        remedy: `leave column ${column} out, unless it is known before the target is`,
        figures: { column, share, second },
      }
    },
  },
  {
    name: 'equal units',
    source: 'Goodfellow, Bengio & Courville 2016, section 8.4: initial weights must break the symmetry between units',
    find: ({ report: { start }, hidden }) => {
      const found = hidden.find(({ layer, i }) => layer.units > 1 && (start?.layers[i].equal ?? 0) > 0.9)
      if (found === undefined || start === undefined) return null
      const { equal, gain } = start.layers[found.i]
      return {
        severity: 'fault',
        layer: found.layer.name,
        says: `the initial weights are symmetric: ${formatShare(equal)} of the ${found.layer.units} units of layer ${found.layer.name} equal the first one, and learn the same${gain < MIN_GAIN ? '; all near 0, they are a saddle' : ''}`,
        remedy: 'draw the initial weights at random (leave weightInitializer out)',
        figures: { equal, gain, units: found.layer.units },
      }
    },
  },
  {
    name: 'saddle',
    source: 'Saxe, McClelland & Ganguli 2014: with small weights a net starts beside a saddle, whose escape takes long',
    find: ({ report: { start }, hidden }) => {
      const small = hidden.length > 0 && start !== undefined && hidden.every(({ i }) => start.layers[i].gain < MIN_GAIN)
      if (!small) return null
      const gain = Math.max(...hidden.map(({ i }) => start.layers[i].gain))
      const { gradientNorm, lowest = 0 } = start
      return {
        severity: 'warning',
        layer: hidden[0].layer.name,
        says: `the training starts at a saddle: hidden weights are ${formatNumber(gain)} of the size that keeps signals alive, and the slope is ${formatNumber(gradientNorm)}`,
        remedy: 'take a usual initializer, such as heUniform or glorotUniform',
        figures: { gain, gradientNorm, lowest },
      }
    },
  },
  {
    name: 'dead units',
    source: 'Lu et al. 2020, "Dying ReLU and initialization"',
    find: ({ report: { start }, hidden }) => {
      const found = worst(hidden, ({ i }) => start?.layers[i].dead ?? 0)
      if (found === undefined || found.value < 0.4) return null
      return {
        severity: 'fault',
        layer: found.of.layer.name,
        says: `${formatShare(found.value)} of the units of layer ${found.of.layer.name} are dead from the start: 0 for every row, so that they do not learn`,
        remedy: 'start biases at 0 and weights with heUniform, or take leakyRelu or gelu',
        figures: { dead: found.value },
      }
    },
  },
  {
    name: 'saturated units',
    source: 'Glorot & Bengio 2010, section 3: sigmoids at their ends have no slope',
    find: ({ report: { start }, hidden }) => {
      const found = worst(hidden, ({ i }) => start?.layers[i].saturated ?? 0)
      if (found === undefined || start === undefined || found.value < 0.45) return null
      const { gain } = start.layers[found.of.i]
      const cause = gain > 3 ? `initial weights are ${formatNumber(gain)} × as large as they should be` : 'biases or inputs push them there'
      return {
        severity: gain > 3 || found.value > 0.75 ? 'fault' : 'note',
        layer: found.of.layer.name,
        says: `${formatShare(found.value)} of the outputs of layer ${found.of.layer.name} are saturated from the start, on a plateau of its ${found.of.layer.activation}: ${cause}`,
        remedy: 'start with biases of 0 and weights of glorotUniform, and scale the inputs',
        figures: { saturated: found.value, gain },
      }
    },
  },
  {
    name: 'initial weights too large',
    source: 'He et al. 2015, section 2.2: a gain above 1 multiplies from layer to layer',
    find: ({ report: { start, data }, hidden, first }) => {
      const found = worst(hidden, ({ i }) => start?.layers[i].gain ?? 0)
      const times = data?.baseline ? first / data.baseline : 0
      if (found === undefined || !(found.value > 3.5 && (times > 5 || hidden.length > 1 || data?.baseline === undefined))) return null
      return {
        severity: 'fault',
        layer: found.of.layer.name,
        says: `the initial weights explode: those of layer ${found.of.layer.name} are ${formatNumber(found.value)} × as large as keeps the size of signals, and the first loss is ${formatNumber(first)}${times > 1 ? `, ${formatNumber(times)} × that of a constant` : ''}`,
        remedy: 'take a usual initializer, such as heUniform or glorotUniform',
        figures: { gain: found.value, first, ...(times > 1 && { times }) },
      }
    },
  },
  {
    name: 'vanishing gradients',
    source: 'Hochreiter 1991; Glorot & Bengio 2010, section 4.2',
    find: ({ report: { start, layers }, hidden }) => {
      if (start === undefined || hidden.length < 4 || layers[0].frozen) return null
      const per = start.layers.map(({ gradientNorm }, i) => gradientNorm / Math.sqrt(layers[i].parameters))
      const most = Math.max(...per)
      if (!(most > 0) || per[0] > 1e-4 * most) return null
      const ratio = per[0] / most
      return {
        severity: 'fault',
        layer: layers[0].name,
        says: `gradients vanish: the first of ${layers.length} layers gets ${formatNumber(ratio)} of the largest one`,
        remedy: `fewer layers, relu in place of ${layers[0].activation ?? 'the activation'}, or a LayerNorm between them`,
        figures: { ratio, layers: layers.length },
      }
    },
  },
  {
    name: 'dropout too large',
    source: 'Srivastava et al. 2014, figure 9: best between 0.2 and 0.5',
    find: ({ report: { setup } }) =>
      setup.dropout < 0.7
        ? null
        : {
            severity: 'warning',
            says: `dropout of ${formatNumber(setup.dropout)} leaves ${formatShare(1 - setup.dropout)} of the units in a step`,
            remedy: 'try 0.2 to 0.5',
            figures: { dropout: setup.dropout },
          },
  },
  {
    name: 'rare class',
    source: 'He & Garcia 2009, section 2: a class with an eighth of its even share',
    find: ({ report: { data } }) => {
      const { classes, rows } = data ?? {}
      if (classes === undefined || rows === undefined || classes.length < 2) return null
      const least = Math.min(...classes)
      const share = least / rows
      const label = classes.indexOf(least)
      if (share * classes.length >= 0.25) return null
      const missed = data?.predicted !== undefined && data.predicted[label] === 0
      return {
        severity: share * classes.length < 0.12 ? 'warning' : 'note',
        says: `class ${label} is rare: ${least} of ${rows} rows, ${formatShare(share)}${missed ? ', and the net never predicts it' : ''}`,
        remedy: 'weight its rows (classWeights of gradus/data), and judge by f1 or auc rather than accuracy',
        figures: { label, count: least, rows, share },
      }
    },
  },
  {
    name: 'constant column',
    source: 'a column with one value is a second bias',
    find: ({ report: { data } }) => {
      const { constant = [], columns = 0 } = data ?? {}
      if (constant.length === 0) return null
      const names = constant.slice(0, 5).join(', ')
      return {
        severity: 'note',
        says: `${constant.length === 1 ? `column ${names} is` : `columns ${names}${constant.length > 5 ? ` and ${constant.length - 5} more` : ''} are`} constant: ${constant.length} of ${columns} say nothing`,
        remedy: 'leave constant columns out, and look whether something went wrong where they were read',
        figures: { constant: constant.length, columns },
      }
    },
  },
  {
    name: 'weight decay too large',
    source: 'Loshchilov & Hutter 2019; Krogh & Hertz 1991: the decay holds weights below what the loss wants',
    find: ({ report: { setup, samples }, left, growth, last }) => {
      const { weightDecay, decoupled, learningRate, steps } = setup
      if (!(weightDecay >= (decoupled ? 0.3 : 0.008))) return null
      const pull = decoupled ? learningRate * weightDecay * steps : weightDecay
      const failed = left > 0.5 || growth < 0.5
      return {
        severity: failed ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: `weight decay of ${formatNumber(weightDecay)} holds the weights down: at the end they are ${formatNumber(growth)} × their first size${left < 10 ? `, the loss ${formatNumber(left)} × that of a constant` : ''}`,
        remedy: `try ${formatNumber(weightDecay / 100)}`,
        figures: { weightDecay, growth, pull, ...(left < 10 && { left }), samples: samples.length },
      }
    },
  },
  {
    name: 'schedule ends too early',
    source: 'the rate is below a fiftieth of its largest for a fourth of the steps or more',
    find: ({ report: { setup }, samples, falling, left }) => {
      if (samples.length < 4) return null
      const largest = Math.max(setup.learningRate, ...samples.map((s) => s.learningRate))
      const from = samples.findIndex((_, i) => samples.slice(i).every((s) => s.learningRate <= largest / 50))
      if (from < 0) return null
      const { step } = samples[from]
      const share = (samples[samples.length - 1].step - step) / samples[samples.length - 1].step
      if (share < 0.25) return null
      const idle = samples.filter((s) => s.learningRate <= largest / 1000).length / samples.length
      return {
        severity: idle > 0.2 ? 'warning' : 'note',
        step,
        says: `the learning rate is below a fiftieth of ${formatNumber(largest)} since step ${step}: ${formatShare(share)} of the steps change little`,
        remedy: `let the schedule last ${setup.steps} steps`,
        figures: { largest, step, share, idle, steps: setup.steps, falling, left },
      }
    },
  },
  {
    name: 'batch too small',
    source: 'McCandlish et al. 2018: below the noise scale a step follows single rows',
    find: ({ report: { batchSize, data }, last, left, early, late }) => {
      if (batchSize > 2 || (data?.rows ?? 0) < 32) return null
      const noise = last?.noiseScale ?? 0
      return {
        severity: left > 0.4 && noise > 2 * batchSize && Math.max(early, late) < 1 ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: `the batch is ${batchSize === 1 ? 'a single row' : '2 rows'}${noise > 0 ? `; the noise scale is ${formatNumber(noise)} rows` : ''}`,
        remedy: `try a batchSize of ${Math.min(64, Math.max(8, 2 ** Math.round(Math.log2(noise || 16))))}, which also runs faster`,
        figures: { batchSize, noise },
      }
    },
  },
  {
    name: 'rate too large',
    source: 'LeCun, Simard & Pearlmutter 1993: 2/λ; Cohen et al. 2021 and 2022: the edge of stability',
    find: (c) => {
      const { report, diverged, left, jump, growth, last, falling } = c
      const { learningRate, limit } = report.setup
      const { isAdaptive, unstable, wild, failed, isTooLarge } = overshootOf(c)
      if (!isTooLarge) return null
      const mad = jump > (isAdaptive ? 0.35 : 1)
      const atStart = isAdaptive || limit === undefined ? 0 : (learningRate * (report.start?.sharpness ?? 0)) / limit
      const measured = atStart > 1 || unstable > 1
      const times = atStart > 1 ? atStart : unstable > 1 ? unstable : Math.max(2, isAdaptive ? jump / 0.03 : 0)
      const better = learningRate / times / 2
      const cause = measured
        ? `rate ${formatNumber(learningRate)} is ${formatNumber(times)} × the largest stable one`
        : wild
          ? `rate ${formatNumber(learningRate)} changes weights by ${formatShare(jump)} in a step`
          : `with rate ${formatNumber(learningRate)} weights grew ${formatNumber(growth)} ×`
      const effect = diverged ? 'the training diverged: ' : failed ? `the loss is ${formatNumber(left)} × that of a constant: ` : ''
      return {
        severity: diverged ? 'fault' : failed && (mad || unstable > 1 || growth > 8) ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: `the learning rate is too large; ${effect}${cause}`,
        remedy: `try ${formatNumber(better)}${measured ? ' (measured)' : ''}`,
        figures: { learningRate, unstable, jump, growth, better, times, falling, ...(left < 1e6 && { left }) },
      }
    },
  },
  {
    name: 'batch too large',
    source: 'McCandlish et al. 2018: beyond the noise scale more rows a step bring little',
    find: ({ report: { batchesPerEpoch, data, batchSize, setup, end }, left, falling, last }) => {
      if (batchesPerEpoch !== 1 || data === undefined || data.rows < 64) return null
      const noise = last?.noiseScale
      const short = left > 0.4 && falling > 0.02 && setup.steps < 2000
      return {
        severity: short && end?.kind !== 'minimum' ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: `the batch is all ${batchSize} rows: ${setup.steps} steps in as many epochs${noise === undefined ? '' : `, where ${formatNumber(noise)} rows a step would do (noise scale)`}`,
        remedy: `try a batchSize of ${Math.min(64, Math.max(8, 2 ** Math.round(Math.log2(noise ?? 32))))}`,
        figures: { batchSize, steps: setup.steps, left, falling, ...(noise !== undefined && { noise }) },
      }
    },
  },
  {
    name: 'labels that look wrong',
    source: 'Pleiss et al. 2020: negative area under the margin',
    find: ({ report: { fit, data, layers, level }, last, stands, left, falling }) => {
      if (fit === undefined || data === undefined || stands) return null
      // a net that still learns classes contradicts those that it has not learned
      if (data.classes !== undefined && isUnfinished({ left, falling })) return null
      // suspects are rows of two scores or more
      const isListed = data.classes !== undefined && (layers.at(-1)?.units ?? 0) > 1
      const share = fit.odd / fit.rows
      if (share < 0.07 || fit.right < (data.classes ? 0.6 : 0.1)) return null
      return {
        severity: share > 0.1 ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: data.classes
          ? `labels look wrong: the net contradicts ${formatShare(share)} of them, as strongly as it agrees with the others`
          : `targets look wrong: the net is off by more than 4 times the median for ${formatShare(share)} of them`,
        remedy: isListed
          ? `look at the rows that it contradicts: ${level === 'full' ? 'report.suspects has them' : "level: 'full' lists them in report.suspects"}`
          : 'look at the rows whose predictions are the farthest from their targets',
        figures: { share, right: fit.right, rows: fit.rows },
      }
    },
  },
  {
    name: 'rate too small',
    source: 'the weights have moved by less than a third of their size, and the loss still falls',
    find: (c) => {
      const { moved, left, falling, late, early, last, stands } = c
      const { setup, end, start } = c.report
      if (!isSlow(c)) return null
      const { path, cosine } = wayOf(c)
      const stable = Math.max(late, early > 1 ? 0 : early)
      const times = Math.min(1000, Math.max(3, stable > 0 ? 0.3 / stable : 0.003 / moved))
      return {
        severity: left > 0.3 && moved < 1e-3 ? 'warning' : 'note',
        step: last?.step ?? 0,
        says: `the learning rate is too small: a step of ${formatNumber(setup.learningRate)} changes weights by ${formatNumber(moved)} of their size, and ${stands ? 'they stand on a slope' : 'the loss still falls'}`,
        remedy: `try ${formatNumber(Math.min(times, 0.003 / moved) * setup.learningRate)}`,
        figures: {
          learningRate: setup.learningRate,
          moved,
          path,
          left,
          falling,
          cosine,
          gradientNorm: end?.gradientNorm ?? start?.gradientNorm ?? 0,
        },
      }
    },
  },
  {
    name: 'plateau',
    source: 'inspectPoint: the loss neither falls nor has it fallen',
    find: (c) => {
      const { left, first, end: final, samples, moved, last, diverged } = c
      const { end, start } = c.report
      if (diverged || isSlow(c) || samples.length < 4 || !(left > 0.85) || Math.abs(first - final) > 0.05 * Math.abs(first)) return null
      const slope = end?.gradientNorm ?? 0
      return {
        severity: 'warning',
        step: last?.step ?? 0,
        says: `the training stands on a plateau: the loss is ${formatNumber(final)} after ${formatNumber(first)} at the start, the slope ${formatNumber(slope)}`,
        remedy: 'start from other weights (another seed or initializer), and look at the activations',
        figures: { first, final, slope, moved, sharpness: start?.sharpness ?? 0 },
      }
    },
  },
  {
    name: 'units die',
    source: 'Lu et al. 2020: a large step pushes units where they are 0 for every row',
    find: ({ samples, hidden, left, last, report: { setup } }) => {
      if (last === undefined || left < 0.4) return null
      const found = worst(hidden, ({ i }) => last.layers[i].dead ?? last.layers[i].saturated ?? 0)
      if (found === undefined || found.value < 0.6) return null
      const { i, layer } = found.of
      const since = samples.find((s) => (s.layers[i].dead ?? s.layers[i].saturated ?? 0) >= 0.6)?.step ?? 0
      const word = last.layers[i].dead !== undefined ? 'units' : 'outputs'
      return {
        severity: 'warning',
        layer: layer.name,
        step: since,
        says: `${formatShare(found.value)} of the ${word} of layer ${layer.name} are ${word === 'units' ? 'dead' : 'saturated'} since step ${since}`,
        remedy: `try a learning rate of ${formatNumber(setup.learningRate / 5)}, and inputs of unit variance`,
        figures: { share: found.value, since, learningRate: setup.learningRate },
      }
    },
  },
  {
    name: 'overfitting',
    source: 'Prechelt 1998: the validation loss rises while the training loss falls',
    find: ({ report: { epochs, data }, first }) => {
      const judged = epochs.filter((e) => e.validationLoss !== undefined) as {
        validationLoss: number
        epoch: number
        step: number
        loss: number
      }[]
      if (judged.length < 4) return null
      const best = judged.reduce((a, b) => (b.validationLoss < a.validationLoss ? b : a))
      const end = judged[judged.length - 1]
      const small = 0.01 * (data?.baseline ?? first)
      if (end.validationLoss <= Math.max(1.15 * best.validationLoss, small) || end.loss > best.loss) return null
      return {
        severity: 'note',
        step: best.step,
        says: `the net overfits since epoch ${best.epoch}: the validation loss rose from ${formatNumber(best.validationLoss)} to ${formatNumber(end.validationLoss)}`,
        remedy: `stop at epoch ${best.epoch} (new EarlyStopping()), or take more data, weight decay or dropout`,
        figures: { epoch: best.epoch, best: best.validationLoss, end: end.validationLoss },
      }
    },
  },
  {
    name: 'too few epochs',
    source: 'the loss still falls by a twentieth in the last third of the training',
    find: ({ left, falling, last, report: { epochsPlanned } }) =>
      !isUnfinished({ left, falling })
        ? null
        : {
            severity: 'note',
            step: last?.step ?? 0,
            says: `the loss still falls: by ${formatShare(falling)} in the last third`,
            remedy: `try ${3 * epochsPlanned} epochs`,
            figures: { falling, left },
          },
  },
]

/** Names of all rules with their sources. */
export const SOURCES: readonly { name: string; source: string }[] = RULES.map(({ name, source }) => ({ name, source }))

/**
 * The findings in a report: faults and warnings before notes, and causes before their effects, in the order of the rules.
 *
 * @param report of an {@link XRay}, perhaps from JSON
 * @example
 * const xray = new XRay()
 * await fit(model, { inputs, targets, loss: crossEntropy, optimizer, epochs: 5, callbacks: [xray] })
 * diagnose(JSON.parse(JSON.stringify(xray.report))).length === xray.report.verdicts.length // true
 */
export function diagnose(report: XrayReport): Verdict[] {
  if (!Array.isArray(report?.samples) || report.setup === undefined)
    throw typeError(`diagnose: wants the report of an XRay, got ${show(report)}`)
  const course = courseOf(report)
  const found = RULES.flatMap(({ name, find }): Verdict[] => {
    const finding = find(course)
    if (finding === null) return []
    const figures = Object.fromEntries(Object.entries(finding.figures).filter(([, value]) => Number.isFinite(value)))
    return [{ rule: name, step: 0, ...finding, figures }]
  })
  return [...found.filter(({ severity }) => severity !== 'note'), ...found.filter(({ severity }) => severity === 'note')]
}

function worst<T>(all: readonly T[], of: (t: T) => number): { of: T; value: number } | undefined {
  let found: { of: T; value: number } | undefined
  for (const t of all) {
    const value = of(t)
    if (found === undefined || value > found.value) found = { of: t, value }
  }
  return found
}

/** `layer 0`, `layers 0 and 2`. */
function inWords(layers: readonly XrayLayer[]): string {
  const names = layers.map(({ name }) => name)
  return names.length === 1 ? `layer ${names[0]}` : `layers ${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`
}
