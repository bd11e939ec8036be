/**
 * `gradus/data`: data sets to try things on, and a few tools for your own. Plain functions on typed arrays, without the engine.
 * @module gradus/data
 */
export { type ArraysOptions, fromArrays } from './arrays.js'
export { classWeights } from './class-weights.js'
export type { Missing, Row, TableColumn } from './columns.js'
export {
  type Dataset,
  type KFoldOptions,
  kFold,
  type Split,
  type SplitOptions,
  selectRows,
  type Targets,
  trainTestSplit,
} from './dataset.js'
export type { FoldOptions } from './folds.js'
export { type IdxArray, type IdxData, type IdxType, parseIdx } from './idx.js'
export { iris } from './iris.js'
export { loadMnist, type MnistOptions } from './mnist.js'
export {
  fitScaler,
  type Scaler,
  type ScalerState,
  type Standardized,
  type StandardizeOptions,
  scalerFromState,
  standardize,
} from './standardize.js'
export {
  type ColumnOf,
  encoderFromState,
  fromTable,
  type Table,
  type TableEncoder,
  type TableOptions,
  type TableState,
} from './table.js'
export { type BlobsOptions, blobs, moons, type SpiralsOptions, spirals, type ToyOptions, xor } from './toys.js'
