//! `dalsegno access list`

use clap::Args;
use serde_json::json;

use super::shown;
use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style, table};

/// List who may do what
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno access list
  dalsegno access list --token-file ~/.keys/admin.token --json")]
pub(crate) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "as all verbs")]
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let principals = Place::open(global)?.principals()?;
        if out.is_json() {
            return out.json(&json!({"principals": principals}));
        }
        if principals.is_empty() {
            out.note("there are no principals: everybody may do everything");
            return Ok(());
        }
        let rows = principals.iter().map(|it| {
            vec![
                human::safe(&it.name),
                shown(&it.rules),
                human::time(it.created_at),
            ]
        });
        let mut lines = table::lay_out(&["NAME", "RULES", "SINCE"], rows.collect()).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}
