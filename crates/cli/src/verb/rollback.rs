//! `dalsegno rollback`: goes back to an earlier state of a session.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use dalsegno::Back;
use jiff::Timestamp;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::asking::Asking;
use crate::verb::put::{carry_out, check_target, close};
use crate::when;

/// Go back to an earlier state of a session
///
/// The history only grows: the states since stay in it, and `undo` takes the rollback back. Two
/// rollbacks of one step go back two steps. Where the session has that state already, nothing is
/// done, and the next rollback counts from where this one did. With --to-file, FILE is the live document: the newest
/// snapshot is then the first step back. Exit code 4 if there is nothing to go back to.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("back").args(["last", "steps", "to", "turn", "at"]),
    after_help = "\
Examples:
  dalsegno rollback bot/42
  dalsegno rollback game/drowned-bell --turn 41 --dry-run
  dalsegno rollback chat/garden --at 2026-11-20T21:30 --to-file garden.json
  dalsegno rollback bot/42 --steps 3
  dalsegno rollback bot/42 --ask"
)]
pub(crate) struct Rollback {
    /// The session
    session: String,
    /// One step back (the default)
    #[arg(long)]
    last: bool,
    /// So many steps back
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    /// To this snapshot of the session
    #[arg(long, value_name = "REF")]
    to: Option<String>,
    /// To the newest state of this turn
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    turn: Option<i64>,
    /// To the last state at or before this time: 2026-11-20T21:30, or 24h or 7d for so long ago
    #[arg(long, value_name = "TIME", value_parser = when::parse, allow_hyphen_values = true)]
    at: Option<Timestamp>,
    /// Write the state into this file; without it, it becomes the session's newest stored state
    #[arg(long, value_name = "FILE")]
    to_file: Option<PathBuf>,
    /// Show what would be done, without doing it
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    asking: Asking,
}

impl Rollback {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let back = self.back();
        if self.asking.ask && self.to_file.is_some() {
            return Err(Failure::usage(
                "a file is written without asking anybody: leave --ask out",
            ));
        }
        let engine = Place::open(global)?;
        if self.asking.ask && !self.dry_run {
            let arguments = match &back {
                Back::Steps(steps) => json!({"steps": steps}),
                Back::To(to) => json!({"to": to}),
            };
            self.asking
                .put(&engine, &self.session, "rollback", arguments, global, out)?;
            close(engine, out);
            return Ok(());
        }
        let restore = match &self.to_file {
            Some(file) => {
                check_target(&engine, "--to-file", file)?;
                engine.rollback_live(&self.session, &back)?.to_file(file)
            }
            None => engine.rollback(&self.session, &back)?,
        };
        carry_out(&engine, restore, self.dry_run, global, out)?;
        close(engine, out);
        Ok(())
    }

    fn back(&self) -> Back {
        let session = &self.session;
        match (self.steps, &self.to, self.turn, self.at) {
            (_, Some(reference), ..) => Back::To(reference.clone()),
            (_, _, Some(turn), _) => Back::To(format!("{session}@turn:{turn}")),
            (.., Some(time)) => Back::To(format!("{session}@{time}")),
            (steps, ..) => Back::Steps(steps.unwrap_or(1)),
        }
    }
}
