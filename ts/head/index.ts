/**
 * `gradus/head`: classes of your own on top of vectors from a frozen model, such as embeddings of texts or pictures.
 * @module gradus/head
 */
export type { SaveHeadOptions } from './any-head.js'
export type { HiddenReport } from './choose-hidden.js'
export { type DuplicateOptions, type DuplicatePair, findDuplicates } from './duplicates.js'
export { chooseNext, type FindMislabelledOptions, findMislabelled, type Mislabelled, type MislabelledSet } from './examine.js'
export { Head, type HeadPrediction, type NearExample } from './head.js'
export type { HeadReport } from './head-state.js'
export { loadHead, loadMultiLabelHead } from './load-head.js'
export { MultiLabelHead, type MultiLabelPrediction, type NearLabelled } from './multi-label.js'
export type { MultiLabelReport } from './multi-label-state.js'
export type { Priors } from './priors.js'
export { reportHtml, reportText } from './show-report.js'
export { type HeadFunctionOptions, headToFunction } from './to-function.js'
export { trainHead } from './train-head.js'
export type { TrainHeadOptions, TrainMultiLabelOptions } from './train-options.js'
export type { Label, Vector, Vectors } from './vectors.js'
