/** Sequences of tokens as batches: filled up to one length, sorted into buckets by length, or cut from a long text. */
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { checkOptions, count, countFrom0, flag, type Range, readOptions, type Schema, seed as seedRange } from '../common/options.js'
import { formatShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { gather } from '../ops/gather.js'
import { reshape } from '../ops/shape.js'
import { asMask } from '../ops/steps.js'
import { Generator } from '../random.js'
import { Tensor, type TensorLike, tensor } from '../tensor.js'

/** Sequences of tokens, each a list of whole numbers, as `encode` gives them. */
export type TokenSequences = readonly ArrayLike<number>[]

/** Options of {@link padTokens}. */
export interface PadOptions {
  /** The token that fills up short sequences, such as `tokenizer.idOf('<pad>')`; no sequence may have it. */
  pad: number
  /** Length to which sequences are filled up. Default: that of the longest. */
  steps?: number
  /** The end of longer sequences that is cut off, `start` or `end`. Default: none, a longer sequence is an error. */
  cut?: 'start' | 'end'
}

const CUTS = ['start', 'end'] as const
/** Tokens are numbers of 32 bits. */
const MOST = 2 ** 31
const token: Range = { min: 0, max: MOST - 1, whole: true }

const isToken = (value: number) => Number.isInteger(value) && value >= 0 && value < MOST

export const PAD_TOKENS = {
  pad: { is: token, required: true },
  steps: { is: count, aka: ['max_length', 'maxLength', 'length'] },
  cut: { is: CUTS, aka: ['truncation'] },
} satisfies Schema<PadOptions>

/** Sequences of one length. */
export interface PaddedTokens {
  /** Row-major [rows, steps]. */
  inputs: Int32Array
  shape: [rows: number, steps: number]
  /** Steps of each row that are no filling: `lengths` of recurrence and attention, which want at least 1. */
  lengths: Int32Array
}

/**
 * Fills sequences up to one length with a token that stands for nothing: `inputs` and `shape` are options of `fit`. {@link stepMask} finds the filled
 * steps again, within a model.
 *
 * @example
 * const { inputs, shape, lengths } = padTokens([[5, 6, 7], [8]], { pad: 0 })
 * inputs // [5, 6, 7, 8, 0, 0]
 * lengths // [3, 1]
 * @throws RangeError naming a sequence that is too long or has the token `pad`, or a token that is no whole number; TypeError for anything but sequences
 */
export function padTokens(sequences: TokenSequences, options: PadOptions): PaddedTokens {
  const { pad, steps: given, cut } = readOptions('padTokens', options, PAD_TOKENS)
  const lengths = lengthsOf('padTokens', sequences)
  let longest = 1
  for (const length of lengths) longest = Math.max(longest, length)
  const steps = given ?? longest
  const inputs = new Int32Array(sequences.length * steps)
  sequences.forEach((sequence, row) => {
    putPadded('padTokens', { sequence, row, pad, steps, cut }, inputs, row * steps)
    lengths[row] = Math.min(lengths[row], steps)
  })
  return { inputs, shape: [sequences.length, steps], lengths }
}

/** Writes a sequence and its filling. */
function putPadded(
  who: string,
  {
    sequence,
    row,
    pad,
    steps,
    cut,
  }: { sequence: ArrayLike<number>; row: number; pad: number; steps: number; cut: 'start' | 'end' | undefined },
  out: Int32Array,
  place: number,
): void {
  const { length } = sequence
  if (length > steps && cut === undefined)
    throw rangeError(`${who}: row ${row} has ${length} tokens, steps are ${steps}; cut: 'end' cuts the rest off, or make steps larger`)
  const first = cut === 'start' ? Math.max(0, length - steps) : 0
  const last = Math.min(length, first + steps)
  for (let i = first; i < last; i++) {
    const token = sequence[i]
    if (!isToken(token)) throw rangeError(`${who}: row ${row} wants tokens, whole numbers from 0 on, got ${show(token)} at position ${i}`)
    if (token === pad)
      throw rangeError(
        `${who}: row ${row} has the token ${pad} of option pad at position ${i}, where it would count as filling; take a token that no text has, as special: ['<pad>'] makes it`,
      )
    out[place + i - first] = token
  }
  out.fill(pad, place + last - first, place + steps)
}

function lengthsOf(who: string, sequences: TokenSequences): Int32Array {
  if (!Array.isArray(sequences) || sequences.length === 0)
    throw typeError(`${who}: wants a list of sequences of tokens, at least one, got ${show(sequences)}`)
  return Int32Array.from(sequences, (sequence: unknown, row) => {
    if (!isList(sequence)) throw typeError(`${who}: row ${row} wants a list of tokens, as encode gives it, got ${show(sequence)}`)
    return sequence.length
  })
}

function isList(value: unknown): value is ArrayLike<number> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Number.isInteger((value as ArrayLike<number>).length) &&
    (value as ArrayLike<number>).length >= 0
  )
}

