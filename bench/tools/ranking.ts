/** Ranks of optimizers over data sets, from the results of which-optimizer.ts. */

/** Result of an optimizer on a data set. */
export interface WhichRow {
  data: string
  optimizer: string
  learningRate: number
  /** Test losses of the seeds; 1e30 for a training that diverged. */
  test: number[]
  /** Decades of rates that are nearly as good as the best. */
  width: number
  /** Processor time of one training. */
  seconds: number
}

/** An optimizer over all data sets. */
export interface Rank {
  optimizer: string
  /** Mean of its places, and the standard error of that. */
  rank: number
  spread: number
  /** Data sets on which it was the first. */
  firsts: number
  /** Test losses as multiples of AdamW's: the median, and where the worst tenth begins. */
  loss: number
  worst: number
  /** Geometric mean of times as multiples of Adam's. */
  time: number
  width: number
}

const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / list.length

/** The optimizers over the data sets that all of them have, best first. */
export function ranksOf(rows: readonly WhichRow[]): { sets: number; ranks: Rank[] } {
  const names = [...new Set(rows.map((row) => row.optimizer))]
  const sets = [...new Set(rows.map((row) => row.data))].filter((data) => rows.filter((row) => row.data === data).length === names.length)
  const rowOf = (data: string, optimizer: string) => rows.find((row) => row.data === data && row.optimizer === optimizer) as WhichRow
  const lossOf = (data: string, optimizer: string) => mean(rowOf(data, optimizer).test)
  const ranks = names.map((optimizer): Rank => {
    const places = sets.map((data) => 1 + names.filter((other) => lossOf(data, other) < lossOf(data, optimizer)).length)
    const rank = mean(places)
    const losses = sets.map((data) => lossOf(data, optimizer) / lossOf(data, 'AdamW')).sort((a, b) => a - b)
    return {
      ...{ optimizer, rank, spread: Math.sqrt(mean(places.map((place) => (place - rank) ** 2)) / places.length) },
      firsts: places.filter((place) => place === 1).length,
      loss: (losses[(sets.length - 1) >> 1] + losses[sets.length >> 1]) / 2,
      worst: losses[Math.floor(0.9 * sets.length)],
      time: Math.exp(mean(sets.map((data) => Math.log(rowOf(data, optimizer).seconds / rowOf(data, 'Adam').seconds)))),
      width: mean(sets.map((data) => rowOf(data, optimizer).width)),
    }
  })
  return { sets: sets.length, ranks: ranks.sort((a, b) => a.rank - b.rank) }
}

/** The ranks as a table in Markdown. */
export function rankingTable(rows: readonly WhichRow[]): string {
  const lines = ranksOf(rows).ranks.map(
    ({ optimizer, rank, spread, firsts, loss, worst, time, width }) =>
      `| ${optimizer} | ${rank.toFixed(1)} ± ${spread.toFixed(1)} | ${firsts} | ${loss.toFixed(2)} | ${worst.toFixed(2)} | ${time.toFixed(1)} | ${width.toFixed(1)} |`,
  )
  return [
    '| optimizer | mean rank | first | loss beside AdamW, median | worst tenth from | time beside Adam | width, decades |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...lines,
  ].join('\n')
}
