//! Every bound of the system in one place, with the relations between them asserted at compile time.
//!
//! A number that bounds a queue, a buffer, a batch or a loop stands here with its reason; what an operator may change
//! is a setting of `config` whose default or ceiling stands here.

/// Cores of one node. Core ports are handed out in blocks of this many, and a core fits a byte on the wire.
pub const CORES_MAX: usize = 64;

/// Hash slots of the keyspace, fixed by the Redis Cluster protocol.
pub const SLOTS: u16 = 16384;

/// Databases of a node (`databases`); SELECT accepts 0 to this less one.
pub const DATABASES_DEFAULT: usize = 16;

/// Bytes of one inline command or of one protocol line, as in Redis.
pub const INLINE_BYTES_MAX: usize = 64 * 1024;

/// Arguments of one request, as in Redis (1024 * 1024).
pub const ARGUMENTS_MAX: usize = 1024 * 1024;

/// Bytes of one bulk string unless `proto-max-bulk-len` says otherwise, as in Redis (512 MiB).
pub const BULK_BYTES_MAX_DEFAULT: usize = 512 * 1024 * 1024;

/// Values above this are reference-counted, shared with the kernel while they are sent, and never run under a lease.
pub const LARGE_VALUE_BYTES: usize = 16 * 1024;

/// Entries that KEYS, or SCAN with a large COUNT, visits before other work gets its turn: 90 to 130 us of hashing, sorting
/// and matching with a million keys, 260 us at worst.
pub const SCAN_SLICE_ENTRIES: usize = 1024;
/// Bytes of one whole request: arguments are found by 32-bit offsets. A claim beyond it is an invalid bulk length.
pub const REQUEST_BYTES_MAX: usize = u32::MAX as usize;

/// Arguments of one request before the client has authenticated, as in Redis: enough for HELLO with all its options.
pub const UNAUTHENTICATED_ARGUMENTS_MAX: usize = 10;

/// Bytes of one bulk string before the client has authenticated, as in Redis.
pub const UNAUTHENTICATED_BULK_BYTES_MAX: usize = 16 * 1024;

/// Argument places (8 bytes each) that a parser keeps between requests: half of what an idle connection may cost.
pub const SPANS_KEPT_MAX: usize = 64;

/// A parser asks for this much room on a client's word alone; beyond it, for no more than has already come.
pub const CLAIM_BYTES_MAX: usize = 64 * 1024;

const _: () = assert!(CORES_MAX <= u8::MAX as usize + 1);
const _: () = assert!(SLOTS.is_power_of_two());
const _: () = assert!(LARGE_VALUE_BYTES < BULK_BYTES_MAX_DEFAULT);
const _: () = assert!(BULK_BYTES_MAX_DEFAULT < REQUEST_BYTES_MAX && ARGUMENTS_MAX <= i32::MAX as usize);
const _: () = assert!(UNAUTHENTICATED_ARGUMENTS_MAX < ARGUMENTS_MAX);
const _: () = assert!(UNAUTHENTICATED_BULK_BYTES_MAX < BULK_BYTES_MAX_DEFAULT);
const _: () = assert!(SPANS_KEPT_MAX * 8 <= 512 && CLAIM_BYTES_MAX >= LARGE_VALUE_BYTES);
