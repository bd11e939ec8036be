/** A head as the source of a JavaScript module without dependencies. */
import { typeError } from '../common/errors.js'
import { readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { literal } from '../export/literal.js'
import { Head } from './head.js'
import { MultiLabelHead } from './multi-label.js'
import type { Label } from './vectors.js'

/** Options of {@link headToFunction}. */
export interface HeadFunctionOptions {
  /** Format of the weights: `float32`, or `float16`, half as long and with three digits. Default `float16`. */
  weights?: 'float32' | 'float16'
}

export const HEAD_TO_FUNCTION = {
  weights: { is: ['float32', 'float16'], default: 'float16' },
} satisfies Schema<HeadFunctionOptions>

const PREDICT = `
/** The likeliest class of a vector, its probability, and those of all classes. */
export function predict(vector) {
  if (vector?.length !== width) throw new RangeError('predict: vector wants ' + width + ' numbers, got ' + vector?.length)
  const logits = net(vector)
  const most = Math.max(...logits)
  const powers = Array.from(logits, (z) => Math.exp(z - most))
  const sum = powers.reduce((a, b) => a + b)
  const best = powers.indexOf(Math.max(...powers))
  const probabilities = Object.fromEntries(labels.map((label, i) => [label, powers[i] / sum]))
  return { label: labels[best], probability: powers[best] / sum, probabilities }
}
`

const PREDICT_SETS = `
/** The classes of a vector whose probability is at least their threshold, the likeliest first, and the probabilities of all classes. */
export function predict(vector) {
  if (vector?.length !== width) throw new RangeError('predict: vector wants ' + width + ' numbers, got ' + vector?.length)
  const p = Array.from(net(vector), (z) => 1 / (1 + Math.exp(-z)))
  const named = labels.map((_, i) => i).filter((i) => p[i] >= thresholds[i]).sort((a, b) => p[b] - p[a])
  return { labels: named.map((i) => labels[i]), probabilities: Object.fromEntries(labels.map((label, i) => [label, p[i]])) }
}
`

/**
 * A head as the source of a JavaScript module without dependencies. It exports `predict`, whose label and probabilities are those of {@link
 * Head.predict}, without the p-value. Write it into a file; nothing here runs it.
 *
 * @example
 * const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog'])
 * const source = await headToFunction(head) // fs.writeFileSync('head.mjs', source)
 * source.includes('export function predict(vector)') // true
 * @throws TypeError for anything but a head
 */
export async function headToFunction<L extends Label>(
  head: Head<L> | MultiLabelHead<L>,
  options: HeadFunctionOptions = {},
): Promise<string> {
  const hasSets = head instanceof MultiLabelHead
  if (!(head instanceof Head || hasSets))
    throw typeError(`headToFunction: wants a head of trainHead or loadHead, got ${show(head)}; toFunction takes models`)
  const { weights } = readOptions('headToFunction', options, HEAD_TO_FUNCTION)
  const { toFunction } = await import('../export/index.js')
  const model = await (weights === 'float16' ? head.toRoundedModel() : head.toModel())
  return [
    `/** Names the ${hasSets ? 'classes' : 'class'} of a vector. Written by gradus; it needs nothing. */\n`,
    toFunction(model, { name: 'net', weights }),
    `\nconst labels = ${literal(head.labels)}\nconst width = ${head.width}\n`,
    hasSets ? `const thresholds = ${literal([...head.state.thresholds])}\n${PREDICT_SETS}` : PREDICT,
  ].join('')
}
