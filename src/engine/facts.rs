//! What only the shell can know about the process that the engine is part of.

/// Asked for when INFO or MEMORY want it; see [`super::EngineParts::facts`]. All zero and empty in simulations.
#[derive(Clone, Debug, Default)]
pub struct ProcessFacts {
    /// Number of the process.
    pub process_id: u32,
    /// 40 hexadecimal digits drawn at the start, the same on every core.
    pub run_id: String,
    /// Name, release and architecture of the system.
    pub system: String,
    /// Path of the program.
    pub executable: String,
    /// Path of the configuration file; empty if there is none.
    pub config_file: String,
    /// Who keeps the process running: `no` or `systemd`.
    pub supervised: &'static str,
    /// Name of the memory allocator.
    pub allocator: &'static str,
    /// Resident memory, in bytes: now, and at most so far.
    pub resident_bytes: u64,
    /// See [`ProcessFacts::resident_bytes`].
    pub resident_bytes_peak: u64,
    /// Memory of the machine, or of the control group if that grants less, in bytes, which percentages of CONFIG SET are
    /// of; 0 if it cannot be told.
    pub total_memory_bytes: u64,
    /// CPU time of the process and of this core's thread, in microseconds.
    pub cpu: CpuTimes,
}

/// Asks for the facts, on the thread of the core.
pub type Facts = std::sync::Arc<dyn Fn() -> ProcessFacts + Send + Sync>;

/// CPU time in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTimes {
    /// Of all threads, in our code.
    pub process_user_us: u64,
    /// Of all threads, in the kernel.
    pub process_system_us: u64,
    /// Of this core's thread, in our code.
    pub thread_user_us: u64,
    /// Of this core's thread, in the kernel.
    pub thread_system_us: u64,
}
