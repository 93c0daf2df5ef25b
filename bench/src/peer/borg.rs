//! The real `borg`, where it is installed: a repository of its own, and nothing of the user's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use super::files::bytes_below;

/// Borg with a repository in a folder.
#[derive(Debug)]
pub struct Borg {
    folder: PathBuf,
    /// What it calls itself.
    pub version: String,
    archives: usize,
}

impl Borg {
    /// Nothing, where it is not installed.
    pub fn find(folder: &Path) -> Result<Option<Self>> {
        let Ok(said) = Command::new("borg").arg("--version").output() else {
            return Ok(None);
        };
        if !said.status.success() {
            return Ok(None);
        }
        let mut borg = Self {
            folder: folder.join("borg"),
            version: String::from_utf8_lossy(&said.stdout).trim().to_owned(),
            archives: 0,
        };
        borg.begin()?;
        Ok(Some(borg))
    }

    /// Begins anew, with an empty repository.
    pub fn begin(&mut self) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        self.archives = 0;
        let folder = self.folder.clone();
        self.run(&folder, &["init", "-e", "none", &self.repository()])
    }

    /// Makes an archive of all files in that folder. Returns the bytes that the repository grew by.
    pub fn create(&mut self, of: &Path) -> Result<u64> {
        let before = bytes_below(&self.folder.join("repository"))?;
        self.archives += 1;
        self.run(of, &["create", &self.newest(), "."])?;
        Ok(bytes_below(&self.folder.join("repository"))?.saturating_sub(before))
    }

    /// Puts the files of the newest archive into that folder.
    pub fn extract(&self, into: &Path) -> Result<()> {
        self.run(into, &["extract", &self.newest()])
    }

    fn repository(&self) -> String {
        self.folder.join("repository").display().to_string()
    }

    fn newest(&self) -> String {
        format!("{}::{}", self.repository(), self.archives)
    }

    fn run(&self, at: &Path, arguments: &[&str]) -> Result<()> {
        let status = Command::new("borg")
            .args(arguments)
            .current_dir(at)
            .env("BORG_BASE_DIR", &self.folder)
            .env("BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK", "yes")
            .env("BORG_RELOCATED_REPO_ACCESS_IS_OK", "yes")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "borg {} failed", arguments.join(" "));
        Ok(())
    }
}
