/** Checks of the options for the nets of a table. */
import { ACTIVATIONS } from '../backend/kernels.js'
import { checkChoice, checkCount, checkPositive } from '../common/checks.js'
import { rangeError, typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import type { NetSettings } from './nets.js'

/** @internal @throws RangeError, TypeError naming the setting */
export function checkNet(who: string, { hidden, activation, dropout, learningRate, weightDecay, batchSize, epochs }: NetSettings): void {
  if (hidden !== undefined && !(Array.isArray(hidden) && hidden.every(isCount)))
    throw typeError(`${who}: hidden wants the neurons of each hidden layer, such as [64, 32], got ${show(hidden)}`)
  if (activation !== undefined) checkChoice(`${who}: activation`, activation, ACTIVATIONS)
  if (dropout !== undefined && !(dropout >= 0 && dropout < 1))
    throw rangeError(`${who}: dropout wants a number from 0 to below 1, got ${show(dropout)}`)
  if (learningRate !== undefined) checkPositive(`${who}: learningRate`, learningRate)
  if (weightDecay !== undefined && !(weightDecay >= 0 && Number.isFinite(weightDecay)))
    throw rangeError(`${who}: weightDecay wants a number ≥ 0, got ${show(weightDecay)}`)
  if (batchSize !== undefined) checkCount(`${who}: batchSize`, batchSize)
  if (epochs !== undefined) checkCount(`${who}: epochs`, epochs)
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1
