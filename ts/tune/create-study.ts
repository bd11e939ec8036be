/** Makes studies, and opens existing ones. */

import { plainError, rangeError, typeError } from '../common/errors.js'
import { anything, flag, handler, type Kind, readOptions, type Schema, seed, text } from '../common/options.js'
import { show, showNames } from '../common/show.js'
import { pruner } from './pruners/pruner.js'
import type { Sampler } from './samplers/sampler.js'
import { axesOf, type Space } from './space.js'
import { Journal, type JournalStore } from './storage/journal.js'
import { openStore, openStored } from './storage/open.js'
import { workerName } from './storage/owner.js'
import { storedSpace } from './stored-space.js'
import { type Direction, Study, type StudyOptions } from './study.js'

const sampler: Kind = {
  wants: 'one such as tpe()',
  fits: (value) => typeof (value as Sampler | null)?.sample === 'function',
  remedy: (value) => (typeof value === 'function' ? '; call it' : ''),
}

/** @internal the options of createStudy; `aka` has Optuna's names for them */
export const CREATE_STUDY = {
  space: { is: anything, aka: ['params', 'searchSpace', 'search_space'] },
  direction: { is: anything, default: 'minimize', aka: ['directions'] },
  sampler: { is: sampler },
  pruner: { is: pruner },
  storage: { is: anything, aka: ['load_if_exists'] },
  name: { is: text, default: 'study', aka: ['study_name', 'studyName'] },
  seed: { is: seed, default: 0 },
  constraint: { is: handler },
  allowSpaceChange: { is: flag, default: false },
} satisfies Schema<StudyOptions<Space>>

/**
 * Makes a study, or opens the one of this name in the storage.
 *
 * @example
 * const study = await createStudy({ space: { x: float(-10, 10), y: float(-10, 10) }, seed: 1 })
 * await study.optimize(({ x, y }) => (x - 2) ** 2 + y ** 2, { trials: 100 })
 * study.trials.length      // 100
 * study.bestValue < 0.5    // true
 * @throws TypeError, RangeError for options that do not fit; Error if the storage cannot be opened, or its study has another space
 */
export async function createStudy<const S extends Space>(given: StudyOptions<S>): Promise<Study<S>> {
  const options = readOptions('createStudy', given, CREATE_STUDY)
  const { space, storage, direction, allowSpaceChange } = options
  const axes = axesOf(space)
  const directions = directionsOf(direction)
  const store = await openStore(storage)
  try {
    const journal = new Journal(store, await workerName())
    const study = new Study<S>(journal, options, axes, directions)
    await study.begin(allowSpaceChange ? 'change' : 'same')
    return study
  } catch (error) {
    await store.close?.()
    throw error
  }
}

/** Options of {@link openStudy}. */
export interface OpenOptions {
  storage: string | JournalStore
  /** Name of the study. Default: the only one there. */
  name?: string
}

export const OPEN_STUDY = { storage: CREATE_STUDY.storage, name: { is: text, aka: CREATE_STUDY.name.aka } } satisfies Schema<OpenOptions>

/**
 * Opens an existing study for reading: the space comes from its storage, even if Optuna made the study.
 * @example
 * // const study = await openStudy({ storage: 'study.log' })
 * // study.bestParams
 * @throws Error if there is no such file or study
 */
export async function openStudy(options: OpenOptions): Promise<Study> {
  const { storage, name } = readOptions('openStudy', options, OPEN_STUDY)
  if (storage === undefined) throw typeError("openStudy: wants { storage: 'study.log' }, the place of a study, got no storage")
  const store = await openStored(storage)
  try {
    const journal = new Journal(store, await workerName())
    await journal.sync()
    const names = [...journal.studies.values()].map((study) => study.name)
    const found = name === undefined && names.length === 1 ? journal.studyNamed(names[0]) : journal.studyNamed(name ?? '')
    if (!found) {
      if (names.length === 0) throw plainError(`openStudy: ${store.place} has no study yet; is it the right place?`)
      if (name === undefined)
        throw plainError(`openStudy: ${store.place} has ${names.length} studies; choose one by its name: ${showNames(names)}`)
      throw plainError(`openStudy: ${store.place} has no study '${name}'; it has ${showNames(names)}`)
    }
    const space = storedSpace(found)
    const study = new Study(journal, { space, name: found.name, seed: 0 }, axesOf(space), found.directions)
    await study.begin('look')
    return study
  } catch (error) {
    await store.close?.()
    throw error
  }
}

/**
 * Deletes a study from its storage, as Optuna does: its entries stay in the journal, and have no effect any more. Processes and workers that run it
 * stop.
 * @example
 * // await deleteStudy({ storage: 'redis://localhost:6379', name: 'first-try' })
 * @throws Error if there is no such file or study
 */
export async function deleteStudy(options: OpenOptions): Promise<void> {
  const study = await openStudy(readOptions('deleteStudy', options, OPEN_STUDY))
  try {
    await study.delete()
  } finally {
    await study.close()
  }
}

function directionsOf(direction: Direction | readonly Direction[]): Direction[] {
  const directions = typeof direction === 'string' ? [direction] : [...direction]
  if (directions.length === 0)
    throw rangeError("createStudy: direction wants 'minimize' or 'maximize' for each objective, got an empty array")
  for (const one of directions)
    if (one !== 'minimize' && one !== 'maximize')
      throw rangeError(`createStudy: direction wants 'minimize' or 'maximize', or one for each objective, got ${show(one)}`)
  return directions
}
