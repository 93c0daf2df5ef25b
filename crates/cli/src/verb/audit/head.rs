//! `dalsegno audit head`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use dalsegno::{Error, ErrorKind};
use serde_json::json;

use super::verify::kept;
use crate::failure::{Failure, Result};
use crate::global::Global;
use crate::human;
use crate::output::Out;
use crate::place::{Place, not_the_store};

/// Print the end of the audit log, to be kept where nobody who can write the store can change it
///
/// `audit verify` compares it later. It is the number of the last row, a colon, and what chains that to all before it. It
/// is no secret. Compare the old one before a new one takes its place.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno audit head
  dalsegno audit head --to /mnt/elsewhere/audit.head
  dalsegno audit verify --head-file audit.head && dalsegno audit head --to audit.head")]
pub(crate) struct Head {
    /// Write it to this file, whole or not at all; an older head that is there is replaced
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Head {
    pub(super) fn run(&self, global: &Global, out: &mut Out) -> Result<()> {
        let engine = Place::open(global)?;
        let head = engine.audit_head()?;
        let Some(path) = &self.to else {
            if out.is_json() {
                return out.json(&json!({"number": head.number(), "head": head}));
            }
            return out.line(head);
        };
        not_the_store(&engine, path)?;
        let shown = path.display().to_string();
        if path.exists() && kept(path).is_err() {
            let message =
                format!("{shown} is there and holds no head of an audit log; choose another file");
            return Err(Failure::new(ErrorKind::Conflict, message));
        }
        dalsegno::write_private(path, |file: &mut dyn Write| {
            writeln!(file, "{head}").map_err(|e| Error::io(format!("writing {shown}"), e))
        })?;
        out.did();
        if out.is_json() {
            return out.json(&json!({"number": head.number(), "head": head, "path": shown}));
        }
        out.line(format!(
            "wrote the head of the audit log, of row {}, to {}",
            head.number(),
            human::safe(&shown)
        ))
    }
}
