/** `view`: the display of one value. */
import { plainError, rangeError, typeError } from '../common/errors.js'
import { array, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { DISPLAY, type NotebookDisplay } from '../report/notebook.js'
import { formatsOf } from './formats.js'

/** Options of {@link view}. */
export interface ViewOptions {
  /** Names of the classes of a confusion matrix. Default: 0, 1, … */
  names?: readonly string[]
}

export const VIEW = { names: { is: array } } satisfies Schema<ViewOptions>

/** A value as notebooks show it. */
export interface NotebookView {
  /** The display, by MIME types; `text/plain` is always there. */
  readonly formats: NotebookDisplay
  /** A node of the page, for Observable and pages. @throws Error where there is no document */
  toElement(): HTMLElement
}

/**
 * A value as notebooks show it: a tensor, model, history, report, study or head, or a confusion matrix, which is an array of arrays and cannot show itself.
 * Deno's kernel displays it where it is the last value of a cell; Observable displays its element.
 *
 * @param value tensor, model, history, report, study, head, or a square array of counts
 * @example
 * const matrix = view([[8, 2], [1, 9]], { names: ['cat', 'dog'] })
 * matrix.formats['image/svg+xml']?.startsWith('<svg') // true
 * // matrix.toElement() in Observable
 * @throws TypeError for a value that has no display; RangeError for another number of names than classes
 */
export function view(value: unknown, options: ViewOptions = {}): NotebookView {
  const { names } = readOptions('view', options, VIEW)
  if (names !== undefined && Array.isArray(value) && names.length !== value.length)
    throw rangeError(`view: names wants one for each of ${value.length} classes, got ${names.length}`)
  const formats = formatsOf(value, names?.map(String))
  if (formats === undefined)
    throw typeError(`view: wants a tensor, model, history, report, study, head or confusion matrix, got ${show(value)}`)
  return {
    formats,
    toElement: () => elementOf(formats),
    ...{ [DISPLAY]: () => formats },
  }
}

function elementOf(formats: NotebookDisplay): HTMLElement {
  if (typeof document === 'undefined') throw plainError('view: toElement wants a page, and there is no document here; use formats')
  const element = document.createElement('div')
  const html = formats['image/svg+xml'] ?? formats['text/html']
  if (html === undefined) element.textContent = formats['text/plain']
  else element.innerHTML = html
  return element
}
