/** A trial that this process runs, as its objective sees it. */

import type { Params, Space } from './space.js'
import { type Trial, TrialPruned } from './trial.js'

/** The object to which a running trial reports. */
export interface TrialOwner {
  report(number: number, value: number, step: number): Promise<void>
  shouldPrune(number: number): boolean
  note(number: number, kind: 'constraint' | 'attribute', name: string, value: unknown): void
}

export class RunningTrial<S extends Space> implements Trial<S> {
  private readonly controller = new AbortController()

  constructor(
    private readonly owner: TrialOwner,
    readonly number: number,
    readonly params: Params<S>,
  ) {}

  get signal(): AbortSignal {
    return this.controller.signal
  }

  /** @internal */
  abort(reason: unknown): void {
    this.controller.abort(reason)
  }

  report(value: number, step: number): Promise<void> {
    return this.owner.report(this.number, value, step)
  }

  shouldPrune(): boolean {
    return this.owner.shouldPrune(this.number)
  }

  prune(): never {
    throw new TrialPruned()
  }

  constrain(name: string, value: number): void {
    this.owner.note(this.number, 'constraint', name, value)
  }

  setAttribute(name: string, value: unknown): void {
    this.owner.note(this.number, 'attribute', name, value)
  }
}
