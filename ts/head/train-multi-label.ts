/** The training of a head whose rows have sets of classes. */
import { rangeError } from '../common/errors.js'
import { flag, type Kind, positive, readOptions, type Schema, seed } from '../common/options.js'
import { setsOf } from './answers.js'
import { checkRows } from './check-rows.js'
import { type HiddenReport, hiddenLayer } from './choose-hidden.js'
import { type Chosen, choosePenalty } from './choose-penalty.js'
import { Examples } from './examples.js'
import { layersOf } from './layers.js'
import { MultiLabelHead } from './multi-label.js'
import type { MultiLabelReport } from './multi-label-state.js'
import { Sets } from './sets.js'
import { type Label, readSets, readVectors, type Vectors } from './vectors.js'

/** Options of {@link trainHead} with arrays as labels. */
export interface TrainMultiLabelOptions {
  /**
   * The penalty of the squared weights, λ in Σ −log p + ½·λ·Σ w² for each class: 1/C of scikit-learn's `LogisticRegression`. Default: the one with the
   * least log loss in a cross-validation, of steps by √10.
   */
  l2?: number
  /** As for a head with one class a row. */
  hidden?: readonly number[]
  /**
   * Divides logits by the temperature with the least held-out log loss, so that predicted probabilities match observed frequencies. Without a
   * cross-validation it is 1. Default true.
   */
  calibrate?: boolean
  /**
   * The least probability with which a class is named, above 0 and below 1, or `f1`: for each class the one with the largest F1 on held-out rows. Default
   * 0.5.
   */
  threshold?: number | 'f1'
  /** As for a head with one class a row. Default 1e-4. */
  gradientTolerance?: number
  /** Decides the folds, and the rows of the cross-validation where there are many. Default 0. */
  seed?: number
}

const threshold: Kind = {
  wants: "a number above 0 and below 1, or 'f1'",
  fits: (value) => value === 'f1' || (typeof value === 'number' && value > 0 && value < 1),
}

export const TRAIN_MULTI_LABEL = {
  l2: { is: positive, aka: ['penalty', 'weightDecay', 'alpha'] },
  hidden: { is: hiddenLayer, aka: ['hiddenLayers', 'units'] },
  calibrate: { is: flag, default: true },
  threshold: { is: threshold, default: 0.5, aka: ['thresholds'] },
  gradientTolerance: { is: positive, default: 1e-4, aka: ['tol'] },
  seed: { is: seed, default: 0 },
} satisfies Schema<TrainMultiLabelOptions>

/** Threshold of classes that no held-out row judged. */
const USUAL_THRESHOLD = 0.5

/** @internal {@link trainHead} with arrays as labels */
export async function trainMultiLabel<L extends Label>(
  vectors: Vectors,
  labels: readonly (readonly L[])[],
  options: TrainMultiLabelOptions,
): Promise<MultiLabelHead<L>> {
  const read = readOptions('trainHead', options, TRAIN_MULTI_LABEL)
  const { l2: given, hidden: wanted, calibrate, threshold, gradientTolerance, seed } = read
  const { rows, names, sets, setOf, counts } = await readSetExamples('trainHead', vectors, labels)
  const classes = names.length
  // a class with one row is unknown to the net that does not see it
  const judged = names.map((_, c) => c).filter((c) => counts[c] > 1)
  const answers = setsOf(sets.all, judged)
  const line =
    judged.length === 0 || (given !== undefined && !calibrate && threshold !== 'f1')
      ? null
      : choosePenalty('trainHead', rows, setOf, classes, { seed, only: given, calibrate, answers })
  const { chosen, tried, ...layers } = await layersOf(rows, setOf, line, {
    ...{ l2: given, wanted, calibrate, classes, answers, gradientTolerance, seed },
  })
  const usualThreshold = threshold === 'f1' ? USUAL_THRESHOLD : threshold
  const thresholds = Float64Array.from(names, (_, c) =>
    threshold === 'f1' && chosen !== null && counts[c] > 1 ? bestThreshold(heldOut(chosen, sets, c)) : usualThreshold,
  )
  return new MultiLabelHead<L>({
    ...{ labels: names, width: rows.width, ...layers, gradientTolerance, thresholds, usualThreshold, sets },
    temperature: chosen?.temperature ?? 1,
    count: rows.count,
    report: chosen && reportOf(chosen, sets, names, thresholds, tried),
    examples: new Examples(rows, setOf),
  })
}

/** @internal vectors and sets of labels that something can be learned from. @throws TypeError, RangeError */
export async function readSetExamples<L extends Label>(who: string, vectors: Vectors, labels: readonly (readonly L[])[]) {
  const rows = readVectors(who, vectors)
  const { labels: names, classesOf } = readSets(who, labels, rows.count)
  if (rows.count === 0 || rows.width === 0) throw rangeError(`${who}: vectors wants examples, got none`)
  if (names.length === 0) throw rangeError(`${who}: labels wants at least one class, and no row has a label`)
  await checkRows(who, rows)
  const sets = new Sets(names.length)
  const setOf = sets.add(classesOf)
  return { rows, names, sets, setOf, counts: sets.counts(setOf) }
}

/** Held-out rows with their probability of a class. */
function heldOut({ logits, answerOf, judged, temperature }: Chosen, { classes, all }: Sets, c: number): { p: number; has: boolean }[] {
  return Array.from(judged, (row) => ({
    p: 1 / (1 + Math.exp(-logits[row * classes + c] / temperature)),
    has: all[answerOf[row]][c] === 1,
  }))
}

/** The threshold with the largest F1, half-way between two rows; the usual one where no row has the class. */
function bestThreshold(held: readonly { p: number; has: boolean }[]): number {
  const rows = [...held].sort((a, b) => b.p - a.p)
  const positives = rows.filter(({ has }) => has).length
  let [hits, best, at] = [0, 0, USUAL_THRESHOLD]
  for (const [i, { p, has }] of rows.entries()) {
    hits += Number(has)
    const next = rows[i + 1]?.p ?? 0
    const f1 = (2 * hits) / (i + 1 + positives)
    const middle = (p + next) / 2
    if (next === p || f1 <= best || !(middle > 0 && middle < 1)) continue
    ;[best, at] = [f1, middle]
  }
  return at
}

function reportOf(
  chosen: Chosen,
  sets: Sets,
  names: readonly Label[],
  thresholds: Float64Array,
  hidden: HiddenReport | null,
): MultiLabelReport {
  const { rows, folds, best, tried } = chosen
  const classes = names.map((name, c) => {
    const held = heldOut(chosen, sets, c)
    const found = held.filter(({ p }) => p >= thresholds[c])
    const hits = found.filter(({ has }) => has).length
    const own = held.filter(({ has }) => has).length
    const share = (n: number, of: number) => (of === 0 ? 0 : n / of)
    return {
      ...{ label: String(name), rows: own, threshold: thresholds[c] },
      ...{ precision: share(hits, found.length), recall: share(hits, own), f1: share(2 * hits, found.length + own) },
    }
  })
  return { rows, folds, logLoss: best.logLoss, accuracy: best.accuracy, classes, tried, hidden }
}
