//! `dalsegno snapshot restore`: puts a state back, and shows first what that means.

use std::path::PathBuf;

use clap::Args;
use dalsegno::Engine;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::migrations;
use crate::output::Out;
use crate::place::Place;
use crate::verb::asking::Asking;
use crate::verb::put::{carry_out, check_target, close};

/// Put a state back, into a file or as the newest stored state
///
/// What stands at the target is kept first. A file is written whole or not at all, and read back.
/// With --component the other components of the target stay as they are. `undo` takes it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot restore bot/42@-1 --to player.json --dry-run
  dalsegno snapshot restore bot/42@-1 --to player.json --component queue
  dalsegno snapshot restore bot/42@2026-11-20T21:30
  dalsegno snapshot restore bot/42@-1 --to player.json --migrate
  dalsegno snapshot restore bot/42@party --ask")]
pub(crate) struct Restore {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// The file to write; without it the state becomes the session's newest stored state
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// Only this member of the top-level object; may be given several times
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<String>,
    /// In its current shape, as the migrations of the configuration make it
    #[arg(long)]
    migrate: bool,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Restore {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if self.asking.ask && self.to.is_some() {
            return Err(Failure::usage(
                "a file is written without asking anybody: leave --ask out",
            ));
        }
        if self.asking.ask && self.migrate {
            return Err(Failure::usage(
                "the program that is asked has migrations of its own: leave --migrate out",
            ));
        }
        let engine = Place::open(global)?;
        if self.migrate {
            migrations::wanted()?;
        }
        if self.asking.ask && !self.dry_run {
            let from = engine.info(&self.reference)?;
            let arguments = json!({"from": from.id, "components": self.components});
            self.asking
                .put(&engine, &from.session, "restore", arguments, global, out)?;
            close(engine, out);
            return Ok(());
        }
        if let Some(to) = &self.to {
            check_target(&engine, "--to", to)?;
        }
        let restore = self.prepare(&engine);
        carry_out(&engine, restore, self.dry_run, global, out)?;
        close(engine, out);
        Ok(())
    }

    fn prepare<'a>(&self, engine: &'a Engine) -> dalsegno::Restore<'a> {
        let mut restore = engine.put_back(&self.reference);
        if self.migrate {
            restore = restore.migrate();
        }
        for component in &self.components {
            restore = restore.component(component);
        }
        match &self.to {
            Some(to) => restore.to_file(to),
            None => restore,
        }
    }
}
