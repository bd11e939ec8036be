/** Examples to look at: labels that are probably wrong, and rows whose labels would teach the most. */
import { checkCount } from '../common/checks.js'
import { typeError } from '../common/errors.js'
import { positive, readOptions, type Schema, seed } from '../common/options.js'
import { show } from '../common/show.js'
import { softmaxOf } from '../common/softmax.js'
import { doubtful } from '../select/confident.js'
import { type Answers, ONE_CLASS, setsOf } from './answers.js'
import { type Chosen, choosePenalty } from './choose-penalty.js'
import { Head } from './head.js'
import { MultiLabelHead } from './multi-label.js'
import { readExamples } from './train-head.js'
import { readSetExamples } from './train-multi-label.js'
import { haveSets, type Label, type Rows, readVectors, type Vectors } from './vectors.js'

/** Options of {@link findMislabelled}. */
export interface FindMislabelledOptions {
  /** The penalty of the squared weights, as in `trainHead`. Default: by cross-validation. */
  l2?: number
  /** Decides the folds. Default 0. */
  seed?: number
}

export const FIND_MISLABELLED = { l2: { is: positive }, seed: { is: seed, default: 0 } } satisfies Schema<FindMislabelledOptions>

/** A row whose label is probably wrong. */
export interface Mislabelled<L extends Label = Label> {
  index: number
  /** The label that it has. */
  label: L
  /** The label that is likelier. */
  suggestion: L
  /** Probabilities of both, from a head that did not see the row. */
  probability: number
  suggestedProbability: number
}

/** A label that a row probably has by mistake, or lacks. */
export interface MislabelledSet<L extends Label = Label> {
  index: number
  label: L
  /** True if the row has the label, and probably should not; false if it lacks it. */
  has: boolean
  /** Probability of what the row says about the label, from a head that did not see the row. */
  probability: number
}

/**
 * Rows whose label is probably wrong, the surest first. Each row is judged by a head that did not see it. It is named where another class has at least
 * the probability that this class has on average for rows with its label, and is the likeliest such class (confident learning, Northcutt, Jiang & Chuang
 * 2021).
 *
 * @example
 * const vectors = Array.from({ length: 20 }, (_, i) => [i % 2, i / 20])
 * const labels = vectors.map(([x], i) => (x === 1 || i === 8 ? 'b' : 'a'))
 * const wrong = await findMislabelled(vectors, labels)
 * wrong[0].index // 8
 * @throws TypeError, RangeError as `trainHead` does
 */
export function findMislabelled<const L extends Label>(
  vectors: Vectors,
  labels: readonly L[],
  options?: FindMislabelledOptions,
): Promise<Mislabelled<L>[]>
/**
 * Where labels are arrays, labels that a row has or lacks by mistake: each class is judged as a pair of classes, to have the label and not to have it.
 *
 * @example
 * const vectors = Array.from({ length: 20 }, (_, i) => [i % 2, i / 20])
 * const labels = vectors.map(([x], i) => (x === 1 && i !== 7 ? ['odd'] : []))
 * const [wrong] = await findMislabelled(vectors, labels)
 * wrong.index // 7
 * wrong.has // false
 * @throws TypeError, RangeError as `trainHead` does
 */
export function findMislabelled<const L extends Label>(
  vectors: Vectors,
  labels: readonly (readonly L[])[],
  options?: FindMislabelledOptions,
): Promise<MislabelledSet<L>[]>
export async function findMislabelled<L extends Label>(
  vectors: Vectors,
  labels: readonly L[] | readonly (readonly L[])[],
  options: FindMislabelledOptions = {},
): Promise<Mislabelled<L>[] | MislabelledSet<L>[]> {
  const { l2, seed } = readOptions('findMislabelled', options, FIND_MISLABELLED)
  if (haveSets(labels)) return mislabelledSets(vectors, labels, l2, seed)
  const { rows, read } = readExamples('findMislabelled', vectors, labels)
  const { labels: names, classOf } = read
  const classes = names.length
  const chosen = judgedRows(rows, classOf, classes, { l2, seed })
  if (chosen === null) return []
  const p = chosen.logits.map((z) => z / chosen.temperature)
  for (let i = 0; i < rows.count; i++) softmaxOf(p.subarray(i * classes, (i + 1) * classes))
  return doubtful(p, classOf, classes).map(({ index, suggestion, ...probabilities }) => ({
    ...{ index, label: names[classOf[index]] as L, suggestion: names[suggestion] as L },
    ...probabilities,
  }))
}

