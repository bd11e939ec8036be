/** The trials of a study in its storage, facts about all of them, and orphaned trials. */
import { rangeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { ownerOf } from './entries.js'
import type { Pruner } from './pruners/pruner.js'
import type { Axis, Space } from './space.js'
import { type Journal, OPERATION, type StoredStudy, type StoredTrial, spaceToJson } from './storage/journal.js'
import { isGone } from './storage/owner.js'
import { changesOf, SPACE, storedSpace } from './stored-space.js'
import { TrialIndex } from './trial-index.js'

/** Parts that a study and its trials share. */
export interface StudyParts {
  readonly name: string
  readonly space: Space
  readonly axes: readonly Axis[]
  readonly directions: readonly ('minimize' | 'maximize')[]
  readonly pruner: Pruner | undefined
}

export class StoredTrials {
  readonly index: TrialIndex
  /** The study in the journal; undefined before it is begun. */
  study: StoredStudy | undefined
  /** @param onTrial called for each trial that came, began or ended */
  constructor(
    readonly journal: Journal,
    readonly parts: StudyParts,
    private readonly onTrial: (trial: StoredTrial) => void,
  ) {
    this.index = new TrialIndex(parts.axes, parts.directions, parts.pruner !== undefined)
    journal.onChange((study, trial, change) => {
      // compared by identity, since a deleted study may have had the same name
      if (study !== this.study) return
      if (change === 'reported') this.index.updateReports(trial)
      else this.observe(trial)
    })
  }

  /** By number. */
  get all(): readonly StoredTrial[] {
    return this.study?.trials ?? []
  }

  /** True if the study was deleted since it was opened. */
  get isDeleted(): boolean {
    return this.study !== undefined && this.journal.studies.get(this.study.id) !== this.study
  }

  /**
   * Makes the study, or checks that it is the existing one: with the same space, or a space to which it may change. Opening it to look writes
   * nothing.
   */
  async begin(purpose: 'same' | 'change' | 'look'): Promise<void> {
    const { journal } = this
    const { name, space, directions } = this.parts
    await journal.write(() => {
      if (journal.studyNamed(name)) return []
      return [{ op_code: OPERATION.createStudy, study_name: name, directions: directions.map((d) => (d === 'minimize' ? 1 : 2)) }]
    })
    const study = journal.studyNamed(name) as StoredStudy
    this.study = study
    this.checkDirections(study)
    // entries that were read before this study listened
    for (const trial of study.trials) if (!this.index.has(trial)) this.observe(trial)
    const [json, before] = [spaceToJson(space), study.userAttributes[SPACE]]
    if (typeof before === 'string' && before !== json && purpose === 'same')
      throw rangeError(
        `createStudy: the study '${name}' in ${journal.store.place} has another space: ${changesOf(storedSpace(study), space)}. ` +
          'Give this one another name, or set allowSpaceChange: true, and its trials count where they fit',
      )
    if (before !== json && purpose !== 'look') await this.setAttribute(SPACE, json)
    journal.opened()
  }

  private checkDirections(study: StoredStudy): void {
    const { name, directions } = this.parts
    if (study.directions.join() === directions.join()) return
    throw rangeError(
      `createStudy: the study '${name}' in ${this.journal.store.place} is to ${study.directions.join(' and ')}, got direction ${show(directions.join(' and '))}; give this one another name`,
    )
  }

  /** Notes on the study as a whole, without its space. */
  get attributes(): Readonly<Record<string, unknown>> {
    const { [SPACE]: _, ...attributes } = this.study?.userAttributes ?? {}
    return attributes
  }

  async setAttribute(name: string, value: unknown): Promise<void> {
    await this.journal.write(() => [{ op_code: OPERATION.setStudyUserAttribute, study_id: this.study?.id, user_attr: { [name]: value } }])
  }

  /** Running trials without a process: they are repeated before new ones. */
  get orphans(): StoredTrial[] {
    return [...this.index.running.values()].filter((trial) => this.isAbandoned(ownerOf(trial)))
  }

  /** Running trials of processes that may have died: they announced signs of life, and have written nothing since. */
  get uncertain(): StoredTrial[] {
    const { journal } = this
    return [...this.index.running.values()].filter((trial) => {
      const owner = ownerOf(trial)
      return owner !== journal.worker && journal.maySilent(owner) !== undefined && !journal.isHeard(owner) && !this.isAbandoned(owner)
    })
  }

  /** True if a process has ended, or is silent for longer than it announced. */
  private isAbandoned(owner: string): boolean {
    const { journal } = this
    if (owner === journal.worker) return false
    return isGone(owner) || journal.silence(owner) > (journal.maySilent(owner) ?? Number.POSITIVE_INFINITY)
  }

  /** Number of trials that are over or running somewhere. */
  get begun(): number {
    return this.index.finished + this.index.counts.running - this.orphans.length
  }

  /** Updates the index by the present state of a trial. */
  private observe(trial: StoredTrial): void {
    this.index.update(trial)
    this.onTrial(trial)
  }
}
