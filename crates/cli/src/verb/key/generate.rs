//! `dalsegno key generate`: a new key in a new file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use dalsegno::{ErrorKind, Secret, durable};
use serde_json::json;

use crate::failure::{Failure, Result};
use crate::human;
use crate::output::Out;

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
    let shown = path.display();
    let secret = Secret::generate()?;
    let text = secret
        .to_text()
        .ok_or_else(|| Failure::problem("a new key cannot be written"))?;
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let file = made.map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            let message = format!("{shown} is there already; nothing was changed");
            Failure::new(ErrorKind::Conflict, message)
        }
        _ => Failure::io(format!("making {shown}"), e),
    })?;
    write(&file, &text)
        .and_then(|()| durable::sync_folder(&durable::folder_of(path)))
        .map_err(|e| {
            // Nothing is encrypted with it.
            let _stays = fs::remove_file(path);
            Failure::io(format!("writing {shown}"), e)
        })?;
    Ok(secret)
}

fn write(mut file: &File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}
