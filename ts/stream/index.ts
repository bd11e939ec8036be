/**
 * `gradus/stream`: trainings on rows that come one after the other, from sources that are larger than memory or never end.
 * @module gradus/stream
 */
export type { Drift } from './drift.js'
export { type FitStreamOptions, fitStream, type StreamHistory } from './fit-stream.js'
export type { BadRow, NumberArray, Numbers, RowEncoder } from './numbers.js'
export { OnlineLearner, type OnlineOptions, type OnlineState, type PartialFit } from './online.js'
export type { StreamBatch, StreamData, StreamItem, StreamItems, StreamPlace } from './source.js'
