/** The choice of a table of the visitor, and of its column to predict. */
import { useMemo } from 'preact/hooks'
import type { Engine } from '../engine/client'
import { useTask } from '../engine/use-task'
import { Choice } from '../ui/controls'
import { startAfresh, type TrainState } from './state'

export function CsvChoice({ worker, state, onFile }: { worker: () => Engine; state: TrainState; onFile(file: File | undefined): void }) {
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
          onChange={(target) => startAfresh({ target })}
        />
      )}
      <p class="says">
        Columns of numbers are the inputs. The file stays on your machine, and out of the link: to open one, choose the file again.
      </p>
    </>
  )
}
