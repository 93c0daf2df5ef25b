//! `dalsegno session …`: what is done to a session as a whole.

mod erase;
mod erased;

use clap::Subcommand;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;

/// Erase a session for good, and see that it was
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Session {
    Erase(erase::Erase),
    Erased(erased::Erased),
}

impl Session {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Erase(erase) => erase.run(global, out),
            Self::Erased(erased) => erased.run(global, out),
        }
    }
}
