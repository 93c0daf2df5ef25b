//! `dalsegno snapshot rename`, `tag`, `untag`, `pin`, `unpin`: what is said of a snapshot.

use clap::Args;
use dalsegno::{Amendment, Snapshot};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;

/// Give a snapshot another name
///
/// Exit code 5 if another snapshot of the session has it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot rename bot/42@latest 'before the party'
  dalsegno snapshot rename party --clear")]
pub(crate) struct Rename {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// Its new name, unique within the session
    #[arg(required_unless_present = "clear", conflicts_with = "clear")]
    name: Option<String>,
    /// Take its name away
    #[arg(long)]
    clear: bool,
    #[command(flatten)]
    dry: Dry,
}

/// Add tags to a snapshot
///
/// The tags that it has stay.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot tag bot/42@latest loud friday")]
pub(crate) struct Tag {
    #[command(flatten)]
    tags: Tags,
}

/// Take tags away from a snapshot
///
/// Tags that it does not have are passed over.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot untag party loud")]
pub(crate) struct Untag {
    #[command(flatten)]
    tags: Tags,
}

#[derive(Debug, Args)]
struct Tags {
    /// The snapshot: an id or its beginning, a name, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF")]
    reference: String,
    /// The tags
    #[arg(required = true, value_name = "TAG")]
    tags: Vec<String>,
    #[command(flatten)]
    dry: Dry,
}

/// Pin snapshots, so that neither delete nor cleanup takes them
///
/// A snapshot in the trash has to be taken out with `undelete` first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot pin party
  dalsegno snapshot pin bot/42@latest game/drowned-bell@turn:41")]
pub(crate) struct Pin {
    #[command(flatten)]
    pins: Pins,
}

/// Unpin snapshots, so that they can be deleted again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot unpin party")]
pub(crate) struct Unpin {
    #[command(flatten)]
    pins: Pins,
}

#[derive(Debug, Args)]
struct Pins {
    /// The snapshots: ids or their beginnings, names, or SESSION@latest, @-2, @turn:42, @TIME
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Args)]
struct Dry {
    /// Show what they would be, without changing them
    #[arg(long)]
    dry_run: bool,
}

impl Rename {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let references = std::slice::from_ref(&self.reference);
        let name = Amendment::Name(self.name.clone());
        amend(references, &name, &self.dry, global, out)
    }
}

impl Tag {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let references = std::slice::from_ref(&self.tags.reference);
        let tags = Amendment::Tag(self.tags.tags.clone());
        amend(references, &tags, &self.tags.dry, global, out)
    }
}

impl Untag {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let references = std::slice::from_ref(&self.tags.reference);
        let tags = Amendment::Untag(self.tags.tags.clone());
        amend(references, &tags, &self.tags.dry, global, out)
    }
}

impl Pin {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let pins = &self.pins;
        amend(
            &pins.references,
            &Amendment::Pin(true),
            &pins.dry,
            global,
            out,
        )
    }
}

impl Unpin {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let pins = &self.pins;
        amend(
            &pins.references,
            &Amendment::Pin(false),
            &pins.dry,
            global,
            out,
        )
    }
}

/// Changes each; whether each can be is known before the first is changed.
fn amend(
    references: &[String],
    amendment: &Amendment,
    dry: &Dry,
    global: &Global,
    out: &mut Out,
) -> Result<()> {
    let engine = Place::open(global)?;
    let mut planned = Vec::new();
    for reference in references {
        planned.push(engine.amend_plan(reference, amendment)?);
    }
    if dry.dry_run {
        return show(&planned, true, out);
    }
    let mut changed = Vec::new();
    for snapshot in &planned {
        match engine.amend(&snapshot.id.to_string(), amendment) {
            Ok(snapshot) => changed.push(snapshot),
            Err(error) if changed.is_empty() => return Err(error.into()),
            Err(error) => {
                let done = human::count(changed.len() as u64, "snapshot");
                return Err(Failure::partly(format!("{done} changed, then: {error}")));
            }
        }
    }
    out.did();
    close(engine, out);
    show(&changed, false, out)
}

fn show(snapshots: &[Snapshot], dry_run: bool, out: &mut Out) -> Result<()> {
    if out.is_json() {
        return out.json(&json!({"dry_run": dry_run, "snapshots": snapshots}));
    }
    for snapshot in snapshots {
        out.line(described(snapshot))?;
    }
    if dry_run {
        return out.line("dry run: nothing was changed");
    }
    Ok(())
}

/// A snapshot with what is said of it, on a line.
pub(crate) fn described(snapshot: &Snapshot) -> String {
    let mut words = vec![
        human::short(snapshot.id),
        format!("of {}", human::safe(&snapshot.session)),
    ];
    words.push(match &snapshot.name {
        Some(name) => format!("'{}'", human::safe(name)),
        None => "without a name".to_owned(),
    });
    if !snapshot.tags.is_empty() {
        words.push(format!("tags: {}", human::safe(&snapshot.tags.join(", "))));
    }
    if snapshot.pinned {
        words.push("pinned".to_owned());
    }
    words.join("  ")
}
