/** Versions of the objective that ran the trials of a study. Trials of different versions cannot be compared. */
import { visible } from '../../common/visible.js'

/** Attribute of a trial with the version of the objective that ran it: the name of its module, and the beginning of a hash. */
export const VERSION = 'gradus:objective'

interface Versioned {
  readonly state: string
  readonly userAttributes: Readonly<Record<string, unknown>>
}

/** Largest number of characters of a version: it comes from a storage and may be anything. */
const LONGEST = 200

/** The version that ran a trial; undefined if it is not complete, or a function without a module ran it. */
export function versionIn({ state, userAttributes }: Versioned): string | undefined {
  const version = userAttributes[VERSION]
  return state === 'complete' && typeof version === 'string' ? visible(version.slice(0, LONGEST)) : undefined
}

/** Reports each further version that ran trials of the study, once. */
export class Versions {
  private readonly known: Set<string>

  /** @param own the version that runs trials now, if this process knows it */
  constructor(
    own: string | undefined,
    private readonly say: (text: string) => void,
  ) {
    this.known = new Set(own === undefined ? [] : [own])
  }

  note(trial: Versioned): void {
    const version = versionIn(trial)
    if (version === undefined || this.known.has(version)) return
    const [first] = this.known
    this.known.add(version)
    if (first !== undefined)
      this.say(`trials of this study were run by different versions of the objective, and cannot be compared: ${first} and ${version}`)
  }
}
