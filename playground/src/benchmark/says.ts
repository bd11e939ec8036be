/** What the figures of a benchmark say, in a sentence. */
import type { BenchmarkRow } from './measure'

/** How many times as fast as plain JavaScript WebAssembly is, from the net where it gains least to the one where it gains most. */
export function speedText(rows: readonly BenchmarkRow[]): string {
  const ratios = [...new Set(rows.map(({ net }) => net))].flatMap((net) => {
    const of = (isJs: boolean) =>
      rows.filter((row) => row.net === net && (row.backend === 'JavaScript') === isJs).map(({ median }) => median)
    const ratio = Math.max(...of(false)) / of(true)[0]
    return Number.isFinite(ratio) && ratio > 0 ? [ratio] : []
  })
  if (ratios.length === 0) return ''
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => Number(ratio.toPrecision(2)))
  return `Here WebAssembly trains ${least === most ? least : `${least} to ${most}`} times as fast as plain JavaScript.`
}
