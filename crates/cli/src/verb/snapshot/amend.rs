//! `dalsegno snapshot rename`, `tag`, `untag`, `pin`, `unpin`: what is said of a snapshot.

use clap::Args;
use dalsegno::{Engine, Snapshot};
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
    /// The snapshot
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
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot tag bot/42@latest loud friday")]
pub(crate) struct Tag {
    #[command(flatten)]
    tags: Tags,
}

/// Take tags away from a snapshot
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
    /// The snapshot
    #[arg(value_name = "REF")]
    reference: String,
    /// The tags
    #[arg(required = true, value_name = "TAG")]
    tags: Vec<String>,
    #[command(flatten)]
    dry: Dry,
}

/// Pin snapshots, so that neither delete nor cleanup takes them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno snapshot pin party
  dalsegno snapshot pin bot/42@latest game/drowned-bell@turn:41")]
pub(crate) struct Pin {
    #[command(flatten)]
    pins: Pins,
}

/// Unpin snapshots
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
    /// The snapshots
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    dry: Dry,
}

#[derive(Debug, Args)]
struct Dry {
    /// Show what would be changed, without changing it
    #[arg(long)]
    dry_run: bool,
}

impl Rename {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let change =
            |engine: &Engine, reference: &str| engine.rename(reference, self.name.as_deref());
        let references = std::slice::from_ref(&self.reference);
        amend(references, &self.dry, &change, global, out)
    }
}

impl Tag {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let tags: Vec<&str> = self.tags.tags.iter().map(String::as_str).collect();
        let change = |engine: &Engine, reference: &str| engine.tag(reference, &tags);
        let references = std::slice::from_ref(&self.tags.reference);
        amend(references, &self.tags.dry, &change, global, out)
    }
}

impl Untag {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let tags: Vec<&str> = self.tags.tags.iter().map(String::as_str).collect();
        let change = |engine: &Engine, reference: &str| engine.untag(reference, &tags);
        let references = std::slice::from_ref(&self.tags.reference);
        amend(references, &self.tags.dry, &change, global, out)
    }
}

impl Pin {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let change = |engine: &Engine, reference: &str| engine.pin(reference, true);
        amend(&self.pins.references, &self.pins.dry, &change, global, out)
    }
}

impl Unpin {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let change = |engine: &Engine, reference: &str| engine.pin(reference, false);
        amend(&self.pins.references, &self.pins.dry, &change, global, out)
    }
}

/// Changes each; the references are all looked up before the first is changed.
fn amend(
    references: &[String],
    dry: &Dry,
    change: &dyn Fn(&Engine, &str) -> dalsegno::Result<Snapshot>,
    global: &Global,
    out: &mut Out,
) -> Result<()> {
    let engine = Place::open(global)?;
    let mut found = Vec::new();
    for reference in references {
        found.push(engine.info(reference)?);
    }
    if dry.dry_run {
        if out.is_json() {
            return out.json(&json!({"dry_run": true, "snapshots": found}));
        }
        for snapshot in &found {
            out.line(described(snapshot))?;
        }
        return out.line("dry run: nothing was changed");
    }
    let mut changed = Vec::new();
    for snapshot in &found {
        match change(&engine, &snapshot.id.to_string()) {
            Ok(snapshot) => changed.push(snapshot),
            Err(error) if changed.is_empty() => return Err(error.into()),
            Err(error) => {
                let done = human::count(changed.len() as u64, "snapshot");
                return Err(Failure::partly(format!("{done} changed, then: {error}")));
            }
        }
    }
    close(engine, out);
    if out.is_json() {
        return out.json(&json!({"dry_run": false, "snapshots": changed}));
    }
    for snapshot in &changed {
        out.line(described(snapshot))?;
    }
    Ok(())
}

/// A snapshot with what is said of it, on a line.
pub(super) fn described(snapshot: &Snapshot) -> String {
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
