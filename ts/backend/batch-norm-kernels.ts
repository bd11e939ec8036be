/**
 * The kernels of batch normalization (crate/batch_norm.rs), a part of the contract in kernels.ts that only programs with `BatchNorm` contain. Arrays
 * are x, y, dy and dx [rows, columns]; mean, variance, weight, bias, dw and db [columns]; epsilon [1]. `relu` is 1 to replace negative results by 0.
 */
import { optional, type Ptr, type Ranges } from './memory-ranges.js'

/** The kernels of batch normalization. */
export interface BatchNormKernels {
  /** mean[j] = Σ_i x[i,j] / rows;  variance[j] = Σ_i (x[i,j] − mean[j])² / rows */
  batchNormMoments(x: Ptr, mean: Ptr, variance: Ptr, rows: number, columns: number): void
  /** y[i,j] = f((x[i,j] − mean[j]) / √(variance[j] + epsilon) · weight[j] + bias[j]) */
  batchNormForward(
    x: Ptr,
    mean: Ptr,
    variance: Ptr,
    weight: Ptr,
    bias: Ptr,
    y: Ptr,
    rows: number,
    columns: number,
    relu: number,
    epsilon: Ptr,
  ): void
  /**
   * With normal = (x − mean) / √(variance + epsilon), and dz = dy, or 0 where the result became 0:  db[j] = Σ_i dz;  dw[j] = Σ_i dz · normal;  dx =
   * weight / √(variance + epsilon) · (dz − db / rows − normal · dw / rows). The moments are those of x. `dw`, `db` and `dx` are optional, dx may
   * equal dy, and `bias` is read for relu alone; `accumulate` is a set of ACCUMULATE_W and ACCUMULATE_B.
   */
  batchNormBackward(
    x: Ptr,
    mean: Ptr,
    variance: Ptr,
    weight: Ptr,
    bias: Ptr,
    dy: Ptr,
    dw: Ptr,
    db: Ptr,
    dx: Ptr,
    rows: number,
    columns: number,
    relu: number,
    accumulate: number,
    epsilon: Ptr,
  ): void
}

/** The memory that each kernel reads and writes, for `kernelArguments`. */
export const batchNormArguments = (): Record<keyof BatchNormKernels, Ranges> => ({
  batchNormMoments: (d, x, mean, variance, rows, columns) => [
    ...[d.input('x', x, rows * columns), d.output('mean', mean, columns), d.output('variance', variance, columns)],
  ],
  batchNormForward: (d, x, mean, variance, weight, bias, y, rows, columns, _relu, epsilon) => [
    ...[d.input('x', x, rows * columns), d.input('mean', mean, columns), d.input('variance', variance, columns)],
    ...[d.input('weight', weight, columns), d.input('bias', bias, columns), d.input('epsilon', epsilon, 1)],
    d.output('y', y, rows * columns),
  ],
  batchNormBackward: (d, x, mean, variance, weight, bias, dy, dw, db, dx, rows, columns, relu, _accumulate, epsilon) => [
    ...[d.input('x', x, rows * columns), d.input('mean', mean, columns), d.input('variance', variance, columns)],
    ...[d.input('weight', weight, columns), d.input('epsilon', epsilon, 1)],
    ...[d.input('bias', bias, relu === 0 ? 0 : columns), d.input('dy', dy, rows * columns)],
    ...[optional(d.output('dw', dw, columns)), optional(d.output('db', db, columns)), optional(d.output('dx', dx, rows * columns, 'dy'))],
  ],
})