/** Options of {@link stepMask}. */
export interface StepMaskOptions {
  /** The token of filled steps. */
  pad: number
  /** Number of tokens: the `size` of the tokenizer. */
  vocabulary: number
}

export const STEP_MASK = {
  pad: { is: token, required: true },
  vocabulary: { is: count, required: true, aka: ['vocab_size', 'vocabSize'] },
} satisfies Schema<StepMaskOptions>

/**
 * 1 for each token, 0 for the filling: the `mask` of recurrence and attention. It is an operation like others, so that `fit` replays a model with it.
 *
 * @param tokens [rows, steps]
 * @example stepMask([[5, 6, 0], [7, 0, 0]], { pad: 0, vocabulary: 8 }) // [[1, 1, 0], [1, 0, 0]]
 * @throws RangeError for a token outside the vocabulary; ShapeError for anything but [rows, steps]
 */
export function stepMask(tokens: TensorLike, options: StepMaskOptions): Tensor {
  const { pad, vocabulary } = readOptions('stepMask', options, STEP_MASK)
  if (pad >= vocabulary) throw rangeError(`stepMask: pad wants a token of the vocabulary, from 0 to ${vocabulary - 1}, got ${pad}`)
  const table = new Float32Array(vocabulary).fill(1)
  table[pad] = 0
  const backend = tokens instanceof Tensor ? tokens.backend : undefined
  const mask = gather(tensor(table, [vocabulary, 1], { ...(backend && { backend }) }), tokens) as Tensor
  if (mask.rank !== 3) throw new ShapeError(`stepMask: wants tokens of shape [rows, steps], got ${formatShape(mask.shape.slice(0, -1))}`)
  return asMask(reshape(mask, mask.shape.slice(0, 2)) as Tensor)
}

/** Options of {@link bucketBatches}. */
export interface BucketOptions {
  /** The token that fills up sequences within a batch, such as `tokenizer.idOf('<pad>')`; no sequence may have it. */
  pad: number
  /** Rows of a batch; the last one of a bucket may have fewer. Default 32. */
  batchSize?: number
  /** Lengths of buckets, ascending; the last one fits the longest sequence. Default: 8, 16, 32, … */
  lengths?: readonly number[]
  /** The end of sequences longer than all buckets that is cut off, `start` or `end`. Default: none, a longer sequence is an error. */
  cut?: 'start' | 'end'
  /** Mixes the rows of a bucket, and the batches of all buckets, another way in each pass. Default true. */
  shuffle?: boolean
  /** Seed of the order. Default 0. */
  seed?: number
}

export const BUCKETS = {
  pad: { is: token, required: true },
  batchSize: { is: count, default: 32, aka: ['batch_size'] },
  lengths: {
    is: {
      wants: 'ascending whole numbers from 1 on',
      fits: (value: unknown) =>
        Array.isArray(value) && value.length > 0 && value.every((n, i) => Number.isInteger(n) && n > (i === 0 ? 0 : value[i - 1])),
    },
    aka: ['boundaries', 'bucket_boundaries'],
  },
  cut: { is: CUTS, aka: ['truncation'] },
  shuffle: { is: flag, default: true },
  seed: { is: seedRange, default: 0 },
} satisfies Schema<BucketOptions>

