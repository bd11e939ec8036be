/** The protected side of an optimizer, for the parts of training that run its steps themselves. */
import type { ParameterGroup } from './group.js'
import type { ParameterSpan, Scalars } from './span.js'
import type { UpdateRule } from './update-rule.js'

/**
 * Protected members of {@link Optimizer} (documented there), with options of any type. At run time they are ordinary members: `optimizer as unknown
 * as OptimizerInternals`.
 */
export interface OptimizerInternals {
  readonly groups: readonly ParameterGroup[]
  readonly transforms: { readonly isEmpty: boolean }
  readonly bindings: readonly unknown[]
  rule(options: object): UpdateRule | undefined
  begin(group: ParameterGroup, span: ParameterSpan): void
  hyper(options: object, t: number, scalars: Scalars): readonly number[]
  coupledDecay(options: object): number
  decoupledDecay(options: object, hyper: readonly number[]): number
}
