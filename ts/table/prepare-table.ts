/** A table as input of nets, split into training, validation and test rows: for your own nets and experiments. */
import { fraction, readOptions, type Schema, seed } from '../common/options.js'
import type { LeftOut, Source } from '../data/index.js'
import type { ColumnToEmbed } from '../index.js'
import { checkClasses } from './rows/check-target.js'
import { ColumnPlan, INSPECT_TABLE, type InspectTableOptions } from './rows/column-plan.js'
import { columnsOfInputs, featuresOf, inputsOf, scaled, spansOf, widthOf } from './rows/features.js'
import { namingLinesOf, rowsFrom } from './rows/given-rows.js'
import { checkGroups, checkTimes, groupColumn, setAside, timeColumn, withoutColumns } from './rows/set-aside.js'

/** Options of {@link prepareTable}. */
export interface PrepareTableOptions extends InspectTableOptions {
  /**
   * Fraction of the rows that are held out for the test first. With the same fraction and seed they are the rows from which `trainTable` makes its
   * report, so that a choice by the validation rows here can be evaluated on unseen rows. 0 holds none out. Default 0.2.
   */
  testFraction?: number
  /** Fraction of the other rows for validation. Default 0.2. */
  validationFraction?: number
  /**
   * A column of dates or numbers by which rows are split in time: the latest are the test rows, and the latest of the others the validation rows.
   * Default: at random.
   */
  splitBy?: string
  /** A column of groups, such as patients, whose rows stay together, as in `trainTable`. Default: each row for itself. */
  groups?: string
  /** Decides how rows are split. Default 0. */
  seed?: number
}

export const PREPARE_TABLE = {
  ...INSPECT_TABLE,
  testFraction: { is: { min: 0, max: 1, openMax: true }, default: 0.2 },
  validationFraction: { is: fraction, default: 0.2 },
  splitBy: { is: timeColumn },
  groups: { is: groupColumn, aka: ['group'] },
  seed: { is: seed, default: 0 },
} satisfies Schema<PrepareTableOptions>

/** Rows as numbers. */
export interface PreparedRows {
  /** Row-major [count, width]. */
  inputs: Float32Array
  /** Classes, or numbers with mean 0 and deviation 1 among the rows to train on. */
  targets: Int32Array | Float32Array
  count: number
}

/** Result of {@link prepareTable}. */
export interface PreparedTable {
  train: PreparedRows
  held: PreparedRows
  /** Inputs of a row. */
  width: number
  /** The column that each input of a row comes from. */
  columns: readonly string[]
  /** 0 if targets are numbers. */
  classes: number
  /** Inputs that are category numbers, for a first layer `new EmbedColumns(width, embedded)`; empty if there are none. */
  embedded: readonly ColumnToEmbed[]
  /** For numeric targets: the original number is mean + deviation · target. */
  scale: { mean: number; deviation: number }
  /** Rows that are left out because of a gap, with reasons; together with training, validation and test rows they are all rows. */
  leftOut: readonly LeftOut[]
  /** Notes about the target, such as that a word that often stands for a gap is read as a class. */
  notes: readonly string[]
}

/**
 * A table with the inputs that {@link trainTable} gives its nets: columns are decided in the same way, and scaled by the rows to train on.
 *
 * @example
 * const { train, width, classes } = await prepareTable('docs/guide/penguins.csv', { target: 'species' })
 * classes // 3
 * @throws as trainTable does
 */
export async function prepareTable(rows: readonly object[] | Source, given: PrepareTableOptions): Promise<PreparedTable> {
  const { testFraction, validationFraction, splitBy, groups, seed, read, sample, ...table } = readOptions(
    'prepareTable',
    given,
    PREPARE_TABLE,
  )
  const [ofTest, ofHeld] = [testFraction, validationFraction].map((fraction) => ({ fraction, seed, splitBy, groups }))
  const { plan, judging, data, encoder } = await namingLinesOf('prepareTable', rows, read, async (taken) => {
    const all = await rowsFrom(rows, { read, sample, seed }, taken)
    const plan = new ColumnPlan(all, withoutColumns('prepareTable', all, table, { groups }))
    if (groups !== undefined) checkGroups('prepareTable', all, plan.rows, groups)
    if (splitBy !== undefined) checkTimes('prepareTable', all, plan, splitBy)
    const [used] = testFraction === 0 ? [plan.rows] : setAside('prepareTable', plan, plan.rows, ofTest)
    const [training, judging] = setAside('prepareTable', plan, used, ofHeld)
    const { table: data, encoder } = plan.fit(training)
    checkClasses('prepareTable', data, table.target, judging, all)
    return { plan, judging, data, encoder }
  })
  const features = featuresOf(data)
  const { targets, scale } = scaled(data.targets)
  const held = encoder.dataset(judging)
  const { mean, deviation } = scale
  return {
    train: { inputs: inputsOf(features, data.inputs), targets, count: data.count },
    held: {
      inputs: inputsOf(features, held.inputs),
      targets: held.targets instanceof Int32Array ? held.targets : held.targets.map((y) => (y - mean) / deviation),
      count: held.count,
    },
    width: widthOf(features),
    columns: columnsOfInputs(features, spansOf(data.report.columns)),
    classes: data.classes,
    embedded: (features.embedded ?? []).map(({ feature, count, size }) => ({ feature, count, size })),
    scale: { mean: mean + (data.state().target.center ?? 0), deviation },
    leftOut: plan.leftOut,
    notes: plan.notes,
  }
}
