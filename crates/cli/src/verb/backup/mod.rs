//! `dalsegno backup …`: archives of all that a store keeps, for when its disk is lost.

mod calendar;
mod create;
mod drill;
mod list;
mod restore;
mod timer;
mod verify;

use std::ops::ControlFlow;

use clap::Subcommand;
use dalsegno::{BackupProgress, BackupStep, ErrorKind, LostRows, Options, Secret};

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::interrupt::Polite;
use crate::key;
use crate::output::Out;
use crate::place::of_caller;
use crate::progress::Progress;

/// Make backups of the store, prove them, and restore from them
///
/// A backup is one file, whole or of what changed since another, with parity by which it survives damage. An encrypted
/// store's backups are encrypted, and open with what opened the store when they were made.
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Backup {
    Create(create::Create),
    List(list::List),
    Verify(verify::Verify),
    Restore(restore::Restore),
    Drill(drill::Drill),
    Timer(timer::Timer),
}

impl Backup {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::Create(create) => create.run(global, out),
            Self::List(list) => list.run(out),
            Self::Verify(verify) => verify.run(out),
            Self::Restore(restore) => restore.run(global, out),
            Self::Drill(drill) => drill.run(out),
            Self::Timer(timer) => timer.run(global, out),
        }
    }
}

/// Shows how far the work is; Ctrl-C cancels it, so that what was begun is taken away, or can be gone on with.
pub(crate) struct Watched<'a> {
    out: &'a Out,
    shown: Option<(BackupStep, Progress)>,
    _polite: Polite,
}

impl<'a> Watched<'a> {
    pub(crate) fn begin(out: &'a Out) -> Self {
        Self {
            out,
            shown: None,
            _polite: Polite::begin(),
        }
    }

    pub(crate) fn tell(&mut self, progress: BackupProgress) -> ControlFlow<()> {
        let is_same = |(step, _): &(BackupStep, Progress)| *step == progress.step;
        if !self.shown.as_ref().is_some_and(is_same) {
            // One bar is gone before the next comes.
            self.shown = None;
            let bar = Progress::begin(self.out, progress.total, unit(progress.step));
            self.shown = Some((progress.step, bar));
        }
        if let Some((_, bar)) = &self.shown {
            bar.reached(progress.done);
        }
        if Polite::asked() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// What became of the work, where it may have been cancelled.
    pub(crate) fn done<T>(self, answer: dalsegno::Result<T>) -> Result<T> {
        drop(self.shown);
        if answer.is_err() && Polite::asked() {
            return Err(Failure::interrupted());
        }
        Ok(answer?)
    }
}

fn unit(step: BackupStep) -> &'static str {
    match step {
        BackupStep::Checking => "bytes of backups proved",
        BackupStep::Reading => "bytes of rows read",
        BackupStep::Parity => "bytes of the archive read back",
        BackupStep::Restoring => "bytes of rows restored",
        BackupStep::Verifying => "sessions proved",
        _ => "bytes",
    }
}

/// Does what may need a key other than the store's: with the one that is given, if one is; where none is and it needs one, somebody at a
/// terminal is asked.
pub(crate) fn with_key<T>(mut work: impl FnMut(Option<Secret>) -> Result<T>) -> Result<T> {
    let given = key::given()?;
    let is_given = given.is_some();
    match work(given.map(|given| given.secret)) {
        Err(failure)
            if failure.is_of(ErrorKind::WrongKey) && !is_given && key::is_at_terminal() =>
        {
            let typed = key::typed("passphrase: ")?;
            work(Some(Secret::parse(&typed)?))
        }
        answer => answer,
    }
}

/// Does work on a backup with what opens it, and the store that is made of it.
fn opening<T>(out: &Out, work: impl Fn(Options, &mut Watched) -> dalsegno::Result<T>) -> Result<T> {
    let answer = with_key(|secret| {
        let mut options = of_caller(Options::default())?;
        if let Some(secret) = secret {
            options = options.secret(secret);
        }
        let mut watched = Watched::begin(out);
        let answer = work(options, &mut watched);
        watched.done(answer)
    });
    answer.map_err(salvageable)
}

/// Names the option that restores what is left of a backup, where the engine says that this can be done.
fn salvageable(failure: Failure) -> Failure {
    const WHOLE: &str = "or what is left of this one";
    const SESSION: &str = "or restore what is left of all of it to a new place";
    let message = failure
        .message()
        .replace(WHOLE, &format!("{WHOLE} (`backup restore --salvage`)"))
        .replace(
            SESSION,
            &format!("{SESSION} (`backup restore --salvage`, without --session)"),
        );
    failure.saying(message)
}

/// What is lost, a line each.
fn lost_lines(lost: &[LostRows], out: &mut Out) -> Result<()> {
    for lost in lost {
        out.line(format!("lost: {}", lost.what))?;
        for session in &lost.sessions {
            out.line(format!("  of session {}", human::safe(session)))?;
        }
        for id in &lost.snapshots {
            out.line(format!("  of snapshot {id}"))?;
        }
    }
    Ok(())
}

/// A backup in a line.
fn line(backup: &dalsegno::Backup) -> String {
    let base = match &backup.base {
        Some(base) => format!(" on {}", short(base)),
        None => String::new(),
    };
    format!(
        "{}  {}{base}  {}  {} of {}  {}  {}",
        short(&backup.id),
        backup.kind,
        human::time(backup.taken_at),
        human::count(backup.snapshots, "snapshot"),
        human::count(backup.sessions, "session"),
        human::size(backup.bytes),
        human::safe(&backup.path.display().to_string()),
    )
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
