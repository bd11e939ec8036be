/** The layers of a new head: those that the cross-validation chose, learnt from all rows. */
import type { AnyState } from './any-head.js'
import { chooseHidden, type HiddenReport, type HowToChoose } from './choose-hidden.js'
import { type Chosen, choosePenalty, usualPenalty } from './choose-penalty.js'
import { EngineRows } from './engine-rows.js'
import { Lines, lineOfAll } from './lines.js'
import type { Label, Rows } from './vectors.js'

/** Layers with the search that chose them, and the net that was tried. */
export interface Layers extends Pick<AnyState<Label>, 'hidden' | 'line' | 'l2' | 'temperature' | 'gradientTolerance'> {
  chosen: Chosen | null
  tried: HiddenReport | null
}

/** @param scored false without a cross-validation */
export async function layersOf(
  rows: Rows,
  answerOf: Int32Array,
  { gradientTolerance, scored, ...how }: HowToChoose & { gradientTolerance: number; scored: boolean },
): Promise<Layers> {
  const { l2: only, classes, answers } = how
  const line = scored ? choosePenalty(rows, answerOf, classes, { ...how, only }) : null
  const { net, report } = await chooseHidden(rows, answerOf, line, how)
  const chosen = net === null ? line : net.chosen
  const engine = net !== null ? new EngineRows(net.lifted) : line?.rows === rows.count ? line.engine : new EngineRows(rows)
  engine.setAnswers(answerOf, answers, classes)
  const l2 = only ?? chosen?.best.l2 ?? usualPenalty(net === null ? engine.spread : 1)
  const solved = lineOfAll(new Lines(engine, classes, answers), rows.count, chosen?.start ?? null, l2, gradientTolerance)
  engine.memory.free()
  line?.engine.memory.free()
  return { hidden: net?.hidden ?? null, line: solved, l2, temperature: chosen?.temperature ?? 1, gradientTolerance, chosen, tried: report }
}
