//! `sonoractl deploy …`: a new bot in the place of an old one.

mod status;
mod take;

use clap::Subcommand;

use super::options::Options;
use crate::failure::Result;
use crate::output::Out;

/// Have a new bot take the players of an old one over, and see which has which
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) enum Deploy {
    Take(take::Take),
    Status(status::Status),
}

impl Deploy {
    pub(super) fn run(&self, options: &Options, out: &mut Out) -> Result<()> {
        match self {
            Self::Take(take) => take.run(options, out),
            Self::Status(status) => status.run(options, out),
        }
    }
}
