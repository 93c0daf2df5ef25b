//! `dalsegno completions`: what a shell needs to complete this program's commands.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{args, program};

/// Print a script that completes dalsegno's commands in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno completions bash > ~/.local/share/bash-completion/completions/dalsegno
  dalsegno completions zsh > ~/.zfunc/_dalsegno        # a folder that $fpath has
  dalsegno completions fish > ~/.config/fish/completions/dalsegno.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self, out: &mut Out) -> Result<()> {
        write(&mut args::visible(), self.shell, out)
    }
}

/// Prints the script of a program.
pub(crate) fn write(command: &mut Command, shell: Shell, out: &mut Out) -> Result<()> {
    if out.is_json() {
        return Err(Failure::usage("a script is no JSON: leave --json away"));
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, command, program::name(), &mut script);
    out.bytes(&script)
}
