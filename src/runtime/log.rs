//! Where events go: the standard error or a file, from a level on.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::sync::Mutex;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;
use tracing_subscriber::reload;

use crate::config::LogLevel;

/// Changes the level later.
pub type LevelHandle = reload::Handle<LevelFilter, tracing_subscriber::Registry>;

/// The weight in tracing's terms.
pub(super) fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::TRACE,
        LogLevel::Verbose => LevelFilter::DEBUG,
        LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Nothing => LevelFilter::OFF,
    }
}

/// Starts logging. The error is a sentence.
pub fn init(level: LogLevel, file: Option<&str>) -> Result<LevelHandle, String> {
    let (level, handle) = reload::Layer::new(filter(level));
    let registry = tracing_subscriber::registry().with(level);
    match file {
        None => {
            // Colours are for eyes: what collects a service's or a container's log would store them.
            let layer = fmt::layer().with_target(false).with_writer(std::io::stderr);
            let to_terminal = if std::io::stderr().is_terminal() { layer } else { layer.with_ansi(false) };
            registry.with(to_terminal).init();
        }
        Some(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path).map_err(|error| {
                format!("the log cannot be written to {path:?}: {error}; name a file that can be written (logfile)")
            })?;
            registry.with(fmt::layer().with_target(false).with_ansi(false).with_writer(Mutex::new(file))).init();
        }
    }
    Ok(handle)
}
