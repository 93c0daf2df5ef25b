//! `dalsegno repair`: what is damaged comes back, or is put together from what is around it.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::{
    Engine, ErrorKind, Gap, How, Options, Rebuilt, Repair as From, RepairSource, RepairedSnapshot,
    Repairs, RowOutcome, SessionRepairs,
};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::interrupt::Scratch;
use crate::output::Out;
use crate::place::{Place, of_caller};
use crate::progress::Progress;
use crate::verb::backup;
use crate::{human, key, program, style};

/// Repair what is damaged, from a backup or a copy of the store, or from what is around it
///
/// Rows come from what --from names, each a backup of this store or a copy of it that was made before: what they have is back as it
/// was saved. What none of them has is looked for elsewhere in the store, or put together from the components of the nearest
/// intact snapshots, and marked as repaired. What was deleted does not come back, and what is lost is named. Sessions that a
/// program has open are left alone. The rows that are replaced are kept in a file beside the store.
///
/// With --rebuild, where SQLite cannot read the file any more, a new one is built from what can be read of it, page by page,
/// and repaired; the old one is kept beside. Nobody may have the store open then.
///
/// Exit code 6 if anything is lost, marked or left as it is.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno repair --dry-run
  dalsegno repair --from /mnt/backups
  dalsegno repair --from /mnt/mirror/store.db
  dalsegno repair --rebuild --from /mnt/mirror/store.db --json")]
pub(crate) struct Repair {
    /// A backup, the folder of backups whose newest it is, or a copy of the store, to take intact rows from; of several, the
    /// first that has one
    #[arg(long, value_name = "BACKUP|MIRROR")]
    from: Vec<PathBuf>,
    /// Build the file anew from what can be read of it
    #[arg(long)]
    rebuild: bool,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Repair {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let place = Place::find(global)?;
        let sources = self.from.iter().map(|path| source(path, &place, out));
        let opened = sources.collect::<Result<Vec<(RepairSource, Option<Scratch>)>>>()?;
        let sources: Vec<&Engine> = opened.iter().map(|(it, _)| &**it).collect();
        if self.rebuild {
            return self.anew(&place, &sources, out);
        }
        let engine = place.engine().map_err(|failure| {
            if failure.is_of(ErrorKind::Damaged) && !failure.says("repair --rebuild") {
                failure.advise("build it anew: `dalsegno repair --rebuild`")
            } else {
                failure
            }
        })?;
        let repair = sources
            .iter()
            .fold(From::default(), |repair, source| repair.from(source));
        let repairs = if self.dry_run {
            engine.repair_plan(&repair)?
        } else {
            let progress = Progress::begin(out, None, "sessions");
            let repaired = engine.repair_with(&repair, &mut |name| progress.done(name));
            drop(progress);
            let repairs = repaired?;
            out.did();
            repairs
        };
        drop(repair);
        let closed = engine.close();
        if out.is_json() {
            out.json(&json(self.dry_run, &repairs, None))?;
        } else {
            self.tell(&repairs, out)?;
        }
        closed?;
        judge(&repairs)
    }

    fn anew(&self, place: &Place, sources: &[&Engine], out: &mut Out) -> Result<()> {
        let mut options = of_caller(Options::default())?;
        if let Some(given) = key::given()? {
            options = options.secret(given.secret);
        }
        let rebuilt = if self.dry_run {
            options.rebuild_plan(&place.path, sources)
        } else {
            options.rebuild(&place.path, sources)
        };
        let rebuilt = rebuilt.map_err(|error| place.explain(error))?;
        if rebuilt.kept.is_some() {
            out.did();
        }
        if out.is_json() {
            out.json(&json(self.dry_run, &rebuilt.repairs, Some(&rebuilt)))?;
        } else {
            for line in lines(&rebuilt, self.dry_run) {
                out.line(line)?;
            }
            if !rebuilt.repairs.is_nothing() {
                tell(&rebuilt.repairs, self.dry_run, out)?;
            }
        }
        judge(&rebuilt.repairs)?;
        match rebuilt.damage.first() {
            Some(damage) => Err(Failure::new(
                ErrorKind::Damaged,
                format!(
                    "the new file is not all as it was saved: {}",
                    damage.message
                ),
            )),
            None => Ok(()),
        }
    }

