/**
 * Names of properties that data sets of `gradus/data` have besides `inputs`, `shape` and `targets`. A data set may be spread into the options of a
 * training function, which therefore accepts these names without using them.
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
