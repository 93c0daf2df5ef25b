//! `dalsegno snapshot …`: the verbs that work with snapshots.

pub(crate) mod amend;
pub(crate) mod cleanup;
pub(crate) mod delete;
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

/// Save, list, show, compare, restore and delete snapshots
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Snapshot {
    Save(save::Save),
    List(list::List),
    Info(info::Info),
    Show(show::Show),
    Diff(diff::Diff),
    Restore(restore::Restore),
    Rename(amend::Rename),
    Tag(amend::Tag),
    Untag(amend::Untag),
    Pin(amend::Pin),
    Unpin(amend::Unpin),
    Delete(delete::Delete),
    Undelete(delete::Undelete),
    Cleanup(cleanup::Cleanup),
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
            Self::Rename(rename) => rename.run(global, out),
            Self::Tag(tag) => tag.run(global, out),
            Self::Untag(untag) => untag.run(global, out),
            Self::Pin(pin) => pin.run(global, out),
            Self::Unpin(unpin) => unpin.run(global, out),
            Self::Delete(delete) => delete.run(global, out),
            Self::Undelete(undelete) => undelete.run(global, out),
            Self::Cleanup(cleanup) => cleanup.run(global, out),
        }
    }
}
