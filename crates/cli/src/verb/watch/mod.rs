//! `dalsegno watch`: keeps folders of session files safe.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use dalsegno::{Engine, ErrorKind};
use dalsegno_config::{Config, Flags, Layers, watch_pattern, watch_settle};
use dalsegno_watch::{Event, Selection, Settings, Stopper, Summary};
use jiff::SignedDuration;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::hooked;
use crate::human;
use crate::interrupt::Polite;
use crate::output::Out;
use crate::place::Place;

mod restore;
mod service;
mod tell;

/// Keep folders of session files safe, with no change to the program that writes them
///
/// Every state of a JSON or JSON lines file that stands still for the settle time becomes a snapshot of the
/// session named after the file: chats/a.json is chats/a. What changed while nobody watched is kept first.
/// Ends with Ctrl-C or SIGTERM, after what is pending was kept; exit code 3 if a file could not be. Until then the sessions are open here: other
/// programs cannot save to them, and a second watch of a folder is refused.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  dalsegno watch ~/.local/share/bot/sessions
  dalsegno watch chats --prefix bot/42 --exclude 'index.json' --exclude 'old/*'
  dalsegno watch chats --once --json
  dalsegno watch chats --once --dry-run
  dalsegno watch restore chats/a@-1 --dir ."
)]
pub(crate) struct Watch {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    which: Which,
    /// Keep what changed since the last time, and end: for cron; exit code 3 if a file could not be kept
    #[arg(long)]
    once: bool,
    /// Show what would be kept, without keeping it
    #[arg(long, requires = "once")]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Restore(restore::Restore),
    Service(service::Service),
}

/// Which files, and when they count as settled.
#[derive(Debug, Args)]
struct Which {
    /// A folder; with several, their own names come first in the names of their sessions
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Only files that this fits, in place of *.json, *.jsonl and *.ndjson; may be given several times
    #[arg(long, value_name = "PATTERN", value_parser = watch_pattern)]
    include: Vec<String>,
    /// Not these files and folders; may be given several times
    #[arg(long, value_name = "PATTERN", value_parser = watch_pattern)]
    exclude: Vec<String>,
    /// The beginning of all sessions' names, as in bot/42
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true
    )]
    prefix: String,
    /// How long a file stands still before it is read; 500ms unless said, here or in the configuration
    #[arg(long, value_name = "DURATION", value_parser = watch_settle)]
    settle: Option<SignedDuration>,
}

impl Which {
    /// What holds for the watch: these options, else what the environment and the files of configuration say.
    fn chosen(&self) -> Result<dalsegno_config::Watch> {
        let given = |patterns: &Vec<String>| Some(patterns.clone()).filter(|it| !it.is_empty());
        let flags = Flags {
            settle: self.settle,
            include: given(&self.include),
            exclude: given(&self.exclude),
            ..Flags::default()
        };
        Ok(Config::load(&Layers::of_process(flags))?.config.watch)
    }

    fn settings(&self, chosen: &dalsegno_config::Watch, dry_run: bool) -> Result<Settings> {
        Ok(Settings {
            settle: chosen.settle.value.try_into().unwrap_or(Duration::MAX),
            prefix: self.prefix.clone(),
            selection: Selection::new(&chosen.include.value, &chosen.exclude.value)?,
            dry_run,
            ..Settings::default()
        })
    }
}

impl Watch {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match &self.verb {
            Some(Verb::Restore(restore)) => restore.run(global, out),
            Some(Verb::Service(service)) => service.run(global, out),
            None => self.watch(global, out),
        }
    }

    fn watch(&self, global: &Global, out: &mut Out) -> Result<()> {
        let settings = self.which.settings(&self.which.chosen()?, self.dry_run)?;
        let (engine, _) = Place::open_watching(global)?;
        let engine = Arc::new(engine);
        let summary = self.go(&engine, settings, global, out);
        if let Ok(engine) = Arc::try_unwrap(engine) {
            super::put::close(engine, out);
        }
        let summary = summary?;
        // Of a watch that goes on, `torn` are all that ever were: most are whole again long since.
        let left = summary.failed + if self.once { summary.torn } else { 0 };
        if left > 0 {
            return Err(Failure::partly(format!(
                "{} could not be kept; all others were",
                human::count(left, "file")
            )));
        }
        Ok(())
    }

    fn go(
        &self,
        engine: &Arc<Engine>,
        settings: Settings,
        global: &Global,
        out: &mut Out,
    ) -> Result<Summary> {
        let mut watch = dalsegno_watch::Watch::new(engine, &self.which.folders, settings)?;
        let attending = match self.dry_run {
            true => None,
            false => Some(engine.attend(watch.attendant(Arc::clone(engine)))?),
        };
        let _polite = Polite::begin();
        let signals = Ending::by_signals(watch.stopper())?;
        let mut teller = tell::Teller::new(global, out);
        let mut told = |event: &Event| {
            teller.tell(event);
            hooked::pass_on();
        };
        let summary = if self.once {
            watch.once(&mut told)
        } else {
            watch.run(&mut told)
        };
        drop(signals);
        drop(attending);
        teller.end()?;
        Ok(summary?)
    }
}

/// While it lives, SIGINT and SIGTERM end the watch.
struct Ending(signal_hook::iterator::Handle);

impl Ending {
    fn by_signals(stopper: Stopper) -> Result<Self> {
        let failed = |e| Failure::io("waiting for signals", e);
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let handle = signals.handle();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                for _ in &mut signals {
                    stopper.stop();
                }
            })
            .map_err(failed)?;
        Ok(Self(handle))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// A path as an absolute one, for services and messages.
fn absolute(path: &std::path::Path) -> Result<PathBuf> {
    let shown = path.display();
    let whole =
        std::fs::canonicalize(path).map_err(|e| Failure::io(format!("finding {shown}"), e))?;
    if whole.to_str().is_none() {
        let message = format!("the path {shown} is not UTF-8; use another name");
        return Err(Failure::new(ErrorKind::InvalidInput, message));
    }
    Ok(whole)
}
