/**
 * The parts of an optimizer's step besides its update, for programs of many steps (ts/train/fast/step-program.ts). A plain optimizer evaluates a
 * batch and updates; wrappers describe their steps in `stepScheme()`.
 */
import type { Kernel, Ptr } from '../../backend/kernels.js'
import type { Parameter } from '../../parameter.js'

/** @internal A kernel with its arguments. */
export interface PlainCall {
  readonly name: string
  readonly kernel: Kernel
  readonly args: readonly number[]
}

/** @internal A second evaluation of the same batch between the first one and the update, and the calls around it (SAM). */
export interface SecondEvaluation {
  readonly before: readonly PlainCall[]
  /** Address of a float that is not finite, after the calls of `before`, if the second evaluation is skipped: the update then follows at once. */
  readonly isSkipped: Ptr
  /** Runs after the second evaluation, even if its loss is not finite. */
  readonly after: readonly PlainCall[]
  /** Called before steps run. */
  refresh(): void
}

/** @internal The parts of a wrapper's step. */
export interface StepScheme {
  /** The optimizer that updates. */
  readonly optimizer: object
  /** Number of batches per update, whose gradients are added up. */
  readonly batches: number
  /** Factor by which the update multiplies gradients. */
  readonly gradientScale: number
  /** False while accumulated batches wait for more. */
  readonly isComplete: boolean
  /** Calls after each update (WeightAverage). Asked for before steps run. */
  after?(): readonly PlainCall[]
  /** Called after steps ran, with the number of updates. */
  updated?(updates: number): void
  /** @param parameters the parameters that get a gradient @throws OutOfMemoryError */
  secondEvaluation?(parameters: readonly Parameter[], allocate: (bytes: number) => Ptr): SecondEvaluation | null
}

/** @internal The scheme of an optimizer's next step: for a plain optimizer, the evaluation of a batch and an update. */
export function stepSchemeOf(optimizer: object): StepScheme {
  const { stepScheme } = optimizer as { stepScheme?(): StepScheme }
  return stepScheme?.call(optimizer) ?? { optimizer, batches: 1, gradientScale: 1, isComplete: true }
}
