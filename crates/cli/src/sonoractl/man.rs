//! `sonoractl man`: manual pages, made from what `--help` says.

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::Cli;
use crate::failure::Result;
use crate::output::Out;
use crate::verb::man;

/// Print the manual page, or write a page for each verb
///
/// Without --output the main page is printed. With it, a page for each verb is written into the folder, which is made
/// where it is missing. Pages that are there are replaced.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl man | man -l -
  sonoractl man --output ~/.local/share/man/man1")]
pub(super) struct Man {
    /// The folder to write into
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        man::write(Cli::command(), self.output.as_deref(), out)
    }
}
