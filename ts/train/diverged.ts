/** What is said where a loss is not finite. */
import { NonFiniteError } from '../common/errors.js'
import type { Plan } from './plan.js'

/** @internal which step it is, as people count */
export interface Place {
  step: number
  epoch: number
  batch: number
}

/** @internal the error for a loss that is not finite */
export function diverged({ options: { optimizer } }: Plan, loss: number, { step, epoch, batch }: Place): NonFiniteError {
  const broken = optimizer.groups.flatMap((g) => [...g.parameters]).find((p) => !p.view().every(Number.isFinite))
  const where = broken ? `; the first parameter that is not finite is '${broken.name}'` : ''
  return new NonFiniteError(
    `loss is ${loss} at step ${step} (epoch ${epoch}, batch ${batch})${where}. ` +
      `Lower the learning rate (now ${optimizer.learningRate}), clip the gradient (clipNorm), or look at the data of that batch`,
  )
}

/** @internal as {@link diverged}, where no gradient is to be left behind */
export function stepFailed(plan: Plan, loss: number, at: Place): NonFiniteError {
  for (const p of plan.model.parameters()) p.grad = null
  return diverged(plan, loss, at)
}
