/**
 * The one module that contains the Parquet library; loaded when a Parquet file is read. It imports the library's entry for every runtime: the entry
 * for Node imports modules that browsers lack.
 */
export { asyncBufferFromUrl, parquetMetadataAsync, parquetReadObjects, snappyUncompress } from 'hyparquet/src/index.js'
