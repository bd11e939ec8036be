/**
 * The one module that has the library for Parquet inside; loaded when a file of Parquet is read. Its index for every runtime: the other one, for
 * Node, imports modules of Node, which a page does not have.
 */
export { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects, snappyUncompress } from 'hyparquet/src/index.js'
