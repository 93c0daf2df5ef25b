//! A new file for a secret: only its owner can read it, and one that is there is never replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use dalsegno::{ErrorKind, durable};

use crate::failure::{Failure, Result};

/// A new file, which is taken away again unless it is filled.
pub(crate) struct NewFile {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl NewFile {
    /// Makes the file.
    pub(crate) fn make(path: &Path) -> Result<Self> {
        let shown = path.display();
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
        Ok(Self {
            path: path.to_owned(),
            file,
            filled: false,
        })
    }

    /// Writes the secret, which is on the disk once this returns.
    pub(crate) fn fill(mut self, text: &str) -> Result<()> {
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.write_all(b"\n"))
            .and_then(|()| self.file.sync_all())
            .and_then(|()| durable::sync_folder(&durable::folder_of(&self.path)));
        self.filled = written.is_ok();
        written.map_err(|e| Failure::io(format!("writing {}", self.path.display()), e))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.filled {
            let _stays = fs::remove_file(&self.path);
        }
    }
}
