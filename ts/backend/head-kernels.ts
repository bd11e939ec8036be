/**
 * The kernels of `gradus/head` (crate/head.rs): logistic regressions over rows that stay where they are. Only programs with heads have them.
 *
 * Rows x are [rows, columns], both multiples of 16: what is missing is zeros. Weights are [classes, columns], the bias in a column that is 1 in each row.
 * Logits z and sets are by bundles of 16 rows, [rows/16, classes, 16].
 */
import type { Ptr, Ranges } from './memory-ranges.js'

/** The number of rows and of columns is a multiple of this. */
export const BUNDLE = 16

/** The place of a row's class among logits, or sets. */
export function placeOf(row: number, c: number, classes: number): number {
  return (Math.floor(row / BUNDLE) * classes + c) * BUNDLE + (row % BUNDLE)
}

/** The kernels of heads. */
export interface HeadKernels {
  /** z = weights · xᵀ */
  headLogits(x: Ptr, weights: Ptr, z: Ptr, rows: number, columns: number, classes: number): void
  /**
   * gradient[classes, columns] += Σ over rows of (p − t) · x. With `sets` 0 answers are the int32 class of each row, t its one-hot vector and p =
   * softmax(logits); otherwise answers are the sets t themselves, 1 for each class of a row, and p = σ(logits). `z` is room for 16 · classes floats.
   */
  headGradient(
    x: Ptr,
    weights: Ptr,
    answers: Ptr,
    z: Ptr,
    gradient: Ptr,
    rows: number,
    columns: number,
    classes: number,
    sets: number,
  ): void
}

/** The memory that each kernel reads and writes, for `kernelArguments`. */
export const headArguments = (): Record<keyof HeadKernels, Ranges> => ({
  headLogits: (d, x, weights, z, rows, columns, classes) => [
    ...[d.input('x', x, rows * columns), d.input('weights', weights, classes * columns), d.output('z', z, rows * classes)],
  ],
  headGradient: (d, x, weights, answers, z, gradient, rows, columns, classes, sets) => [
    ...[d.input('x', x, rows * columns), d.input('weights', weights, classes * columns)],
    sets === 0 ? d.integers('answers', answers, rows) : d.input('answers', answers, rows * classes),
    ...[d.output('z', z, BUNDLE * classes), d.output('gradient', gradient, classes * columns)],
  ],
})
