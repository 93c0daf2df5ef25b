//! `dalsegno lease …`: who has which session open.

use clap::{Args, Subcommand};
use dalsegno::{Holder, Holding};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::verb::put::close;
use crate::{human, style, table};

/// See which program has which session open, and close one for it
#[derive(Debug, Subcommand)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) enum Lease {
    List(List),
    Release(Release),
}

/// List who has which session open, or had it last
///
/// `open`: that program is at work, and others cannot save to the session. `gone`: it ended without closing the
/// session; `recover` does that. `closed`: anybody may save.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno lease list
  dalsegno lease list --json")]
pub(crate) struct List {}

/// Close a session for the program that has it open
///
/// For a program that hangs. Whatever it saves to the session from then on is refused and not stored; its own
/// state that it has not saved is not in the store. To go on with it, the program opens it again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno lease release bot/42 --dry-run
  dalsegno lease release bot/42")]
pub(crate) struct Release {
    /// The session
    session: String,
    /// Show whose it is, without closing it
    #[arg(long)]
    dry_run: bool,
}

impl Lease {
    pub(crate) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        match self {
            Self::List(list) => list.run(global, out),
            Self::Release(release) => release.run(global, out),
        }
    }
}

impl List {
    #[allow(clippy::unused_self)] // as all verbs
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let holders = Place::open(global)?.holders()?;
        if out.is_json() {
            return out.json(&json!({"leases": holders}));
        }
        if holders.is_empty() {
            out.note("no program ever opened a session");
            return Ok(());
        }
        let rows = holders.iter().map(row).collect();
        let heads = ["SESSION", "", "SINCE", "PROGRAM", "EPOCH"];
        let mut lines = table::lay_out(&heads, rows).into_iter();
        if let Some(head) = lines.next() {
            out.line(style::head(head))?;
        }
        lines.try_for_each(|line| out.line(line))
    }
}

impl Release {
    fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let holders = engine.holders()?;
        let found = holders.into_iter().find(|it| it.session == self.session);
        let session = human::safe(&self.session);
        let Some(holder) = found.filter(|it| it.standing != Holding::Closed) else {
            return Err(Failure::new(
                dalsegno::ErrorKind::NotFound,
                format!("nobody has the session {session} open; `lease list` shows who has which"),
            ));
        };
        if !self.dry_run {
            engine.take_over(&self.session)?;
            engine.close_session(&self.session)?;
            out.did();
        }
        close(engine, out);
        if out.is_json() {
            return out.json(&json!({"dry_run": self.dry_run, "released": holder}));
        }
        let whose = program(&holder);
        out.line(if self.dry_run {
            format!("would close {session}, which {whose} has open")
        } else {
            format!("closed {session}, which {whose} had open: nothing it saves there is stored any more")
        })
    }
}

fn row(holder: &Holder) -> Vec<String> {
    let standing = match holder.standing {
        Holding::Open => "open",
        Holding::Gone => "gone",
        Holding::Closed => "closed",
    };
    vec![
        human::safe(&holder.session),
        standing.to_owned(),
        human::time(holder.since),
        program(holder),
        holder.epoch.to_string(),
    ]
}

fn program(holder: &Holder) -> String {
    match (&holder.program, holder.pid) {
        (Some(name), Some(pid)) => format!("{} (process {pid})", human::safe(name)),
        _ => "a program that is gone".to_owned(),
    }
}
