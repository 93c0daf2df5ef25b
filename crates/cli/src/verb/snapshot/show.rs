//! `dalsegno snapshot show`: a state, byte for byte.

use std::borrow::Cow;

use clap::Args;
use dalsegno::pretty;
use serde_json::to_string;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::migrations;
use crate::output::Out;
use crate::place::Place;
use crate::verb::snapshot::info::not_as_saved;

/// Print a state: the saved bytes and nothing else
///
/// It is proved to be what was saved before the first byte is printed. With --json, one object with
/// the snapshot's metadata and the state.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot show bot/42@-3 > player.json
  dalsegno snapshot show bot/42@2026-11-20T21:30 --component queue --pretty
  dalsegno snapshot show bot/42@-3 --migrate
  dalsegno snapshot show chat/garden@latest | jq '.messages | length'")]
pub(crate) struct Show {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// Only this member of the top-level object
    #[arg(long, value_name = "NAME")]
    component: Option<String>,
    /// In its current shape, as the migrations of the configuration make it, instead of the saved bytes
    #[arg(long)]
    migrate: bool,
    /// Indented for reading; values keep their spelling
    #[arg(long)]
    pretty: bool,
}

impl Show {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        if self.pretty && out.is_json() {
            return Err(Failure::usage(
                "--json prints one line, so --pretty has no place there",
            ));
        }
        let engine = Place::open(global)?;
        if self.migrate {
            migrations::wanted()?;
        }
        let restored = engine.restore(&self.reference)?;
        if let Some(said) = not_as_saved(restored.snapshot()) {
            out.note(said);
        }
        let text = match &self.component {
            Some(name) if self.migrate => restored.current_component(name)?,
            Some(name) => Cow::Borrowed(restored.component(name)?),
            None if self.migrate => restored.current()?,
            None => Cow::Borrowed(restored.text()),
        };
        let text = &*text;
        if out.is_json() {
            let snapshot = to_string(restored.snapshot());
            let component = to_string(&self.component);
            let (Ok(snapshot), Ok(component)) = (snapshot, component) else {
                return Err(Failure::usage("the metadata cannot be written as JSON"));
            };
            // The state is put in as it is: parsing and printing it would change its numbers.
            out.bytes(
                format!("{{\"snapshot\":{snapshot},\"component\":{component},\"state\":")
                    .as_bytes(),
            )?;
            out.bytes(text.trim_ascii())?;
            return out.bytes(b"}\n");
        }
        if self.pretty {
            return out.bytes(&pretty(text));
        }
        out.bytes(text)
    }
}