    fn tell(&self, repairs: &Repairs, out: &mut Out) -> Result<()> {
        if repairs.is_nothing() {
            return out.line(style::good("nothing is damaged"));
        }
        tell(repairs, self.dry_run, out)
    }
}

/// What became of each session and row, and of all together.
pub(crate) fn tell(repairs: &Repairs, dry_run: bool, out: &mut Out) -> Result<()> {
    for session in &repairs.sessions {
        for line in session_lines(session) {
            out.line(line)?;
        }
    }
    for row in &repairs.rows {
        let outcome = match row.outcome {
            RowOutcome::FromSource => "back",
            RowOutcome::Lost => "lost",
            RowOutcome::Removed => "taken away",
            RowOutcome::Left => "damaged, and left as it is",
            _ => "looked at",
        };
        out.line(format!("{}: {outcome}", human::safe(&row.what)))?;
    }
    let count = |number: usize| human::count(u64::try_from(number).unwrap_or(u64::MAX), "snapshot");
    out.line(format!(
        "{}{} back as saved, {} marked as repaired, {} lost",
        if dry_run { "would be: " } else { "" },
        count(repairs.back()),
        count(repairs.marked()),
        count(repairs.lost().len()),
    ))?;
    for aside in &repairs.aside {
        let aside = human::safe(&program::path(aside));
        out.line(format!("what stood there before is in {aside}"))?;
    }
    Ok(())
}

/// What intact rows are taken from: a store, which is only read, or a backup.
fn source(path: &Path, place: &Place, out: &Out) -> Result<(RepairSource, Option<Scratch>)> {
    let source = backup::with_key(|secret| {
        let mut options = of_caller(Options::default())?;
        if let Some(secret) = secret {
            options = options.secret(secret);
        }
        let mut watched = backup::Watched::begin(out);
        let opened = options.open_source(path, &place.path, &mut |it| watched.tell(it));
        watched.done(opened.map_err(|error| error.context(format!("--from {}", path.display()))))
    })?;
    let scratch = source.scratch().map(|it| Scratch::of(it.to_owned()));
    Ok((source, scratch))
}

fn json(dry_run: bool, repairs: &Repairs, rebuilt: Option<&Rebuilt>) -> serde_json::Value {
    json!({
        "dry_run": dry_run,
        "back": repairs.back(),
        "marked": repairs.marked(),
        "lost": repairs.lost(),
        "sessions": repairs.sessions,
        "rows": repairs.rows,
        "aside": repairs.aside,
        "rebuilt": rebuilt.map(|it| json!({
            "rows": it.rows,
            "torn": it.torn,
            "broken": it.broken,
            "damage": it.damage,
            "kept": it.kept,
            "finished": it.finished,
        })),
    })
}

fn lines(rebuilt: &Rebuilt, dry_run: bool) -> Vec<String> {
    let mut lines = match (rebuilt.finished, dry_run) {
        (true, true) => vec![
            "would finish what an earlier rebuild had left: its new file is not in its place yet"
                .to_owned(),
        ],
        (true, false) => vec![
            "finished what an earlier rebuild had left: the new file is in its place".to_owned(),
            "what that one repaired or lost was not shown, and cannot be any more: compare with a backup or a copy"
                .to_owned(),
            match rebuilt.damage.is_empty() {
                true => "proved: what is in the new file is not damaged".to_owned(),
                false => "not all that is in the new file is as it was saved: `verify` says what".to_owned(),
            },
        ],
        _ => read_lines(rebuilt),
    };
    let kept = rebuilt.kept.as_ref().map(|it| program::path(it));
    lines.extend(kept.map(|it| format!("the old file is kept as {}", human::safe(&it))));
    lines
}

