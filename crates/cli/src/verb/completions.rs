//! `dalsegno completions`: what a shell needs to complete this program's commands.

use clap::Args;
use clap_complete::Shell;

use crate::args;
use crate::failure::{Failure, Result};
use crate::output::Out;

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
        if out.is_json() {
            return Err(Failure::usage("a script is no JSON: leave --json away"));
        }
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut args::visible(), "dalsegno", &mut script);
        out.bytes(&script)
    }
}
