/** The choice of a table of the visitor, and of its column to predict. */
import { useMemo } from 'preact/hooks'
import type { Engine } from '../engine/client'
import { useTask } from '../engine/use-task'
import { Choice } from '../ui/controls'
import { startAfresh, type TrainState, train } from './state'
import type { MapAxes } from './view'

interface Props {
  worker: () => Engine
  state: TrainState
  /** Inputs of the net, and those of them that the map shows. */
  names: readonly string[]
  axes: MapAxes
  onFile(file: File | undefined): void
}

export function CsvChoice({ worker, state, names, axes, onFile }: Props) {
  const input = useMemo(() => ({ csv: state.csv }), [state.csv])
  const columns = useTask(worker, 'columns', input).result ?? []
  return (
    <>
      <label class="file">
        <span>{state.csv === '' ? 'Choose a file' : 'Choose another file'}</span>
        or drop one on the page
        <input class="hidden" type="file" accept=".csv,.tsv,text/csv" onChange={(e) => onFile(e.currentTarget.files?.[0])} />
      </label>
      {columns.length > 0 && (
        <Choice
          label="Class to predict"
          value={state.target || columns[columns.length - 1]}
          options={columns.map((name) => [name, name] as const)}
          onChange={(target) => startAfresh({ target, across: 0, upwards: 1 })}
        />
      )}
      {names.length > 2 &&
        (['across', 'upwards'] as const).map((name, k) => (
          <Choice
            key={name}
            label={`Map ${name}`}
            value={String(axes[k])}
            options={names.flatMap((column, i) => (i === axes[1 - k] ? [] : [[String(i), column] as const]))}
            onChange={(i) => train.set({ across: axes[0], upwards: axes[1], [name]: Number(i) })}
          />
        ))}
      <p class="says">
        Columns of numbers are the inputs. The file stays on your machine, and out of the link: to open one, choose the file again.
      </p>
    </>
  )
}
