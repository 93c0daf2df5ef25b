//! `dalsegno backup restore`

use std::path::PathBuf;

use clap::Args;
use dalsegno::{
    ErrorKind, RestoreBackup, RestoreBackupPlan, RestoreSession, RestoredBackup, Snapshot,
    UnreadableBackup,
};
use jiff::Timestamp;
use serde_json::json;

use super::{Watched, line, lost_lines, opening, salvageable, short};
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{HERE, Place};
use crate::verb::put::close;
use crate::verb::{repair, verify};
use crate::{human, key, when};

/// Restore the store from a backup to a place where there is none, or one session into a store that is there
///
/// All of the backup is read and proved before anything is changed, and what was restored is proved before it gets its place:
/// where `init` would make a store. Of a folder, the newest backup is restored. What was erased since, as later backups in the folder
/// say, does not come back.
///
/// With `--session`, the snapshots that the store does not have are added, and the backup's newest state becomes the
/// session's newest. It must not be open in another program.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno backup restore /mnt/backups --store /srv/bot/store.db
  dalsegno backup restore /mnt/backups --store new.db --at 2026-11-20
  dalsegno backup restore /mnt/backups --session chat/42
  dalsegno backup restore /mnt/backups --session chat/42 --at 24h --as chat/42-yesterday --dry-run")]
pub(crate) struct Restore {
    /// A folder of backups, or one archive
    #[arg(value_name = "FOLDER|FILE")]
    from: PathBuf,
    /// Only this session, into the store that is there
    #[arg(long, value_name = "SESSION")]
    session: Option<String>,
    /// The name that the session gets
    #[arg(long = "as", value_name = "NAME", requires = "session")]
    name: Option<String>,
    /// As it was then: the newest backup that was made by then; of a session, its newest state by then, of the oldest backup
    /// that was made since
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    at: Option<Timestamp>,
    /// Restore what is left of a backup that is damaged beyond what its parity makes again; what is lost is named
    #[arg(long, conflicts_with = "session")]
    salvage: bool,
    /// Show what would be restored, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl Restore {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match &self.session {
            Some(session) => self.one(session, global, out),
            None => self.whole(global, out),
        }
    }

    fn whole(&self, global: &Global, out: &mut Out) -> Result<()> {
        // As `init` makes one.
        let into = Place::meant(global)?.map_or_else(|| HERE.into(), |place| place.path);
        let mut how = RestoreBackup::of(&self.from);
        if let Some(at) = self.at {
            how = how.at(at);
        }
        if self.salvage {
            how = how.salvage();
        }
        if self.dry_run {
            let plan = opening(out, |options, watched| {
                options.restore_backup_plan(&how, &into, &mut |it| watched.tell(it))
            })?;
            return told_plan(&plan, out);
        }
        let restored = opening(out, |options, watched| {
            options.restore_backup(&how, &into, &mut |it| watched.tell(it))
        })?;
        out.did();
        told(&restored, out)
    }

    fn one(&self, session: &str, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let mut how = RestoreSession::of(&self.from, session);
        if let Some(name) = &self.name {
            how = how.named(name);
        }
        if let Some(at) = self.at {
            how = how.at(at);
        }
        if let Some(given) = key::given()? {
            how = how.secret(given.secret);
        }
        let mut watched = Watched::begin(out);
        let tell = &mut |progress| watched.tell(progress);
        if self.dry_run {
            let plan = engine.restore_session_plan(&how, tell);
            let plan = watched.done(plan).map_err(salvageable)?;
            if out.is_json() {
                return out.json(&json!({"dry_run": true, "plan": plan}));
            }
            out.line(format!(
                "would add {}{} to {}, of the backup {} ({} are there already); its newest state would be that of {}",
                human::count(plan.absent.len() as u64, "snapshot"),
                aside(&plan.absent),
                human::safe(&plan.session),
                short(&plan.backup.id),
                plan.present,
                plan.newest.id
            ))?;
            unread_lines(&plan.unread, out)?;
            return out.line("dry run: nothing was changed");
        }
        let restored = engine.restore_session(&how, tell);
        let restored = watched.done(restored).map_err(salvageable)?;
        out.did();
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": false, "restored": restored}));
        }
        out.line(format!(
            "added {}{} to {}, of the backup {} ({} were there already); its newest state is {}",
            human::count(restored.added.len() as u64, "snapshot"),
            aside(&restored.added),
            human::safe(&restored.session),
            short(&restored.backup.id),
            restored.present,
            restored.newest.id
        ))?;
        unread_lines(&restored.unread, out)
    }
}

/// What was restored of a backup, and what of it was not.
fn told(restored: &RestoredBackup, out: &mut Out) -> Result<()> {
    if out.is_json() {
        out.json(&json!({"dry_run": false, "restored": restored}))?;
    } else {
        let path = human::safe(&restored.path.display().to_string());
        out.line(format!("restored {path} from {}", line(&restored.backup)))?;
        out.line(verify::proved(&restored.verification, true))?;
        if restored.erased > 0 {
            let sessions = human::count(restored.erased, "session");
            out.line(format!(
                "{sessions} stayed away: erased since the backup was made"
            ))?;
        }
        unread_lines(&restored.unread, out)?;
        lost_lines(&restored.lost, out)?;
        if let Some(repairs) = &restored.repairs {
            repair::tell(repairs, false, out)?;
        }
        for damage in &restored.verification.damage {
            out.line(verify::describe(damage))?;
        }
    }
    let said = if !restored.lost.is_empty() {
        "not all of what the backup was of is there; what is lost is named above"
    } else if !restored.verification.is_intact() {
        "all of the backup is there, and what was damaged in the store when it was made, which is named above: `dalsegno repair` \
         does what can be done"
    } else {
        return Ok(());
    };
    Err(Failure::new(ErrorKind::Damaged, said))
}

/// What would be restored of a backup, and what would not.
fn told_plan(plan: &RestoreBackupPlan, out: &mut Out) -> Result<()> {
    if out.is_json() {
        out.json(&json!({"dry_run": true, "plan": plan}))?;
    } else {
        let path = human::safe(&plan.path.display().to_string());
        out.line(format!("would restore {path} from {}", line(&plan.backup)))?;
        unread_lines(&plan.unread, out)?;
        lost_lines(&plan.lost, out)?;
        out.line("dry run: nothing was changed")?;
    }
    let said = if !plan.lost.is_empty() {
        "not all of what the backup was of would be there; what is lost is named above".to_owned()
    } else if plan.backup.damaged_rows > 0 {
        let rows = human::count(plan.backup.damaged_rows, "row");
        format!(
            "all of the backup would be there, and {rows} that the store had damaged when it was made"
        )
    } else {
        return Ok(());
    };
    Err(Failure::new(ErrorKind::Damaged, said))
}

/// How many of them are marked, said in between.
fn aside(snapshots: &[Snapshot]) -> String {
    match verify::marked(verify::count_marked(snapshots)) {
        said if said.is_empty() => said,
        said => format!("{said},"),
    }
}

/// Names the later backups that nothing could be asked of.
pub(super) fn unread_lines(unread: &[UnreadableBackup], out: &mut Out) -> Result<()> {
    for unread in unread {
        let why = human::safe(&unread.why.to_string());
        out.line(format!("could not ask what was erased since: {why}"))?;
    }
    Ok(())
}
