//! `dalsegno recover`: sessions that programs left without closing them.

use clap::Args;
use dalsegno::{ErrorKind, Recovered};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::Place;

/// Find sessions that were not closed, and put each at its newest intact state
///
/// A program that ends without closing its sessions (a crash, a power cut) leaves them open. This closes them:
/// where the newest state of one is damaged, the newest that is intact is put back, and it is said which were
/// passed over. Sessions that programs have open are left alone. A second run finds nothing. Exit code 6 if one
/// has no intact state; the others are recovered all the same.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno recover
  dalsegno recover --dry-run --json")]
pub(crate) struct Recover {
    /// Show which sessions were not closed, without doing anything
    #[arg(long)]
    dry_run: bool,
}

impl Recover {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        if self.dry_run {
            let left = engine.left_open()?;
            if out.is_json() {
                let sessions: Vec<_> = left
                    .iter()
                    .map(|(session, program)| json!({"session": session, "program": program}))
                    .collect();
                return out.json(&json!({"dry_run": true, "sessions": sessions}));
            }
            for (session, program) in &left {
                out.line(format!("{}{}", human::safe(session), of(program.as_ref())))?;
            }
            out.note(match left.len() {
                0 => "every session is closed, or open in a program".to_owned(),
                count => format!("{} to recover", human::count(count as u64, "session")),
            });
            return Ok(());
        }
        let recovered = engine.recover()?;
        out.did();
        let closed = engine.close();
        if out.is_json() {
            out.json(&json!({"dry_run": false, "sessions": recovered}))?;
        } else {
            for one in &recovered {
                out.line(line(one))?;
                for passed in &one.passed_over {
                    let (id, why) = (human::short(passed.snapshot), human::safe(&passed.why));
                    out.line(format!("  passed over {id}: {why}"))?;
                }
            }
            if recovered.is_empty() {
                out.note("every session is closed, or open in a program; nothing was changed");
            }
        }
        closed?;
        let failed: Vec<_> = recovered
            .iter()
            .filter_map(|one| Some((human::safe(&one.session), one.error.as_ref()?.kind())))
            .collect();
        if failed.is_empty() {
            return Ok(());
        }
        let kind = if failed.iter().all(|(_, kind)| *kind == ErrorKind::Damaged) {
            ErrorKind::Damaged
        } else {
            ErrorKind::Storage
        };
        let names: Vec<_> = failed.into_iter().map(|(name, _)| name).collect();
        let message = format!("could not be recovered: {}", names.join(", "));
        Err(Failure::new(kind, message))
    }
}

fn of(program: Option<&String>) -> String {
    program.map_or(String::new(), |program| {
        format!("  left by {}", human::safe(program))
    })
}

fn line(one: &Recovered) -> String {
    let session = human::safe(&one.session);
    let by = of(one.program.as_ref());
    match (&one.error, &one.snapshot) {
        (Some(error), _) => format!("{session}: {}", human::safe(&error.to_string())),
        (None, None) => format!("{session}: closed; it has no state{by}"),
        (None, Some(at)) => {
            let (id, time) = (human::short(at.id), human::time(at.created_at));
            format!("{session}: closed at {id} of {time}{by}")
        }
    }
}