async function mislabelledSets<L extends Label>(
  vectors: Vectors,
  labels: readonly (readonly L[])[],
  l2: number | undefined,
  seed: number,
): Promise<MislabelledSet<L>[]> {
  const { rows, names, sets, setOf, counts } = readSetExamples('findMislabelled', vectors, labels)
  const judged = names.map((_, c) => c).filter((c) => counts[c] > 1)
  const chosen = judged.length === 0 ? null : judgedRows(rows, setOf, names.length, { l2, seed, answers: setsOf(sets.all, judged) })
  if (chosen === null) return []
  const found = judged.flatMap((c) => {
    const has = Int32Array.from(setOf, (set) => sets.all[set][c])
    const p = new Float64Array(2 * rows.count)
    for (let i = 0; i < rows.count; i++) {
      const own = 1 / (1 + Math.exp(-chosen.logits[i * names.length + c] / chosen.temperature))
      p.set([1 - own, own], 2 * i)
    }
    return doubtful(p, has, 2).map(({ index, probability }) => ({ index, label: names[c], has: has[index] === 1, probability }))
  })
  return found.sort((a, b) => a.probability - b.probability || a.index - b.index)
}

/** Held-out logits of all rows, with a penalty that is given or found. */
function judgedRows(
  rows: Rows,
  answerOf: Int32Array,
  classes: number,
  { l2, seed, answers = ONE_CLASS }: { l2: number | undefined; seed: number; answers?: Answers },
): Chosen | null {
  const chosen = (only?: number, everyRow = false) => {
    const found = choosePenalty(rows, answerOf, classes, { seed, only, everyRow, answers })
    found?.engine.memory.free()
    return found
  }
  return chosen(l2 ?? chosen()?.best.l2, true)
}

/** Rows among which the next ones are chosen, for each of them: the least sure ones. */
const POOL = 10

/**
 * The rows whose labels would teach a head the most, the first one first (active learning): rows whose two likeliest classes are closest, and of ten
 * times as many such rows those that are farthest from one another, so that no two of them say the same. Of a head with arrays as labels, rows with a
 * class whose probability is closest to its threshold.
 *
 * @param vectors rows without labels
 * @param count of rows. Default 1
 * @returns numbers of rows
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * chooseNext(head, [[0, 3], [1, 1], [3, 0]]) // [1]
 * @throws TypeError, RangeError naming the row that does not fit
 */
export function chooseNext<L extends Label>(head: Head<L> | MultiLabelHead<L>, vectors: Vectors, count = 1): number[] {
  if (!(head instanceof Head || head instanceof MultiLabelHead))
    throw typeError(`chooseNext: wants a head of trainHead or loadHead, got ${show(head)}`)
  checkCount('chooseNext: count', count)
  const { vectors: values, count: rows, width } = readVectors('chooseNext', vectors, head.width)
  const at = (row: number) => values.subarray(row * width, (row + 1) * width)
  const margins = Float64Array.from({ length: rows }, (_, row) => marginOf(head, at(row)))
  const pool = Array.from(margins.keys())
    .sort((a, b) => margins[a] - margins[b] || a - b)
    .slice(0, POOL * count)
  const distances = pool.map(() => Number.POSITIVE_INFINITY)
  const chosen: number[] = []
  while (chosen.length < Math.min(count, rows)) {
    // the pool is in the order of margins, so that of equal distances the least sure row is first
    let best = 0
    for (let i = 1; i < pool.length; i++) if (distances[i] > distances[best]) best = i
    chosen.push(pool[best])
    const own = at(pool[best])
    for (let i = 0; i < pool.length; i++) distances[i] = Math.min(distances[i], squaredDistance(at(pool[i]), own))
    distances[best] = -1
  }
  return chosen
}

/** How sure a head is of a vector: less where another answer is nearly as likely. */
function marginOf<L extends Label>(head: Head<L> | MultiLabelHead<L>, vector: Float32Array): number {
  if (head instanceof Head) {
    const [first, second] = Object.values<number>(head.predict(vector).probabilities).sort((a, b) => b - a)
    return first - second
  }
  const { labels, thresholds } = head.state
  const probabilities: Record<string, number> = head.predict(vector).probabilities
  // by label: objects put names that are numbers first
  return labels.reduce((least, label, c) => Math.min(least, Math.abs(probabilities[String(label)] - thresholds[c])), 1)
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += (a[j] - b[j]) ** 2
  return sum
}
