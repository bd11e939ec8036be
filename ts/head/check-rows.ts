/** A check of all vectors of a training. */
import { rangeError } from '../common/errors.js'
import { Pacer } from '../common/pacer.js'
import type { Rows } from './vectors.js'

/** @internal waits for room in the engine. @throws RangeError if all rows are alike */
export async function checkRows(who: string, rows: Rows): Promise<void> {
  if (areAlike(rows))
    throw rangeError(
      `${who}: vectors wants rows that differ, and all ${rows.count} are alike; does the model get the right texts or pictures?`,
    )
  // memory of earlier rows is given back only between tasks
  await new Pacer().pause()
}

function areAlike({ vectors, count, width }: Rows): boolean {
  for (let i = width; i < count * width; i++) if (vectors[i] !== vectors[i % width]) return false
  return true
}
