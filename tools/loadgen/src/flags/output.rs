//! The flags that say what is reported.

use std::path::PathBuf;

use clap::Args;

/// What is reported.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// Report in JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write the distribution of latencies in the format of HdrHistogram
    #[arg(long, value_name = "FILE")]
    pub hgrm: Option<PathBuf>,
    /// Draw the distribution of latencies and their course
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Do not show how it goes meanwhile
    #[arg(long, short = 'q')]
    pub quiet: bool,
}
