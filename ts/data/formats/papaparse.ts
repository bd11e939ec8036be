/** The one module that contains the CSV library, so that it is bundled only into programs that read CSV. */
export { default as Papa } from 'papaparse'
