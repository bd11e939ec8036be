/** Two copies of gradus in one process: their classes look the same and are not, which messages should say. */

/** @internal the mark of this copy of gradus on its classes (`gradusCopy`): two copies in one process have two marks */
export const COPY = {}

/** @internal suffix of a value's description in messages */
export const OF_ANOTHER_COPY = ' of another copy of gradus: two versions, or ESM beside CommonJS'

/** @internal true for an object of another copy of gradus, whose classes look the same but are different */
export function isForeign(value: unknown): boolean {
  return ((value as { gradusCopy?: object } | null | undefined)?.gradusCopy ?? COPY) !== COPY
}
