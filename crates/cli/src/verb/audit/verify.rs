//! `dalsegno audit verify`

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::{AuditCheck, AuditHead, ErrorKind};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::output::Out;
use crate::place::Place;
use crate::{human, style};

/// No head is longer.
const MOST: u64 = 200;

/// Prove that no row of the audit log was changed, taken out, put in or moved
///
/// With a head that was kept elsewhere (`audit head`), also that none was cut off its end since, and that the log was not
/// written anew, as whoever can write the store's file could do where the store is not encrypted. Exit code 6 if
/// something is wrong; the first row that is not as it was written is named.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno audit verify
  dalsegno audit verify --head-file /mnt/elsewhere/audit.head
  dalsegno audit verify --json | jq .broken")]
pub(crate) struct Verify {
    /// A head that was kept, as `audit head` printed it
    #[arg(long, value_name = "HEAD", conflicts_with = "head_file")]
    head: Option<AuditHead>,
    /// The file that it was kept in
    #[arg(long, value_name = "FILE")]
    head_file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let kept = match &self.head_file {
            Some(file) => Some(kept(file)?),
            None => self.head,
        };
        let found = Place::open(global)?.audit_check(kept.as_ref())?;
        if out.is_json() {
            out.json(&json!({
                "intact": found.is_whole(),
                "rows": found.rows,
                "head": found.head,
                "keyed": found.keyed,
                "compared": found.compared,
                "broken": found.broken,
            }))?;
        } else {
            proved(&found, kept.as_ref(), out)?;
        }
        match &found.broken {
            None => Ok(()),
            Some(broken) => Err(Failure::new(ErrorKind::Damaged, broken.to_string())),
        }
    }
}

fn proved(found: &AuditCheck, kept: Option<&AuditHead>, out: &mut Out) -> Result<()> {
    let rows = format!("{} of the audit log", human::count(found.rows, "row"));
    if !found.is_whole() {
        return out.line(format!("{}: looked at {rows}", style::bad("damaged")));
    }
    let proved = if found.keyed {
        "all is as it was written"
    } else {
        "every row is chained to the one before"
    };
    out.line(format!("{}: {rows}", style::good(proved)))?;
    match (kept, found.keyed) {
        (Some(kept), _) => out.line(format!(
            "the head that was kept, of row {}, is in its place: up to there nothing was changed or cut off",
            kept.number()
        )),
        (None, true) => out.line(
            "not proved: that none was cut off its end; only a head that was kept elsewhere tells (`audit head`)",
        ),
        (None, false) => out.line(
            "not proved: that the log was not written anew, and that none was cut off its end. The store has no key, so \
             only a head that was kept elsewhere tells (`audit head`)",
        ),
    }
}

/// The head in a file.
pub(super) fn kept(path: &Path) -> Result<AuditHead> {
    let shown = path.display();
    let failed = |e| Failure::io(format!("reading {shown}"), e);
    let mut text = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MOST).read_to_end(&mut text).map_err(failed)?;
    let head = String::from_utf8_lossy(&text).parse::<AuditHead>();
    Ok(head.map_err(|e| e.context(shown))?)
}
