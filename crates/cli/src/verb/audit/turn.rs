//! `dalsegno audit on` and `audit off`

use clap::Args;
use dalsegno::{AuditQuery, Engine, ErrorKind};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::{Place, writable};
use crate::verb::put::close;

/// Begin the audit log, or go on with it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno audit on
  dalsegno audit on --dry-run")]
pub(crate) struct On {
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

/// End the audit log
///
/// What stands in it stays, and that it was ended stands in it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno audit off
  dalsegno audit off --dry-run")]
pub(crate) struct Off {
    /// Look whether it could be done, without doing it
    #[arg(long)]
    dry_run: bool,
}

impl On {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        turn(true, self.dry_run, global, out)
    }
}

impl Off {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        turn(false, self.dry_run, global, out)
    }
}

fn turn(on: bool, dry_run: bool, global: &Global, out: &mut Out) -> Result<()> {
    let engine = Place::open(global)?;
    writable(&engine)?;
    if dry_run {
        rehearse(&engine, on)?;
    } else {
        if on {
            engine.audit_on()
        } else {
            engine.audit_off()
        }?;
        out.did();
    }
    close(engine, out);
    if out.is_json() {
        return out.json(&json!({"dry_run": dry_run, "on": on}));
    }
    out.line(match (on, dry_run) {
        (true, false) => "the audit log is on: whatever changes the store stands in it from now on",
        (false, false) => "the audit log is off; what stands in it stays",
        (true, true) => "the audit log would be on\ndry run: nothing was changed",
        (false, true) => "the audit log would be off\ndry run: nothing was changed",
    })
}

fn rehearse(engine: &Engine, on: bool) -> Result<()> {
    // Who may not look into it may not turn it either.
    engine.audit_log(&AuditQuery {
        limit: Some(0),
        ..AuditQuery::default()
    })?;
    if engine.is_audited()? != on {
        return Ok(());
    }
    let message = format!("the audit log is {} already", if on { "on" } else { "off" });
    Err(Failure::new(ErrorKind::Conflict, message))
}
