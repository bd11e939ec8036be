/** Numbers and tables as people read them. */
import { cellsOf, padEnd, padStart } from '../../common/text-width.js'

/** 12345.6 → `12,346`. */
export function whole(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** A rate with three digits, or all digits before the point: `0.512`, `36.1`, `48,120`. */
export function rate(n: number): string {
  return n >= 100 ? whole(n) : n.toPrecision(3)
}

/** 0.98123 → `98.12 %`. */
export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`
}

/** `0.4 s`, `86 s`, `3 min 5 s`, `2 h 4 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const s = Math.round(seconds)
  if (s < 100) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

/** An estimate, as exact as estimates are: `3 s`, `45 s`, `4 min`, `1.5 h`. */
export function roughly(seconds: number): string {
  if (!Number.isFinite(seconds)) return '…'
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`
  if (seconds < 95) return `${5 * Math.round(seconds / 5)} s`
  return seconds < 5700 ? `${Math.round(seconds / 60)} min` : `${Number((seconds / 3600).toPrecision(2))} h`
}

/** Rows of cells as lines: the first column to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => cellsOf(row[column]))))
  return rows.map((row) => row.map((cell, i) => (i === 0 ? padEnd(cell, widths[i]) : padStart(cell, widths[i]))).join('  '))
}
