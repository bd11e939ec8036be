import { type Backend, createBackend } from 'gradus'

let backend: Backend | undefined

/** The backend for functions of two numbers: plain JavaScript in double precision, so that a link gives the same bits everywhere. */
export function doubles(): Backend {
  backend ??= createBackend({ backend: 'js', dtype: 'float64' })
  return backend
}
