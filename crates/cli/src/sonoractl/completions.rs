//! `sonoractl completions`: what a shell needs to complete this program's commands.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use crate::failure::Result;
use crate::output::Out;
use crate::verb::completions;

/// Print a script that completes sonoractl's commands in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  sonoractl completions bash > ~/.local/share/bash-completion/completions/sonoractl
  sonoractl completions zsh > ~/.zfunc/_sonoractl        # a folder that $fpath has
  sonoractl completions fish > ~/.config/fish/completions/sonoractl.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        completions::write(&mut Cli::command(), self.shell, out)
    }
}