/// What could be read of the old file.
fn read_lines(rebuilt: &Rebuilt) -> Vec<String> {
    let mut lines = Vec::new();
    if !rebuilt.broken.is_empty() {
        lines.push(format!(
            "of the old file was damaged: {}",
            rebuilt.broken.join(", ")
        ));
    }
    let rows = human::count(rebuilt.rows, "row");
    let torn = match rebuilt.torn.is_empty() {
        true => "the rows of all its tables could be read".to_owned(),
        false => format!("not all could be read of: {}", rebuilt.torn.join(", ")),
    };
    lines.push(format!("{rows} read and proved; {torn}"));
    if rebuilt.repairs.is_nothing() {
        let is_whole = rebuilt.broken.is_empty() && rebuilt.torn.is_empty();
        lines.push(style::good(match is_whole {
            true => "nothing is damaged",
            false => "all of them are in the new file; none is damaged",
        }));
    }
    lines
}

fn session_lines(session: &SessionRepairs) -> Vec<String> {
    let name = human::safe(&session.session);
    if let Some(held) = &session.held {
        return vec![format!(
            "{name}: damaged, but {} has it open: end it, or close the session, and run this again",
            human::safe(held)
        )];
    }
    let mut lines = vec![format!("{name}:")];
    lines.extend(
        session
            .notes
            .iter()
            .map(|note| format!("  {}", human::safe(note))),
    );
    lines.extend(session.snapshots.iter().map(snapshot_line));
    for lost in &session.lost {
        lines.push(format!(
            "  {} {}: {}",
            style::bad("lost"),
            lost.snapshot,
            human::safe(&lost.why)
        ));
    }
    lines.extend(session.gaps.iter().map(gap_line));
    if lines.len() == 1 {
        lines.push("  its rows lead to each other again; no snapshot was lost".to_owned());
    }
    lines
}

fn snapshot_line(snapshot: &RepairedSnapshot) -> String {
    let id = snapshot.snapshot;
    match &snapshot.how {
        How::FromSource { source, metadata } => {
            let since = if *metadata {
                "; what was changed of its name, tags and texts since is lost"
            } else {
                ""
            };
            format!("  back {id}, from {}{since}", human::safe(source))
        }
        How::FoundHere => format!("  back {id}, proved by its checksum"),
        How::MetadataLost => {
            format!(
                "  marked {id}: its state is as it was saved; its name, tags and texts are lost"
            )
        }
        How::Salvaged { components } => {
            let parts = components.iter().map(|it| {
                let sure = if it.agreed {
                    ""
                } else {
                    " (its neighbours differ)"
                };
                let (name, from) = (human::safe(&it.component), human::short(it.from));
                format!("{name} of {from}{sure}")
            });
            let parts: Vec<String> = parts.collect();
            format!(
                "  marked {id}: its state is lost; it has {}",
                parts.join(", ")
            )
        }
        _ => format!("  back {id}"),
    }
}

fn gap_line(gap: &Gap) -> String {
    let lost = style::bad("lost");
    match (gap.after, gap.before) {
        (Some(after), Some(before)) => {
            format!("  {lost} whatever else stood between {after} and {before}")
        }
        (Some(after), None) => format!("  {lost} whatever else stood after {after}"),
        (None, Some(before)) => format!("  {lost} whatever else stood before {before}"),
        (None, None) => format!("  {lost} whatever else it had"),
    }
}

/// Whether all is as it was saved.
fn judge(repairs: &Repairs) -> Result<()> {
    if !repairs.is_loss() {
        return Ok(());
    }
    let message = match repairs.lost().len() {
        0 => "not all is as it was saved: what is not is marked, or named above".to_owned(),
        lost => {
            let lost = human::count(u64::try_from(lost).unwrap_or(u64::MAX), "snapshot");
            format!(
                "not all is back; lost: {lost}; a backup that has them gives them back later too: `dalsegno backup restore --session`"
            )
        }
    };
    Err(Failure::new(ErrorKind::Damaged, message))
}
