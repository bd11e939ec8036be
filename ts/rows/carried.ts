/**
 * Names that data sets of `gradus/data` carry beside `inputs`, `shape` and `targets`. A data set may be spread among the options of whatever trains on it,
 * which therefore takes these names without using them.
 */
export const CARRIED = [
  'count',
  'features',
  'classes',
  'classNames',
  'featureNames',
  'embeddings',
  'unknown',
  'report',
  'encode',
  'dataset',
  'state',
]
