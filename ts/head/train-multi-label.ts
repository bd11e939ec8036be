/** The training of a head whose rows have sets of classes. */
import { rangeError } from '../common/errors.js'
import { readOptions } from '../common/options.js'
import { setsOf } from './answers.js'
import type { HiddenReport } from './choose-hidden.js'
import type { Chosen } from './choose-penalty.js'
import { Examples } from './examples.js'
import { layersOf } from './layers.js'
import { MultiLabelHead } from './multi-label.js'
import type { MultiLabelReport } from './multi-label-state.js'
import { Sets } from './sets.js'
import { TRAIN_MULTI_LABEL, type TrainMultiLabelOptions } from './train-options.js'
import { checkRows, type Label, readSets, readVectors, type Vectors } from './vectors.js'

/** Threshold of classes that no held-out row judged. */
const USUAL_THRESHOLD = 0.5

/** @internal {@link trainHead} with arrays as labels */
export async function trainMultiLabel<L extends Label>(
  vectors: Vectors,
  labels: readonly (readonly L[])[],
  options: TrainMultiLabelOptions,
): Promise<MultiLabelHead<L>> {
  const { threshold, ...own } = readOptions('trainHead', options, TRAIN_MULTI_LABEL)
  const { rows, names, sets, setOf, counts } = readSetExamples('trainHead', vectors, labels)
  // a class with one row is unknown to the net that does not see it
  const judged = names.map((_, c) => c).filter((c) => counts[c] > 1)
  const scored = judged.length > 0 && (own.l2 === undefined || own.calibrate || threshold === 'f1')
  const { chosen, tried, ...layers } = await layersOf(rows, setOf, {
    ...{ ...own, classes: names.length, answers: setsOf(sets.all, judged), scored },
  })
  const usualThreshold = threshold === 'f1' ? USUAL_THRESHOLD : threshold
  const thresholds = Float64Array.from(names, (_, c) =>
    threshold === 'f1' && chosen !== null && counts[c] > 1 ? bestThreshold(heldOut(chosen, sets, c)) : usualThreshold,
  )
  return new MultiLabelHead<L>({
    ...{ labels: names, width: rows.width, ...layers, thresholds, usualThreshold, sets },
    count: rows.count,
    report: chosen && reportOf(chosen, sets, names, thresholds, tried),
    examples: new Examples(rows, setOf),
  })
}

/** @internal vectors and sets of labels that something can be learned from. @throws TypeError, RangeError */
export function readSetExamples<L extends Label>(who: string, vectors: Vectors, labels: readonly (readonly L[])[]) {
  const rows = readVectors(who, vectors)
  const { labels: names, classesOf } = readSets(who, labels, rows.count)
  if (rows.count === 0 || rows.width === 0) throw rangeError(`${who}: vectors wants examples, got none`)
  if (names.length === 0) throw rangeError(`${who}: labels wants at least one class, and no row has a label`)
  checkRows(who, rows)
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
