/** The task of the Pictures tab: the net learns, and shows what it makes of one digit. */
import type { Context } from '../engine/context'
import { type Pace, type PaceMessage, paced } from '../engine/paced'
import { type Look, type PicturesCurve, PicturesNet, pixelsOf, SIDE } from './net'
import type { PicturesConfig } from './state'

export interface PicturesInput extends Pace {
  config: PicturesConfig
  digit: number
  shift: number
}

/** The digit to look at: one of the test rows, moved by some pixels, or one that was drawn. */
type Shown = { type: 'digit'; digit: number; shift: number } | { type: 'drawn'; pixels: Float32Array }

export type PicturesMessage = PaceMessage | Shown | { type: 'mistake'; after: number }

export type PicturesUpdate =
  | { type: 'frame'; frame: PicturesFrame }
  /** A test digit that the net takes for another one; −1 if there is none. */
  | { type: 'mistake'; digit: number }

export interface PicturesFrame {
  step: number
  stepsPerSecond: number
  problem: string
  curve: PicturesCurve
  filters: Float32Array[]
  look: Look
  /** The class of the digit; −1 if it was drawn. */
  label: number
}

export async function pictures({ config, digit, shift, ...pace }: PicturesInput, context: Context<PicturesUpdate>): Promise<void> {
  const data = await (await import('../train/digits')).digits()
  const net = new PicturesNet(config, data)
  let shown: Shown = { type: 'digit', digit, shift }
  await paced<Exclude<PicturesMessage, PaceMessage>>(pace, context, {
    step: () => net.step,
    isAlive: () => net.problem === '',
    advance: (until, deadline) => net.advance(until, deadline),
    show: (stepsPerSecond) => {
      const pixels = shown.type === 'drawn' ? shown.pixels : moved(pixelsOf(data.test, shown.digit), shown.shift)
      const label = shown.type === 'drawn' ? -1 : data.test.labels[shown.digit]
      const { step, problem, curve } = net
      context.update({
        type: 'frame',
        frame: { ...{ step, problem, curve, label, stepsPerSecond }, filters: net.filters(), look: net.look(pixels) },
      })
    },
    receive: (message) => {
      if (message.type !== 'mistake') {
        shown = message
        return true
      }
      const wrong = net.answers(data.test).flatMap((answer, i) => (answer === data.test.labels[i] ? [] : [i]))
      context.update({ type: 'mistake', digit: wrong.find((i) => i > message.after) ?? wrong[0] ?? -1 })
      return false
    },
  })
}

/** A picture some pixels further to the right, with nothing where it was. */
export const moved = (pixels: Float32Array, shift: number) =>
  Float32Array.from(pixels, (_, i) => {
    const column = (i % SIDE) - shift
    return column < 0 || column >= SIDE ? 0 : pixels[i - shift]
  })
