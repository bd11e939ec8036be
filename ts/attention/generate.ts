/** Text from a language model, token after token. */

import { noGrad, scope } from '../autograd.js'
import { plainError, rangeError, ShapeError, typeError } from '../common/errors.js'
import { atLeast0, count, countFrom0, handler, readOptions, type Schema, seed } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { rememberModes } from '../nn/module.js'
import { asIndices } from '../ops/gather.js'
import { Generator } from '../random.js'
import type { TensorLike } from '../tensor.js'
import { GPT } from './gpt.js'

/** Options of {@link generate}. */
export interface GenerateOptions {
  /** Number of tokens to add. */
  tokens: number
  /** Divides the logits: below 1 likely tokens become likelier, and 0 takes the likeliest. Default 1. */
  temperature?: number
  /** Draws among this number of likeliest tokens. Default: all. */
  topK?: number
  /** Draws among the fewest likeliest tokens whose probabilities add up to this, from 0 to 1 (Holtzman et al. 2020). Default 1: all. */
  topP?: number
  /** Seed of the draws. Default 0. */
  seed?: number
  /** Ends after this token, which is the last of the result. Default: none. */
  stop?: number
  /** Called with each new token; returning false ends the generation. */
  onProgress?: (token: number) => unknown
}

export const GENERATE = {
  tokens: { is: count, required: true, aka: ['max_new_tokens', 'maxTokens', 'length'] },
  temperature: { is: atLeast0, default: 1 },
  topK: { is: count, aka: ['top_k'] },
  topP: { is: { min: 0, max: 1, openMin: true }, default: 1, aka: ['top_p'] },
  seed: { is: seed, default: 0 },
  stop: { is: countFrom0 },
  onProgress: { is: handler },
} satisfies Schema<GenerateOptions>

/**
 * Continues a text: draws the next token by the model's probabilities, again and again, and returns the new ones. Keys and values of earlier tokens are
 * kept, so that a token takes one step. When the context is full, its later half is read again, and the earlier half forgotten; of a longer prompt, too,
 * the model sees the end alone.
 *
 * @param prompt at least one token, [steps]
 * @example
 * const model = new GPT({ vocabulary: 65, context: 32, width: 16, heads: 2, blocks: 1 })
 * generate(model, [1, 2, 3], { tokens: 40, temperature: 0.8, topK: 10 }).length // 40
 * @throws TypeError for another model; RangeError for a token outside the vocabulary; ShapeError for several texts; Error for no token, or if the logits
 *   are NaN
 */
export function generate(model: GPT, prompt: TensorLike, options: GenerateOptions): Int32Array {
  if (!(model instanceof GPT)) throw typeError(`generate: model wants a GPT, got ${show(model)}`)
  const { tokens, stop, seed, onProgress, ...choice } = readOptions('generate', options, GENERATE)
  const { backend } = model
  const { vocabulary, context } = model.settings
  const given = asIndices(prompt, vocabulary, 'generate: prompt', backend)
  if (given.rank !== 1)
    throw new ShapeError(
      `generate: prompt wants the tokens of one text, [steps], got shape ${formatShape(given.shape)}; call it for each text`,
    )
  if (stop !== undefined && stop >= vocabulary)
    throw rangeError(`generate: stop wants a token of the vocabulary, from 0 to ${vocabulary - 1}, got ${stop}`)
  const text = [...(given.read() as Int32Array)]
  if (text.length === 0) throw plainError('generate: prompt wants at least one token, got none; begin with a line break, for example')
  const caches = model.makeCaches()
  const generator = new Generator(seed)
  const first = text.length
  const restore = rememberModes(model, false)
  try {
    let fresh = text.slice(-context)
    while (text.length < first + tokens) {
      if (caches[0].length + fresh.length > context) {
        for (const cache of caches) cache.length = 0
        fresh = text.slice(-Math.max(1, Math.floor(context / 2)))
      }
      const steps = Int32Array.from(fresh)
      const logits = noGrad(() => scope(backend, () => model.next(steps, caches))).read() as Float32Array
      const token = draw(logits, choice, generator)
      text.push(token)
      fresh = [token]
      if (onProgress?.(token) === false || token === stop) break
    }
  } finally {
    restore()
  }
  return Int32Array.from(text.slice(first))
}

/** A token drawn by its probability, among those that the choice leaves. */
function draw(logits: ArrayLike<number>, choice: { temperature: number; topK?: number; topP: number }, generator: Generator): number {
  const { temperature, topK = logits.length, topP } = choice
  let best = 0
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) throw plainError(`generate: the logit of token ${i} is NaN; the model diverged in training`)
    if (logits[i] > logits[best]) best = i
  }
  if (temperature === 0) return best
  let kept = Array.from({ length: logits.length }, (_, i) => i)
  if (topK < logits.length || topP < 1) kept = kept.sort((a, b) => logits[b] - logits[a]).slice(0, topK)
  const weights = kept.map((i) => Math.exp((logits[i] - logits[best]) / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let most = total
  if (topP < 1) {
    most = 0
    let last = 0
    while (last < weights.length && most < topP * total) most += weights[last++]
  }
  let left = generator.next() * most
  for (let i = 0; i < kept.length; i++) {
    left -= weights[i]
    if (left < 0) return kept[i]
  }
  return best
}
