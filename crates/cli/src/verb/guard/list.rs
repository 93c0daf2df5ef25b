//! `dalsegno guard list`

use clap::Args;
use dalsegno::guard::GuardPolicy;
use serde_json::json;

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, guards};
use crate::{style, table};

/// List the guards: those of the store, and those of the configuration
///
/// Of two for the same pattern, the one of the configuration holds for commands run here. Otherwise the most specific
/// pattern holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno guard list
  dalsegno guard list --json")]
pub(crate) struct List {}

impl List {
    #[allow(clippy::unused_self)] // as all verbs
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let stored = Place::open(global)?.guards()?;
        let own = guards()?;
        if out.is_json() {
            return out.json(&json!({"guards": stored, "configured": own}));
        }
        if stored.is_empty() && own.is_empty() {
            out.note("no guards: what a save loses is not looked at; `guard set` does that");
            return Ok(());
        }
        let of = |guards: &[GuardPolicy], whose: &str| -> Vec<Vec<String>> {
            let rows = guards.iter().flat_map(super::rows);
            rows.map(|mut row| {
                let first = row.first().is_some_and(|pattern| !pattern.is_empty());
                row.push(if first {
                    whose.to_owned()
                } else {
                    String::new()
                });
                row
            })
            .collect()
        };
        let rows = [of(&own, "configuration"), of(&stored, "store")].concat();
        let heads = ["SESSIONS", "LISTS", "KEPT", "FROM"];
        let mut lines = table::lay_out(&heads, rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}
