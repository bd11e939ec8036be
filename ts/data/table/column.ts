/** The saved encoding of a column of a table. */
import { type Cycle, widthOfCycles } from './cycles.js'
import type { WrittenAs } from './written.js'

/**
 * Encoding of a column as numbers: `number` unchanged; `date`, days since 1970, and the cycles that the dates go through: a feature for each day of the
 * week, sine and cosine of one and two waves a year, and a day; `category`, one feature per category, which is 1 for the row's own
 * and otherwise 0; `ordinal`, the index of the category in their order; `hash`, as category, but very many categories share a given number of
 * features by a hash of their text; `embedding`, the number of the category from 1 (0 for an unknown one), for an Embedding; `text`, a feature for each
 * of the most frequent words and pairs of words, by how often the row has it and how few rows do (TF-IDF).
 */
export type ColumnUse = 'number' | 'date' | 'category' | 'ordinal' | 'hash' | 'embedding' | 'text'

/** Scaling of numbers: `standard` to mean 0 and deviation 1, `minMax` to 0..1, `robust` by median and quartiles, which outliers do not affect. */
export type Scale = 'none' | 'standard' | 'minMax' | 'robust'

/** Encoding of a column in a saved state. */
export interface TableColumn {
  name: string
  /** Default: `number` without categories, else `category`. */
  as?: ColumnUse
  /** null if there are none. */
  categories: readonly string[] | null
  /** For `date`, the cycles whose features follow the number of days. */
  cycles?: readonly Cycle[]
  /** For `hash`, the number of features. */
  buckets?: number
  /** For `text`, the words and pairs that are features, and the weight of each. */
  words?: readonly string[]
  weights?: readonly number[]
  /** For `embedding`, and for the days of the year of a `date`, the length of the vectors, if it was given. */
  size?: number
  /** Value that fills a gap; for categories 0, in the feature of each. Without it a gap is an error. */
  fill?: number
  /** True if rows with a gap in this column are left out of data sets. */
  drop?: true
  /** Values that mean a gap in this column. Default: those of the table. */
  missingValues?: readonly string[]
  /** Human format of its numbers or dates, if `formatted` found one. */
  written?: WrittenAs
  /** True if text among numbers is a gap. */
  lenient?: true
  /** (x − center) / spread is the feature; x − center is the target. */
  center?: number
  spread?: number
}

/** @internal its use, also for a state that does not contain it */
export function useOf({ as, categories }: TableColumn): ColumnUse {
  return as ?? (categories === null ? 'number' : 'category')
}

/** @internal number of features of a column */
export function widthOf({ as, categories, buckets, words = [], cycles = [] }: TableColumn): number {
  if (as === 'date') return 1 + widthOfCycles(cycles)
  if (as === 'hash') return buckets as number
  if (as === 'text') return words.length
  return as === 'ordinal' || as === 'embedding' ? 1 : (categories?.length ?? 1)
}
