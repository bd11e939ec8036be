/**
 * Reports in notebooks and in `console.log`: kernels such as Deno's ask the value of a cell for a display, and Node asks what it prints for a text, under
 * symbols that all of them know.
 */
import { escaped } from '../plot/svg.js'

/** The name of the method that gives a display. */
export const DISPLAY = Symbol.for('Jupyter.display')

/** A display: the same content in several formats, by their MIME types. A notebook shows the richest that it can. */
export interface NotebookDisplay {
  'text/plain': string
  'text/html'?: string
  'image/svg+xml'?: string
}

/** Height in pixels of a page, until its own script has measured it. */
const PAGE_HEIGHT = 480

/** A page within a notebook: in a frame, so that its style stays its own. */
export function frameOf(page: string): string {
  const measure = "this.style.height=this.contentDocument.documentElement.scrollHeight+8+'px'"
  return `<iframe srcdoc="${escaped(page)}" onload="${escaped(measure)}" style="width:100%;height:${PAGE_HEIGHT}px;border:0"></iframe>`
}

/** Makes an object, or all objects with a prototype, show themselves in notebooks. Loops, JSON and structured clones do not see the method. */
export function giveDisplay<T extends object>(shown: T, formatsOf: (shown: T) => NotebookDisplay | undefined): void {
  const value = function (this: T) {
    return formatsOf(this)
  }
  Object.defineProperty(shown, DISPLAY, { value, configurable: true })
}

/** The name of the method that gives the text of `console.log`. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom')

/** Makes an object, or all objects with a prototype, print a text, unless it has one of its own. Loops and JSON do not see the method. */
export function givePrinted<T extends object>(shown: T, text: (shown: T) => string): void {
  if (Object.hasOwn(shown, CUSTOM)) return
  const value = function (this: T) {
    return text(this)
  }
  Object.defineProperty(shown, CUSTOM, { value, configurable: true })
}

/**
 * Makes a report, or all objects with a prototype, show themselves in notebooks, as {@link giveDisplay} does, and in `console.log`.
 *
 * @param text lines for a terminal
 * @param page a whole page of HTML
 */
export function showInNotebooks<T extends object>(shown: T, text: (shown: T) => string, page: (shown: T) => string): void {
  givePrinted(shown, text)
  giveDisplay(shown, (own) => ({
    'text/plain': text(own),
    // a page may take a second: it is made when a notebook reads it
    get 'text/html'() {
      return frameOf(page(own))
    },
  }))
}
