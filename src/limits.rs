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

const _: () = assert!(CORES_MAX <= u8::MAX as usize + 1);
const _: () = assert!(SLOTS.is_power_of_two());
const _: () = assert!(LARGE_VALUE_BYTES < BULK_BYTES_MAX_DEFAULT);

/// Databases that `databases` may ask for: every core has a table for each, and an identifier of 16 bits.
pub const DATABASES_MAX: usize = 16384;

/// Addresses of `bind`, as in Redis; each costs every core a listening socket.
pub const BIND_ADDRESSES_MAX: usize = 16;

/// Highest CPU number of `cpus`: what the kernel's plain affinity mask (1024 bits) holds.
pub const CPU_NUMBER_MAX: u16 = 1023;

/// Bytes of a Unix socket's path: `sockaddr_un` has 108, and one ends it.
pub const SOCKET_PATH_BYTES_MAX: usize = 107;

/// Bytes of a configuration file; what is longer is some other file.
pub const CONFIG_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Open files that a core needs beside its clients: the rings of its executor and its own, event descriptors, one
/// listening socket for each address, links to come.
pub const FILES_PER_CORE: u64 = 48;

/// Open files that the process needs beside its cores: standard streams, log, control thread, and some to spare, so
/// that an operator can still get in.
pub const FILES_OF_PROCESS: u64 = 64;

/// Bytes that the process must be allowed to lock in memory; the executor refuses to start with less.
pub const LOCKED_MEMORY_BYTES_MIN: u64 = 512 * 1024;

const _: () = assert!(FILES_PER_CORE >= BIND_ADDRESSES_MAX as u64 + 16);
const _: () = assert!(DATABASES_DEFAULT <= DATABASES_MAX && DATABASES_MAX <= u16::MAX as usize);
const _: () = assert!(CORES_MAX <= CPU_NUMBER_MAX as usize + 1);
