/**
 * A straight line as the model of a table, and one line per fold: nets learn the lines' residuals, and prediction intervals are made from the lines'
 * errors.
 */

import { plainError } from '../../common/errors.js'
import { joinedOf } from '../../common/joined.js'
import { Ensemble } from '../../index.js'
import { takeRows } from '../../rows/take.js'
import type { FeatureState } from '../rows/features.js'
import type { Folds } from '../rows/folds.js'
import { type FoldLine, LINE, type SearchResult } from './ensemble.js'
import { fitLine, type Line, type LineLimits, type LineSamples, lineAnswers, lineNet } from './straight-line.js'

/** A line for each fold. @returns null if one of them could not be fitted */
export async function linesOfFolds(samples: LineSamples, { folds }: Folds, limits: LineLimits): Promise<FoldLine[] | null> {
  const found: FoldLine[] = []
  for (const { train } of folds) {
    const line = await fitLine(samples, train, limits)
    if (line === null) return null
    const answers = lineAnswers(line, samples.inputs)
    const squares = samples.classes > 0 ? 1 : train.reduce((sum, row) => sum + (samples.targets[row] - answers[row]) ** 2, 0)
    found.push({ line, answers, deviation: Math.sqrt(squares / train.length) || 1 })
  }
  return found
}

/**
 * The line itself as the model, for `hidden: []`: fitted to all rows; the folds estimate its errors.
 * @param line of all rows
 */
export async function lineModel(
  line: Line | null,
  samples: LineSamples,
  folds: Folds,
  features: FeatureState,
  lossOf: (predictions: Float64Array, rows: Int32Array) => number,
  limits: LineLimits,
): Promise<SearchResult> {
  const lines = line && (await linesOfFolds(samples, folds, limits))
  if (line === null || lines === null) {
    limits.signal?.throwIfAborted()
    throw plainError('trainTable: hidden: [] wants a straight line, and the loss of none is finite; look for columns with huge numbers')
  }
  const outputs = samples.classes || 1
  const { from } = folds
  const heldOut = joinedOf(Int32Array, folds.folds, ({ validation }) => validation)
  const predictions = joinedOf(Float64Array, folds.folds, ({ validation }, fold) => takeRows(lines[fold].answers, validation, outputs))
  const model = new Ensemble([lineNet(line)], { average: outputs > 1 ? 'softmax' : 'outputs' })
  const candidate = {
    recipe: LINE,
    loss: lossOf(predictions.subarray(from * outputs), heldOut.subarray(from)),
    histories: [],
  }
  return { model, features, heldOut, predictions, from, candidates: [candidate], votes: [1], nets: 1, used: 1, secondsOfRow: 0 }
}
