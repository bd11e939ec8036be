/** Makes studies, and opens existing ones. */

import { plainError, rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { show, showNames } from '../common/show.js'
import { axesOf, type Space } from './space.js'
import { Journal, type JournalStore } from './storage/journal.js'
import { openStore, openStored } from './storage/open.js'
import { workerName } from './storage/owner.js'
import { storedSpace } from './stored-space.js'
import { type Direction, Study, type StudyOptions } from './study.js'

const OPTIONS = ['space', 'direction', 'sampler', 'pruner', 'storage', 'name', 'seed', 'constraint', 'allowSpaceChange']
/** Names from Optuna. */
const ALIASES = {
  directions: 'direction',
  study_name: 'name',
  studyName: 'name',
  load_if_exists: 'storage',
  params: 'space',
  searchSpace: 'space',
  search_space: 'space',
}

/**
 * Makes a study, or opens the one of this name in the storage.
 *
 * @example
 * const study = await createStudy({ space: { x: float(-10, 10), y: float(-10, 10) }, seed: 1 })
 * await study.optimize(({ x, y }) => (x - 2) ** 2 + y ** 2, { trials: 100 })
 * study.trials.length      // 100
 * study.bestValue < 0.5    // true
 * @throws TypeError, RangeError for options that do not fit; Error where the storage cannot be opened, or its study has another space
 */
export async function createStudy<const S extends Space>(options: StudyOptions<S>): Promise<Study<S>> {
  checkNames('createStudy', options, OPTIONS, ALIASES)
  const { space, storage, name = 'study', seed = 0, direction = 'minimize', allowSpaceChange = false } = options
  const axes = axesOf(space)
  const directions = directionsOf(direction)
  if (!Number.isSafeInteger(seed) || seed < 0) throw rangeError(`createStudy: seed wants a whole number from 0, got ${show(seed)}`)
  checkPart('sampler', options.sampler, 'sample', 'tpe()')
  checkPart('pruner', options.pruner, 'shouldPrune', 'median()')
  const store = await openStore(storage)
  try {
    const journal = new Journal(store, await workerName())
    const study = new Study<S>(journal, { ...options, space, name, seed }, axes, directions)
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

/**
 * Opens an existing study for reading: the space comes from its storage, even if Optuna made the study.
 * @example
 * // const study = await openStudy({ storage: 'study.log' })
 * // study.bestParams
 * @throws Error if there is no such file or study
 */
export async function openStudy(options: OpenOptions): Promise<Study> {
  checkNames('openStudy', options, ['storage', 'name'], ALIASES)
  const { storage, name } = options
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
 * Deletes a study from its storage, as Optuna does: its entries stay in the journal, and say nothing any more. Processes and workers that run it
 * stop.
 * @example
 * // await deleteStudy({ storage: 'redis://localhost:6379', name: 'first-try' })
 * @throws Error if there is no such file or study
 */
export async function deleteStudy(options: OpenOptions): Promise<void> {
  checkNames('deleteStudy', options, ['storage', 'name'], ALIASES)
  const study = await openStudy(options)
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

function checkPart(name: string, part: unknown, method: string, example: string): void {
  if (part === undefined) return
  if (typeof part === 'function')
    throw typeError(`createStudy: ${name} wants what the function makes, such as ${example}, got the function`)
  if (typeof (part as Record<string, unknown> | null)?.[method] !== 'function')
    throw typeError(`createStudy: ${name} wants one such as ${example}, got ${show(part)}`)
}
