/** Two copies of gradus in one process: their classes look the same and are not, which messages should say. */

/** @internal what this copy of gradus marks its classes with (`gradusCopy`): two copies in one process have two marks */
export const COPY = {}

/** @internal for messages, behind what a value is */
export const OF_ANOTHER_COPY = ' of another copy of gradus: two versions, or ESM beside CommonJS'

/** @internal whether a value is of another copy of gradus, whose classes look the same and are not */
export function isForeign(value: unknown): boolean {
  return ((value as { gradusCopy?: object } | null | undefined)?.gradusCopy ?? COPY) !== COPY
}
