/**
 * `gradus/data`: data sets for experiments, and tools for data of your own. Plain functions on typed arrays, without the engine.
 * @module gradus/data
 */

export type { FoldOptions } from '../rows/folds.js'
export { type ArraysOptions, fromArrays } from './arrays.js'
export { classWeights } from './class-weights.js'
export {
  type Dataset,
  type FoldSplit,
  type KFoldOptions,
  kFold,
  type RowTest,
  type Split,
  selectRows,
  type Targets,
  type ThreeWaySplit,
  take,
} from './dataset.js'
export { type ArrowTable, rowsFromArrow } from './formats/arrow.js'
export { parseCsv } from './formats/csv.js'
export type { CsvOptions } from './formats/csv-parser.js'
export type { Decimal, Thousands } from './formats/decimals.js'
export { type NpyArray, type NpyValues, parseNpy, parseNpz } from './formats/npy.js'
export { namingLines, type ReadOptions, readBytes, readTable, streamTable, type TableFormat } from './formats/read.js'
export type { Source } from './formats/source.js'
export { type IdxArray, type IdxData, type IdxType, parseIdx } from './idx.js'
export { iris } from './iris.js'
export { loadMnist, type MnistOptions } from './mnist.js'
export { type RowSplitOptions, type SplitOptions, trainTestSplit } from './split.js'
export {
  fitScaler,
  type Scaler,
  type ScalerOptions,
  type ScalerState,
  type ScalingMethod,
  type Standardized,
  type StandardizeOptions,
  scalerFromState,
  standardize,
} from './standardize.js'
export type { ColumnUse, Scale, TableColumn } from './table/column.js'
export type { Cycle } from './table/cycles.js'
export type { Unknown, UnknownValues } from './table/encode.js'
export {
  type EmbeddedColumn,
  type EncoderOptions,
  encoderFromState,
  type Table,
  type TableEncoder,
  type TableState,
} from './table/encoder.js'
export { describeLeftOut, type LeftOut } from './table/left-out.js'
export type { ColumnOf, ColumnOptions, TableOptions } from './table/options.js'
export { type ColumnReport, describeTable, type TableReport } from './table/report.js'
export { encoderFromStream, type RowStream, type ShuffleOptions, shuffleStream } from './table/stream.js'
export { fromTable } from './table/table.js'
export type { Missing, Row } from './table/values.js'
export type { WrittenAs } from './table/written.js'
export {
  type BlobsOptions,
  blobs,
  type CirclesOptions,
  circles,
  moons,
  type SpiralsOptions,
  spirals,
  type ToyOptions,
  xor,
} from './toys.js'
