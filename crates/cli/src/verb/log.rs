//! `dalsegno log`: what was done to a session.

use clap::Args;
use dalsegno::{ErrorKind, LogEntry, Operation, SnapshotId, Status, Target};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style, table};

/// Show what was done to a session, newest first
///
/// Saves, restores, rollbacks, undos and redos, also those that were undone. Saves that changed
/// nothing, guard and safety snapshots are left out. BEFORE is the snapshot, or the file, that has what
/// stood there. Exit code 6 if something of it is damaged; the rest is shown all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno log bot/42
  dalsegno log bot/42 --limit 10 --json")]
pub(crate) struct Log {
    /// The session
    session: String,
    /// At most so many entries
    #[arg(long, value_name = "N", default_value_t = 50,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
}

impl Log {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let entries = Place::open(global)?.log(&self.session, limit)?;
        if out.is_json() {
            out.json(&json!({"entries": entries}))?;
            return damaged(&entries);
        }
        if entries.is_empty() {
            let session = human::safe(&self.session);
            out.note(format!(
                "nothing of it is left but what is in the trash: `snapshot list {session} --deleted` \
                 shows that"
            ));
            return Ok(());
        }
        let rows = entries.iter().map(row).collect();
        let mut lines = table::lay_out(&["ID", "WHEN", "WHAT", "", "BEFORE"], rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        for (line, entry) in lines.zip(&entries) {
            let faint = matches!(entry, LogEntry::Operation { undone: true, .. });
            out.line(if faint { style::faint(line) } else { line })?;
        }
        damaged(&entries)
    }
}

/// What could be read was shown.
fn damaged(entries: &[LogEntry]) -> Result<()> {
    let messages = entries.iter().filter_map(|entry| match entry {
        LogEntry::Damaged { message, .. } => Some(format!("  {}", human::safe(message))),
        _ => None,
    });
    let mut lines: Vec<String> = messages.collect();
    if lines.is_empty() {
        return Ok(());
    }
    lines.insert(0, "not all of it can be read:".to_owned());
    lines.push("run `dalsegno verify` to see what is lost".to_owned());
    Err(Failure::new(ErrorKind::Damaged, lines.join("\n")))
}

fn row(entry: &LogEntry) -> Vec<String> {
    match entry {
        LogEntry::Save { snapshot } => {
            let what = match &snapshot.operation {
                Some(Operation::Fork { from }) => format!("fork of {}", human::short(*from)),
                Some(Operation::Import { from }) => format!("import of {}", human::safe(from)),
                _ => "save".to_owned(),
            };
            let name = snapshot.name.as_deref().map(human::safe);
            vec![
                human::short(snapshot.id),
                human::time(snapshot.created_at),
                what,
                name.unwrap_or_default(),
                String::new(),
            ]
        }
        LogEntry::Operation {
            id,
            verb,
            status,
            undone,
            at,
            from,
            components,
            target,
            before,
            kept_beside,
            failure,
            not_put_back,
            ..
        } => {
            let short = |id: Option<SnapshotId>| id.map(human::short);
            let mut what = vec![verb.to_string()];
            if !components.is_empty() {
                what.push(format!("{} of", human::safe(&components.join(", "))));
            }
            what.extend(short(*from));
            if *target != Target::Head {
                // Without a snapshot, the target was removed, or a file that is no JSON put back.
                let to = if from.is_some() { "to" } else { "at" };
                what.push(format!("{to} {}", human::safe(&target.to_string())));
            }
            let state = match (status, undone) {
                // Nothing was put back, for the reason that is told.
                (Status::Done, _) if failure.is_some() => "passed over",
                (Status::Begun, _) => "begun, not known to be done",
                (Status::RolledBack, _) if *not_put_back => "failed, not put back",
                (Status::RolledBack, _) => "failed, put back",
                (_, true) => "undone",
                _ => "",
            };
            vec![
                human::short(*id),
                human::time(*at),
                what.join(" "),
                state.to_owned(),
                short(*before)
                    .or_else(|| kept_beside.as_deref().map(human::safe))
                    .unwrap_or_default(),
            ]
        }
        LogEntry::Damaged { id, .. } => vec![
            human::short(*id),
            String::new(),
            "damaged".to_owned(),
            String::new(),
            String::new(),
        ],
        _ => Vec::new(),
    }
}
