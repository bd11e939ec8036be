/** The space of a study as its storage keeps it. */

import { describeRange, type Space, type SpaceParameter } from './space.js'
import { parseJson, rangeFromJson, type StoredStudy } from './storage/journal.js'

/** The attribute in which studies keep their space, for a second run and for reports. */
export const SPACE = 'gradus:space'

/** The space that a study was made with; for a study of Optuna the ranges of its trials. */
export function storedSpace(study: StoredStudy): Space {
  const json = study.userAttributes[SPACE]
  if (typeof json === 'string')
    return Object.fromEntries(
      (parseJson(json) as [string, string, string?, (string | number)[]?][]).map(([name, range, parent, values]) => {
        const parameter = rangeFromJson(range)
        return [
          name,
          parent === undefined ? parameter : ({ kind: 'when', name: parent, values: values ?? [], range: parameter } as SpaceParameter),
        ]
      }),
    )
  return Object.fromEntries(study.trials.flatMap(({ ranges }) => Object.entries(ranges)))
}

/** The differences between two spaces, in words. */
export function changesOf(before: Space, after: Space): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const changes = names.flatMap((name) => {
    const [a, b] = [before[name], after[name]].map((parameter) => (parameter ? describeRange(parameter) : undefined))
    if (a === b) return []
    if (a === undefined) return [`${name} is new`]
    return [b === undefined ? `${name} is gone` : `${name} was ${a}, is ${b}`]
  })
  return changes.length > 0 ? changes.join('; ') : 'its parameters have another order'
}
