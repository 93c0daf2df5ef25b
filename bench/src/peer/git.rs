//! The real `git`: one file, a commit a save.
//!
//! Plumbing commands (`hash-object`, `mktree`, `commit-tree`, `update-ref`) instead of `git add`
//! and `git commit`, which would scan a work tree that nobody needs. Settings of the user and of
//! the machine are shut out. `tidy` is `git gc`, then `git gc --aggressive`, with one thread so that
//! the outcome is the same on every machine.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::files::bytes_below;
use super::{Peer, Tidied};

/// The key of this contestant.
pub const KEY: &str = "git";

const FILE: &str = "session.json";

/// Steps of the clean-up. The first looks for deltas among ten objects of like size, the second
/// among 250, and does all the work anew.
const TIDY: [(&str, &[&str]); 2] = [
    ("git, after gc", &[]),
    ("git, after gc --aggressive", &["--aggressive"]),
];

/// A contestant in an empty folder.
pub fn make(folder: &Path) -> Result<Box<dyn Peer>> {
    let git = Git {
        folder: folder.to_owned(),
        commits: Vec::new(),
    };
    // Without a template, no sample hooks are counted as stored bytes.
    git.run(&["init", "-q", "--bare", "-b", "main", "--template="], b"")?;
    Ok(Box::new(git))
}

struct Git {
    folder: PathBuf,
    commits: Vec<String>,
}

impl Git {
    fn run(&self, args: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let mut child = Command::new("git")
            .args(args)
            .current_dir(&self.folder)
            .env("GIT_DIR", &self.folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "bench")
            .env("GIT_AUTHOR_EMAIL", "bench@example.org")
            .env("GIT_COMMITTER_NAME", "bench")
            .env("GIT_COMMITTER_EMAIL", "bench@example.org")
            .env("GIT_AUTHOR_DATE", "1795132800 +0000")
            .env("GIT_COMMITTER_DATE", "1795132800 +0000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("git could not be started")?;
        // The input is taken whole before anything is printed, so this cannot lock up.
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input)?;
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "git {} failed", args.join(" "));
        Ok(output.stdout)
    }

    fn name_from(&self, args: &[&str], input: &[u8]) -> Result<String> {
        let printed = String::from_utf8(self.run(args, input)?)?;
        Ok(printed.trim().to_owned())
    }
}

impl Peer for Git {
    fn name(&self) -> String {
        "git, loose objects".to_owned()
    }

    fn save(&mut self, bytes: &[u8]) -> Result<()> {
        let blob = self.name_from(&["hash-object", "-w", "--stdin"], bytes)?;
        let tree = format!("100644 blob {blob}\t{FILE}\n");
        let tree = self.name_from(&["mktree"], tree.as_bytes())?;
        let mut args = vec!["commit-tree", &tree, "-m", "save"];
        if let Some(parent) = self.commits.last() {
            args.extend(["-p", parent]);
        }
        let commit = self.name_from(&args, b"")?;
        self.run(&["update-ref", "refs/heads/main", &commit], b"")?;
        self.commits.push(commit);
        Ok(())
    }

    fn finish(&mut self) -> Result<u64> {
        bytes_below(&self.folder)
    }

    fn tidy(&mut self, step: usize) -> Result<Option<Tidied>> {
        let Some((label, args)) = TIDY.get(step) else {
            return Ok(None);
        };
        let gc = ["-c", "pack.threads=1", "gc", "-q", "--prune=now"];
        self.run(&[&gc[..], args].concat(), b"")?;
        Ok(Some(Tidied {
            label: (*label).to_owned(),
            bytes: bytes_below(&self.folder)?,
        }))
    }

    fn restore(&mut self, index: usize) -> Result<Vec<u8>> {
        let object = format!("{}:{FILE}", self.commits[index]);
        self.run(&["cat-file", "blob", &object], b"")
    }
}
