//! `dalsegno audit …`: who did what to which snapshot, when, and what came of it.

mod head;
mod log;
mod turn;
mod verify;

use clap::Subcommand;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;

/// Keep a log of who did what, and prove that it is as it was written
///
/// It is off until it is turned on. From then on everything that changes the store stands in it, written together with
/// the change, and everything that was denied.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Audit {
    On(turn::On),
    Off(turn::Off),
    Log(log::Log),
    Verify(verify::Verify),
    Head(head::Head),
}

impl Audit {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::On(on) => on.run(global, out),
            Self::Off(off) => off.run(global, out),
            Self::Log(log) => log.run(global, out),
            Self::Verify(verify) => verify.run(global, out),
            Self::Head(head) => head.run(global, out),
        }
    }
}
