/** What a column of a table becomes, as it is kept. */
import type { WrittenAs } from './written.js'

/**
 * How a column becomes numbers: `number` as it is; `date`, days since 1970; `category`, a feature for each category, 1 for the row's own;
 * `ordinal`, the index of the category in their order; `hash`, as category, but categories share a given number of features by a hash of
 * their text, for very many of them; `embedding`, the number of the category from 1 (0 for one that is unknown), for an Embedding.
 */
export type ColumnUse = 'number' | 'date' | 'category' | 'ordinal' | 'hash' | 'embedding'

/** Of numbers: `standard` to mean 0 and deviation 1, `minMax` to 0..1, `robust` by median and quartiles, which outliers do not move. */
export type Scale = 'none' | 'standard' | 'minMax' | 'robust'

/** How a column becomes numbers, as it is kept in a state. */
export interface TableColumn {
  name: string
  /** Default: `number` without categories, else `category`. */
  as?: ColumnUse
  /** null where there are none. */
  categories: readonly string[] | null
  /** Of `hash`, how many features. */
  buckets?: number
  /** Of `embedding`, how long its vectors are to be, where that was said. */
  size?: number
  /** What stands for a gap: of categories 0, in the feature of each. Without it a gap is an error. */
  fill?: number
  /** Rows with a gap here are left out of data sets. */
  drop?: true
  /** What stands for a gap in this column. Default: that of the table. */
  missingValues?: readonly string[]
  /** How its numbers or dates are written, where `formatted` found out that they are written for people. */
  written?: WrittenAs
  /** Text among numbers is a gap. */
  lenient?: true
  /** (x − center) / spread is the feature. */
  center?: number
  spread?: number
}

/** @internal what it is used as, also in a state that does not say so */
export function useOf({ as, categories }: TableColumn): ColumnUse {
  return as ?? (categories === null ? 'number' : 'category')
}

/** @internal how many features a column becomes */
export function widthOf({ as, categories, buckets }: TableColumn): number {
  if (as === 'hash') return buckets as number
  return as === 'ordinal' || as === 'embedding' ? 1 : (categories?.length ?? 1)
}
