//! `dalsegno snapshot info`: what is known of a snapshot.

use clap::Args;
use dalsegno::{Operation, Repaired, RepairedComponent, Snapshot};

use crate::failure::Result;
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, table};

/// Show what is known of a snapshot, without its state
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot info bot/42@latest
  dalsegno snapshot info 'before the boss'
  dalsegno snapshot info game/drowned-bell@turn:42 --json")]
pub(crate) struct Info {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
}

impl Info {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let snapshot = Place::open(global)?.info(&self.reference)?;
        if out.is_json() {
            return out.json(&snapshot);
        }
        for line in table::lay_out(&["", ""], rows(&snapshot)) {
            out.line(line)?;
        }
        Ok(())
    }
}

fn rows(snapshot: &Snapshot) -> Vec<Vec<String>> {
    let stored = match snapshot.same_as {
        Some(same) => format!("as a reference to {same}"),
        None => format!(
            "{} when it was saved",
            human::exact_size(snapshot.stored_size)
        ),
    };
    let metadata: Vec<_> = snapshot
        .metadata
        .iter()
        .map(|(key, value)| {
            format!(
                "{key}={}",
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            )
        })
        .collect();
    let operation = snapshot
        .operation
        .as_ref()
        .map(|operation| match operation {
            Operation::Restore { from } => format!("restore of {from}"),
            Operation::Rollback { from } => format!("rollback to {from}"),
            Operation::Undo { from } => format!("undo, back to {from}"),
            Operation::Redo { from } => format!("redo, again to {from}"),
            Operation::Fork { from } => format!("fork of {from}"),
            Operation::Import { from } => format!("import; it was {from}"),
            _ => "something that this program does not know".to_owned(),
        });
    let list = |texts: &[String]| (!texts.is_empty()).then(|| texts.join(", "));
    let rows = [
        ("id", Some(snapshot.id.to_string())),
        ("session", Some(snapshot.session.clone())),
        ("name", snapshot.name.clone()),
        ("label", snapshot.label.clone()),
        ("description", snapshot.description.clone()),
        ("tags", list(&snapshot.tags)),
        ("metadata", list(&metadata)),
        ("kind", Some(snapshot.kind.to_string())),
        (
            "pinned",
            snapshot
                .pinned
                .then(|| "neither delete nor cleanup takes it".to_owned()),
        ),
        (
            "taken",
            Some(format!(
                "{} ({})",
                human::time(snapshot.created_at),
                snapshot.created_at
            )),
        ),
        ("turn", snapshot.turn.map(|turn| turn.to_string())),
        ("schema version", snapshot.schema_version.clone()),
        ("size", Some(human::exact_size(snapshot.size))),
        ("stored", Some(stored)),
        (
            "unchanged",
            snapshot
                .unchanged
                .then(|| "since the snapshot before".to_owned()),
        ),
        ("made by", operation),
        ("by", snapshot.actor.as_deref().map(human::safe)),
        ("repaired", snapshot.repaired.as_ref().map(repaired)),
        ("intent", snapshot.intent.as_deref().map(human::safe)),
        ("parent", snapshot.parent.map(|id| id.to_string())),
        (
            "checksum",
            Some(format!("{} (XXH3-128)", snapshot.checksum)),
        ),
    ];
    let given = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    given
        .map(|(name, value)| vec![name.to_owned(), human::safe(&value)])
        .collect()
}

/// That it is not as it was saved, where it is not.
pub(crate) fn not_as_saved(snapshot: &Snapshot) -> Option<String> {
    let what = snapshot.repaired.as_ref().map(repaired)?;
    Some(format!(
        "this is not all as it was saved; repaired {}",
        human::safe(&what)
    ))
}

/// What of it is not as it was saved.
fn repaired(repaired: &Repaired) -> String {
    let mut lost = Vec::new();
    if repaired.lost_metadata {
        lost.push("its name, tags and texts are lost".to_owned());
    }
    if repaired.lost_state {
        let of = |it: &RepairedComponent| {
            let sure = if it.agreed {
                ""
            } else {
                ", where its neighbours differ"
            };
            format!("{} of {}{sure}", it.component, human::short(it.from))
        };
        let parts: Vec<String> = repaired.components.iter().map(of).collect();
        lost.push(format!("its state is lost; it has {}", parts.join("; ")));
    }
    format!("{}: {}", human::time(repaired.at), lost.join("; "))
}
