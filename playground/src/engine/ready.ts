import { load } from 'gradus'

let loading: Promise<unknown> | undefined

/** Loads gradus once in this worker, so that everything in it shares a backend; the same bits in every browser. */
export function ready(): Promise<unknown> {
  loading ??= load({ reproducible: true })
  return loading
}
