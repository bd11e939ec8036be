/** Texts that people write for a missing value, in any case. */
export const GAPS = ['na', 'n/a', 'nan', 'null', 'none', '?', '-']
