//! What only the shell can know about the process that the engine is part of.

/// What does not change while the process runs, and whom to ask for what does. All zero and empty in simulations.
#[derive(Clone, Debug)]
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
    /// Memory of the machine, or of the control group if that grants less, in bytes, which percentages of CONFIG SET are
    /// of; 0 if it cannot be told.
    pub total_memory_bytes: u64,
    /// Asks for the memory that the process holds. That takes the kernel tens of microseconds, so only what shows it asks.
    pub resident: fn() -> Resident,
    /// Asks for the CPU time of the process and of the thread that asks.
    pub cpu_times: fn() -> CpuTimes,
}

impl Default for ProcessFacts {
    fn default() -> Self {
        Self {
            process_id: 0,
            run_id: String::new(),
            system: String::new(),
            executable: String::new(),
            config_file: String::new(),
            supervised: "no",
            allocator: "none",
            total_memory_bytes: 0,
            resident: Resident::default,
            cpu_times: CpuTimes::default,
        }
    }
}

/// Resident memory of the process, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Resident {
    /// Now.
    pub bytes: u64,
    /// At most so far.
    pub bytes_peak: u64,
}

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
