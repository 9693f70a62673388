/** The fixed replies of the text protocol, as bytes with their line ends. */

/** A reply line as bytes. */
export function line(text: string): Buffer {
  return Buffer.from(`${text}\r\n`, 'latin1');
}

export const STORED_LINE = line('STORED');
export const NOT_STORED_LINE = line('NOT_STORED');
export const EXISTS_LINE = line('EXISTS');
export const NOT_FOUND_LINE = line('NOT_FOUND');
export const DELETED_LINE = line('DELETED');
export const TOUCHED_LINE = line('TOUCHED');
export const OK_LINE = line('OK');
export const END_LINE = line('END');
export const RESET_LINE = line('RESET');
export const ERROR_LINE = line('ERROR');
export const BAD_FORMAT = line('CLIENT_ERROR bad command line format');
export const BAD_DATA_CHUNK = line('CLIENT_ERROR bad data chunk');
export const BAD_COMMAND_LINE = line('CLIENT_ERROR bad command line');
export const BAD_DELETE = line(
  'CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]',
);
export const BAD_EXPTIME = line('CLIENT_ERROR invalid exptime argument');
export const BAD_DELTA = line('CLIENT_ERROR invalid numeric delta argument');
export const NON_NUMERIC = line('CLIENT_ERROR cannot increment or decrement non-numeric value');
export const BAD_DETAIL = line('CLIENT_ERROR usage: stats detail on|off|dump');
export const BAD_SLAB_ID = line('CLIENT_ERROR Illegal slab id');
export const FLUSH_FORBIDDEN = line('CLIENT_ERROR flush_all not allowed');
export const WATCH_FORBIDDEN = line('CLIENT_ERROR watch commands not allowed');
export const WATCH_PIPELINED = line('ERROR cannot pipeline other commands before watch');
export const WATCH_TOO_MANY = line('WATCHER_TOO_MANY log watcher limit reached');
export const TOO_LARGE = line('SERVER_ERROR object too large for cache');
export const NO_MEMORY = line('SERVER_ERROR out of memory storing object');
export const NO_MEMORY_READING = line('SERVER_ERROR Out of memory during read');
export const NO_MEMORY_DELTA = line('SERVER_ERROR out of memory');

/* Text authentication. */
export const UNAUTHENTICATED = line('CLIENT_ERROR unauthenticated');
export const AUTH_FAILURE = line('CLIENT_ERROR authentication failure');
export const AUTH_TOO_LONG = line('CLIENT_ERROR auth token too long');
export const BAD_AUTH_TOKEN = line('CLIENT_ERROR bad authentication token format');
export const BAD_TERMINATION = line('CLIENT_ERROR bad command line termination');

/* Meta commands: codes without line ends, and errors. */
export const HD_CODE = Buffer.from('HD');
export const VA_CODE = Buffer.from('VA');
export const EN_CODE = Buffer.from('EN');
export const NS_CODE = Buffer.from('NS');
export const EX_CODE = Buffer.from('EX');
export const NF_CODE = Buffer.from('NF');
export const EN_LINE = line('EN');
export const MN_LINE = line('MN');
export const FLAGS_TOO_LONG = line('CLIENT_ERROR options flags are too long');
export const DUPLICATE_FLAG = line('CLIENT_ERROR duplicate flag');
export const INVALID_FLAG = line('CLIENT_ERROR invalid flag');
export const BAD_FLAGS = line('CLIENT_ERROR invalid or duplicate flag');
export const BAD_TOKEN = line('CLIENT_ERROR bad token in command line format');
export const BAD_KEY_ENCODING = line('CLIENT_ERROR error decoding key');
export const BAD_MODE_LENGTH = line('CLIENT_ERROR incorrect length for M token');
export const BAD_MODE_SET = line('CLIENT_ERROR invalid mode for ms M token');
export const BAD_MODE_ARITHMETIC = line('CLIENT_ERROR invalid mode for ma M token');
export const BAD_INITIAL_TOKEN = line('CLIENT_ERROR invalid numeric initial value');
export const BAD_DELTA_TOKEN = line('CLIENT_ERROR invalid numeric delta value');
export const OPAQUE_TOO_LONG = line('CLIENT_ERROR opaque token too long');
export const NO_MEMORY_NUMBER = line('SERVER_ERROR Out of memory allocating new item');