/** A batch of sequences of one bucket, as `fitStream` takes it. */
export interface TokenBatch {
  /** Row-major [rows, steps]. */
  inputs: Int32Array
  shape: [rows: number, steps: number]
  targets: Int32Array | Float32Array
  /** Steps of each row that are no filling. */
  lengths: Int32Array
  /** Batches have different numbers of steps. */
  ragged: true
}

/** Where an order of batches is entered. */
export interface BatchPlace {
  /** Number of the pass, which says the order. Default 0. */
  pass?: number
  /** Rows of the pass that are left out at its beginning. Default 0. */
  row?: number
}

/**
 * Batches of sequences of similar length, so that little is filled up and computed in vain. The result is the `data` of `fitStream`, with `seeks: true`,
 * which resumes it at any row; called in a loop, it gives the batches of a pass.
 *
 * @param sequences tokens of each row
 * @param targets a class (Int32Array) or number for each row
 * @example
 * const batches = bucketBatches([[5], [6, 7], [5, 6, 7, 8, 9]], Int32Array.of(0, 1, 0), { pad: 0, lengths: [2, 6], shuffle: false })
 * for (const { inputs, shape } of batches({ pass: 0 })) inputs // [5, 0, 6, 7], then [5, 6, 7, 8, 9, 0]
 * @throws RangeError naming a sequence that is too long or has the token `pad`; TypeError for anything but sequences and targets
 */
export function bucketBatches(
  sequences: TokenSequences,
  targets: Int32Array | Float32Array | readonly number[],
  options: BucketOptions,
): (place?: BatchPlace) => Iterable<TokenBatch> {
  const who = 'bucketBatches'
  const { pad, batchSize, cut, shuffle, seed, ...given } = readOptions(who, options, BUCKETS)
  const lengths = lengthsOf(who, sequences)
  const values = targetsOf(targets, sequences.length)
  const steps = given.lengths ?? doubling(lengths)
  const members: number[][] = steps.map(() => [])
  lengths.forEach((length, row) => {
    const bucket = steps.findIndex((most) => length <= most)
    members[bucket < 0 ? steps.length - 1 : bucket].push(row)
  })
  // every row is checked now: an error in the midst of a training comes too late
  sequences.forEach((sequence, row) => {
    const bucket = Math.min(steps.length - 1, steps.findIndex((most) => lengths[row] <= most) >>> 0)
    putPadded(who, { sequence, row, pad, steps: steps[bucket], cut }, new Int32Array(steps[bucket]), 0)
  })
  const buckets = members.flatMap((rows, i) => (rows.length > 0 ? [{ rows, steps: steps[i] }] : []))
  return (place = {}) => {
    const { pass = 0, row = 0 } = checkOptions(who, place, PLACE)
    return batchesFrom({ pass, row })
  }

  function* batchesFrom({ pass, row }: Required<BatchPlace>): Iterable<TokenBatch> {
    /** Random numbers of a pass for each bucket, and for the order of batches. */
    const random = (index: number) => new Generator(seed, (pass * (buckets.length + 1) + index) % 2 ** 32)
    const batches = buckets.flatMap(({ rows, steps }, bucket) => {
      const mixed = shuffle ? Array.from(random(bucket).permutation(rows.length), (i) => rows[i]) : rows
      const count = Math.ceil(rows.length / batchSize)
      return Array.from({ length: count }, (_, i) => ({ rows: mixed.slice(i * batchSize, (i + 1) * batchSize), steps }))
    })
    let left = row
    for (const index of shuffle ? random(buckets.length).permutation(batches.length) : batches.keys()) {
      const { rows, steps } = batches[index]
      if (left < rows.length) yield batchOf(rows.slice(left), steps)
      left = Math.max(0, left - rows.length)
    }
  }

  function batchOf(rows: readonly number[], steps: number): TokenBatch {
    const inputs = new Int32Array(rows.length * steps)
    rows.forEach((row, i) => putPadded(who, { sequence: sequences[row], row, pad, steps, cut }, inputs, i * steps))
    return {
      ...{ inputs, shape: [rows.length, steps], ragged: true },
      targets: values instanceof Int32Array ? Int32Array.from(rows, (row) => values[row]) : Float32Array.from(rows, (row) => values[row]),
      // a sequence may be another one than at the call
      lengths: Int32Array.from(rows, (row) => Math.min(sequences[row].length, steps)),
    }
  }
}

