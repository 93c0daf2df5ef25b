//! `dalsegno key list`

use clap::Args;
use serde_json::{Value, json};

use super::kind;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, key, style, table};

/// List the keys that open the store, and say which one did
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key list
  dalsegno key list --key-file ~/.keys/bot.key --json")]
pub(crate) struct List {}

impl List {
    #[expect(clippy::unused_self, reason = "as all verbs")]
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let keys = engine.keys()?;
        let given = key::given()?.filter(|_| engine.is_encrypted());
        let used = given
            .map(|given| engine.key_of(&given.secret))
            .transpose()?;
        if out.is_json() {
            let keys: serde_json::Result<Vec<Value>> =
                keys.iter().map(serde_json::to_value).collect();
            let mut keys = keys.map_err(|e| Failure::problem(e.to_string()))?;
            for key in &mut keys {
                let is_used = used.is_some() && key["id"] == json!(used);
                key["in_use"] = json!(is_used);
            }
            return out.json(&json!({"encrypted": engine.is_encrypted(), "keys": keys}));
        }
        if !engine.is_encrypted() {
            out.note("the store is not encrypted; `dalsegno key init` encrypts it");
            return Ok(());
        }
        let rows = keys.iter().map(|slot| {
            vec![
                slot.id.to_string(),
                kind(slot.kind).to_owned(),
                human::time(slot.created_at),
                slot.label.as_deref().map(human::safe).unwrap_or_default(),
                if used == Some(slot.id) {
                    "in use now"
                } else {
                    ""
                }
                .to_owned(),
            ]
        });
        let heads = ["ID", "KIND", "SINCE", "LABEL", ""];
        let mut lines = table::lay_out(&heads, rows.collect()).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}
