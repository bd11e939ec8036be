/** The layers of a new head: those that the cross-validation chose, learnt from all rows. */
import type { AnyState } from './any-head.js'
import { chooseHidden, type HiddenReport, type HowToChoose } from './choose-hidden.js'
import { type Chosen, usualPenalty } from './choose-penalty.js'
import { EngineRows } from './engine-rows.js'
import { Lines, lineOfAll } from './lines.js'
import type { Label, Rows } from './vectors.js'

/** Layers with the search that chose them, and the net that was tried. */
export interface Layers extends Pick<AnyState<Label>, 'hidden' | 'line' | 'l2'> {
  chosen: Chosen | null
  tried: HiddenReport | null
}

/** @param chosen the search of the penalty for a line; null if there was none */
export async function layersOf(
  rows: Rows,
  answerOf: Int32Array,
  chosen: Chosen | null,
  { gradientTolerance, ...how }: HowToChoose & { gradientTolerance: number },
): Promise<Layers> {
  const { net, report } = await chooseHidden(rows, answerOf, chosen, how)
  const best = net === null ? chosen : net.chosen
  const engine = net !== null ? new EngineRows(net.lifted) : chosen?.rows === rows.count ? chosen.engine : new EngineRows(rows)
  const l2 = how.l2 ?? best?.best.l2 ?? usualPenalty(net === null ? engine.spread : 1)
  const line = lineOfAll(new Lines(engine, how.classes, 1, how.answers), answerOf, best?.start ?? null, l2, gradientTolerance)
  return { hidden: net?.hidden ?? null, line, l2, chosen: best, tried: report }
}