const PLACE = { pass: { is: countFrom0 }, row: { is: countFrom0 } } satisfies Schema<BatchPlace>

function targetsOf(targets: Int32Array | Float32Array | readonly number[], rows: number): Int32Array | Float32Array {
  const who = 'bucketBatches'
  const isList = Array.isArray(targets) || targets instanceof Int32Array || targets instanceof Float32Array
  if (!isList) throw typeError(`${who}: targets wants a number for each row, got ${show(targets)}`)
  if (targets.length !== rows) throw new ShapeError(`${who}: targets wants ${rows} numbers, one for each row, got ${targets.length}`)
  if (targets instanceof Int32Array) return targets
  const wrong = (targets as ArrayLike<number> & { findIndex: typeof Array.prototype.findIndex }).findIndex(
    (target) => typeof target !== 'number' || !Number.isFinite(Math.fround(target)),
  )
  if (wrong >= 0) throw rangeError(`${who}: targets[${wrong}] wants a finite number (of 32 bits), got ${show(targets[wrong])}`)
  if (targets instanceof Float32Array) return targets
  return targets.every((target) => target === (target | 0)) ? Int32Array.from(targets) : Float32Array.from(targets)
}

/** 8, 16, 32, … up to the longest sequence. */
function doubling(lengths: Int32Array): number[] {
  let longest = 1
  for (const length of lengths) longest = Math.max(longest, length)
  const steps = [8]
  while (steps[steps.length - 1] < longest) steps.push(2 * steps[steps.length - 1])
  return steps
}

/** Options of {@link nextTokenRows}. */
export interface NextTokenOptions {
  /** Tokens of a row. */
  context: number
  /** Tokens from the beginning of a row to that of the next; fewer than `context` make rows overlap. Default: the context. */
  stride?: number
}

export const NEXT_TOKENS = {
  context: { is: count, required: true, aka: ['block_size', 'blockSize'] },
  stride: { is: count },
} satisfies Schema<NextTokenOptions>

/**
 * Rows of a long text for a language model: `inputs` [rows, context], and as `targets` the tokens that follow each of them, as `fit` takes them with
 * `nextTokenLoss` of gradus/attention. Tokens behind the last whole row are left out.
 *
 * @example
 * const { inputs, targets, shape } = nextTokenRows([1, 2, 3, 4, 5, 6, 7], { context: 3 })
 * inputs // [1, 2, 3, 4, 5, 6]
 * targets // [2, 3, 4, 5, 6, 7]
 * @throws RangeError for a text of no row, or tokens that are no whole numbers; TypeError for anything but tokens
 */
export function nextTokenRows(
  tokens: ArrayLike<number>,
  options: NextTokenOptions,
): { inputs: Int32Array; targets: Int32Array; shape: [rows: number, steps: number] } {
  const { context, stride = context } = readOptions('nextTokenRows', options, NEXT_TOKENS)
  if (!isList(tokens)) throw typeError(`nextTokenRows: wants the tokens of a text, as encode gives them, got ${show(tokens)}`)
  const text = Int32Array.from(tokens, (token, i) => {
    if (isToken(token)) return token
    throw rangeError(`nextTokenRows: tokens[${i}] wants a whole number from 0 on, got ${show(token)}`)
  })
  const rows = Math.floor((text.length - 1 - context) / stride) + 1
  if (rows < 1)
    throw rangeError(
      `nextTokenRows: wants more than ${context} tokens (context), got ${text.length}; give a longer text, or make the context shorter`,
    )
  const inputs = new Int32Array(rows * context)
  const targets = new Int32Array(rows * context)
  for (let row = 0; row < rows; row++) {
    inputs.set(text.subarray(row * stride, row * stride + context), row * context)
    targets.set(text.subarray(row * stride + 1, row * stride + 1 + context), row * context)
  }
  return { inputs, targets, shape: [rows, context] }
}
