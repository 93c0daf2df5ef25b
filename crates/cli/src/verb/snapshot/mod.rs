//! `dalsegno snapshot …`: the verbs that work with snapshots.

pub(crate) mod diff;
pub(crate) mod info;
pub(crate) mod list;
pub(crate) mod restore;
pub(crate) mod save;
pub(crate) mod show;

use clap::Subcommand;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;

/// Save, list, show, compare and restore snapshots
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Snapshot {
    Save(save::Save),
    List(list::List),
    Info(info::Info),
    Show(show::Show),
    Diff(diff::Diff),
    Restore(restore::Restore),
}

impl Snapshot {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Save(save) => save.run(global, out),
            Self::List(list) => list.run(global, out),
            Self::Info(info) => info.run(global, out),
            Self::Show(show) => show.run(global, out),
            Self::Diff(diff) => diff.run(global, out),
            Self::Restore(restore) => restore.run(global, out),
        }
    }
}
