//! `dalsegno access token`

use clap::Args;

use super::handing::Handing;
use super::{known, open};
use crate::failure::Result;
use crate::global::Global;
use crate::human;
use crate::output::Out;

/// Give a principal another token, and print it
///
/// The one that it had is of no use any more, also in programs that have the store open.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno access token bot --to /srv/bot/new-token
  dalsegno access token bot --dry-run")]
pub(crate) struct Token {
    /// The principal
    name: String,
    #[command(flatten)]
    handing: Handing,
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Token {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = open(global)?;
        let name = human::safe(&self.name);
        if self.dry_run {
            known(&engine, &self.name)?;
            let said = format!("{name} would have another token");
            return self.handing.rehearse(&engine, &said, out);
        }
        let said = format!("{name} has another token");
        let make = |engine: &dalsegno::Engine| engine.new_token(&self.name);
        self.handing.run(engine, (&self.name, &said), make, out)
    }
}
