/** Lengths at which velocities and scales are drawn. */
import type { Method } from '../methods'
import type { Track } from './track'

/** The largest velocity and the largest scale of a coordinate in a race. */
export interface Sizes {
  velocity: number
  scale: number
}

/** The largest sizes of the racers that stay on the map; of all racers that are drawn, where none does. */
export function sizesOf(tracks: readonly (Track | null)[]): Sizes {
  // Where f is not a number, neither is the last gradient, and nothing is drawn.
  const known = tracks.flatMap((track) => (track && track.end !== 'undefined' ? track : []))
  const stayed = known.filter(({ end }) => end !== 'diverged')
  const sizes = { velocity: 0, scale: 0 }
  for (const { velocity, scale } of stayed.length > 0 ? stayed : known) {
    for (let i = 0; velocity && i < velocity.length; i += 2)
      sizes.velocity = Math.max(sizes.velocity, Math.hypot(velocity[i], velocity[i + 1]))
    for (const side of scale ?? []) sizes.scale = Math.max(sizes.scale, side)
  }
  return sizes
}

/** The length of a size in a picture, by its root, so that a hundredth is a tenth as long; the largest and all above it are whole. */
export const shownSize = (size: number, largest: number, whole: number): number =>
  largest > 0 ? whole * Math.sqrt(Math.min(size / largest, 1)) : 0

/** What arrow and box stand for, where these methods have them. */
export function keyText(methods: readonly Pick<Method, 'velocity' | 'squares'>[]): string {
  const isDescent = methods.some(({ velocity }) => velocity === 'gradient')
  const hasVelocity = methods.some(({ velocity }) => velocity && velocity !== 'gradient')
  const arrow = `The arrow is ${hasVelocity ? `the velocity${isDescent ? ' (of gradient descent: −∇f)' : ''}` : '−∇f, the way downhill'}. `
  const box = 'The box is √S, the root of the mean squared gradient in x and in y; the dashed box is the largest of this race. '
  const key = (isDescent || hasVelocity ? arrow : '') + (methods.some(({ squares }) => squares) ? box : '')
  return key && `${key}What is a quarter as large is drawn half as long.`
}
