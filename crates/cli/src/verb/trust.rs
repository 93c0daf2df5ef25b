//! `dalsegno trust`: lets a project's configuration name commands and addresses.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::ErrorKind;
use dalsegno_config::{
    Action, Flags, Hook, Layers, Migration, PROJECT_FILE, State, Trust as Kept, Trusting,
};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::output::Out;
use crate::{human, program, style, table};

/// Let a project's dalsegno.toml name commands and addresses
///
/// What it would run is shown, and counts from then on, until the file is changed. Programs that it names are
/// not looked into. The user's own configuration needs no trust.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno trust --dry-run
  dalsegno trust
  dalsegno trust /srv/bot/dalsegno.toml
  dalsegno trust --list
  dalsegno trust --remove")]
pub(crate) struct Trust {
    /// The file [default: the nearest dalsegno.toml from here up]
    file: Option<PathBuf>,
    /// List the files that are trusted
    #[arg(long, conflicts_with_all = ["file", "remove", "dry_run"])]
    list: bool,
    /// Trust it no longer
    #[arg(long)]
    remove: bool,
    /// Show what would be trusted, without trusting it
    #[arg(long)]
    dry_run: bool,
}

impl Trust {
    pub(crate) fn run(&self, out: &mut Out) -> Result<()> {
        let layers = Layers::of_process(Flags::default());
        if self.list {
            return list(&layers, out);
        }
        let nearest = || layers.project_file();
        let file = self.file.clone().or_else(nearest).ok_or_else(|| {
            let message = format!("there is no {PROJECT_FILE} here or above: name the file");
            Failure::new(ErrorKind::NotFound, message)
        })?;
        if self.remove {
            self.remove(&layers, &file, out)
        } else {
            self.trust(&Kept::look(&layers, &file)?, out)
        }
    }

    fn trust(&self, trusting: &Trusting, out: &mut Out) -> Result<()> {
        if !self.dry_run && !trusting.already {
            trusting.accept()?;
            out.did();
        }
        if out.is_json() {
            return out.json(&json!({
                "dry_run": self.dry_run,
                "file": trusting.file,
                "sha256": trusting.sha256,
                "already": trusting.already,
                "hooks": trusting.hooks,
                "migrations": trusting.migrations,
                "key_command": trusting.key_command,
            }));
        }
        let file = human::safe(&trusting.file.display().to_string());
        let commands = trusting.hooks.len() + trusting.migrations.len();
        if commands == 0 && trusting.key_command.is_none() {
            out.line(format!("{file} names no command and no address"))?;
        } else {
            out.line(format!("{file} names"))?;
        }
        if let Some(line) = &trusting.key_command {
            let run = program::quote(line);
            out.line(format!(
                "  for the key of the store: run sh -c {}",
                human::safe(&run)
            ))?;
        }
        for hook in &trusting.hooks {
            out.line(format!("  {}", human::safe(&whole(hook))))?;
        }
        for migration in &trusting.migrations {
            out.line(format!("  {}", human::safe(&step(migration))))?;
        }
        out.line(match (self.dry_run, trusting.already) {
            (true, _) => "dry run: nothing was changed",
            (false, true) => "it was trusted already",
            (false, false) => "trusted, until it is changed",
        })
    }

    fn remove(&self, layers: &Layers, file: &Path, out: &mut Out) -> Result<()> {
        let shown = human::safe(&file.display().to_string());
        if !Kept::remove(layers, file, self.dry_run)? {
            let message = format!("{shown} was not trusted");
            return Err(Failure::new(ErrorKind::NotFound, message));
        }
        if !self.dry_run {
            out.did();
        }
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "removed": file}));
        }
        out.line(if self.dry_run {
            format!("{shown} would not be trusted any more\ndry run: nothing was changed")
        } else {
            format!("{shown} is not trusted any more")
        })
    }
}

/// A hook with every word of it, for whoever is to trust it.
fn whole(hook: &Hook) -> String {
    let on = hook.events.join(", ");
    let of = hook.sessions.as_ref().map(|s| format!(" of {s}"));
    let does = match &hook.action {
        Action::Command(words) => run(words),
        Action::Webhook { url, .. } => format!("post to {url}"),
    };
    format!("on {on}{}: {does}", of.unwrap_or_default())
}

/// A migration with every word of it.
fn step(migration: &Migration) -> String {
    let from = migration.from.as_deref().unwrap_or("no version");
    let of = migration.sessions.as_ref().map(|s| format!(" of {s}"));
    let (of, does) = (of.unwrap_or_default(), run(&migration.command));
    format!(
        "to migrate states{of} from {from} to {}: {does}",
        migration.to
    )
}

fn run(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| program::quote(word)).collect();
    format!("run {}", words.join(" "))
}

fn list(layers: &Layers, out: &mut Out) -> Result<()> {
    let trusted = Kept::read(layers)?.list();
    if out.is_json() {
        return out.json(&json!({"trusted": trusted}));
    }
    if trusted.is_empty() {
        out.note("no file is trusted");
        return Ok(());
    }
    let rows = trusted.iter().map(|trusted| {
        let state = match trusted.state {
            State::Same => "",
            State::Changed => "changed: not trusted any more",
            State::Missing => "not there",
        };
        let file = human::safe(&trusted.file.display().to_string());
        vec![file, human::time(trusted.at), state.to_owned()]
    });
    let mut lines = table::lay_out(&["FILE", "TRUSTED", ""], rows.collect()).into_iter();
    if let Some(head) = lines.next() {
        out.line(style::head(head))?;
    }
    lines.try_for_each(|line| out.line(line))
}
