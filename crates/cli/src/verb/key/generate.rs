//! `dalsegno key generate`: a new key in a new file.

use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::Secret;
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;
use crate::private::NewFile;

/// Make a new key, in a new file that only you can read
///
/// 256 random bits. A file that is there is never replaced. Nothing is encrypted with it until `key init` or `key add`
/// says so.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dalsegno key generate ~/.keys/bot.key
  dalsegno key generate ~/.keys/bot.key --json")]
pub(crate) struct Generate {
    /// The file
    file: PathBuf,
}

impl Generate {
    pub(super) fn run(&self, out: &mut Out) -> Result<()> {
        make(&self.file)?;
        out.did();
        let file = self.file.display().to_string();
        if out.is_json() {
            return out.json(&json!({"file": file}));
        }
        out.line(format!("made a key in {}", human::safe(&file)))?;
        out.line(KEEP)
    }
}

/// What to do with a key's file.
pub(super) const KEEP: &str = "keep it, and a copy of it, away from the store and its backups: \
                               whoever has both reads everything, and without it nobody reads anything";

/// A new key, which is in the file once this returns.
pub(super) fn make(path: &Path) -> Result<Secret> {
    let secret = Secret::generate()?;
    let text = secret
        .to_text()
        .ok_or_else(|| Failure::problem("a new key cannot be written"))?;
    NewFile::make(path)?.fill(&text)?;
    Ok(secret)
}
